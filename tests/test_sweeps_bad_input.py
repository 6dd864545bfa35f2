"""What cannot be swept is told before any work, all of it in one message; a cell that fails stays with its reason."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import ldnsim as ldn
from ldnsim import cli
from ldnsim.report import overview
from ldnsim.simulation import memory
from ldnsim.simulation import simulate as simulation
from ldnsim.sweeps import blocks, forecast
from ldnsim.sweeps.options import axes_of, design_of

NIGHT = '{input: oral, dose: 4.5 mg, at: "22:00"}'
DOSES = {"night.dose": ["1.5 mg", "3 mg"]}


@pytest.fixture
def question(ask):
    return ask("1 d", "[transient, pet_pool]", extra="report: [opioid_tone]", night=NIGHT)


@pytest.fixture
def idle(monkeypatch):
    """Fails if any block is computed."""

    def working(*_, **__):
        raise AssertionError("a block was computed")

    monkeypatch.setattr(blocks.BlockComputer, "arrays", working)


@pytest.mark.parametrize(
    ("axes", "design", "said"),
    [
        ({}, None, ["an empty sweep"]),
        (None, None, ["there is nothing to sweep"]),
        ({"night.dose": []}, None, ["an axis without values"]),
        ({"night.dos": ["1 mg"]}, None, ["did you mean 'night.dose'?"]),
        ({"night.dose": ["1 h"]}, None, ["not a dose"]),
        ({"receptors.t_R": ["1 h"]}, None, ["moves nothing"]),
        ({"occupancy.EC50": ["1 h"], "nigth.dose": ["1 mg"]}, None, ["another unit", "did you mean 'night.dose'?"]),
        ({"receptors": {"from": "a", "to": "b"}}, {"kind": "sobol", "cells": 8}, ["a list of names"]),
        ({"night.dose": {"from": "some", "to": "3 mg"}}, {"kind": "random", "cells": 8}, ["has no place in a range"]),
        (
            {"night.dose": {"from": "0 mg", "to": "3 mg", "scale": "log"}},
            {"kind": "random", "cells": 8},
            ["reaches zero or below"],
        ),
        ({"night.dose": {"from": "1 mg", "to": "3 mg"}}, None, ["a grid needs single values"]),
        (DOSES, {"kind": "sobol", "cells": 100}, ["a power of 2, such as 64 or 128"]),
        (DOSES, {"kind": "sobol"}, ["how many cells"]),
        (DOSES, {"kind": "sobal", "cells": 8}, ["did you mean 'sobol'?"]),
        (DOSES, {"kind": "grid", "cells": 8}, ["the axes say how many"]),
        ({**DOSES, "night.at": ["20:00"]}, {"kind": "list"}, ["night.dose has 2, night.at has 1"]),
        ({"night.dose": "1 mg"}, None, ["is not a list"]),
    ],
)
def test_axes_and_designs(question, idle, axes, design, said):
    with pytest.raises(ldn.LdnsimError) as caught:
        ldn.sweep(question, axes, design=design)
    assert all(text in str(caught.value) for text in said), str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workers": 0}, "0 workers"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:1"}, "one of them"),
        ({"shard": "17/16", "store": "a.zarr"}, "shard '17/16'"),
        ({"shard": "0/16", "store": "a.zarr"}, "shard '0/16'"),
        ({"shard": "3", "store": "a.zarr"}, "shard '3'"),
        ({"shard": "1/2"}, "a shard without a store"),
        ({"keep": "metric"}, "did you mean 'metrics'?"),
        ({"keep": "quantiles"}, "need a population"),
        ({"times": [0, 1]}, "times are for courses"),
        ({"times": [], "keep": "courses"}, "must be a list of finite hours"),
    ],
)
def test_ways_to_run(question, idle, options, said):
    with pytest.raises(ldn.LdnsimError) as caught:
        ldn.sweep(question, DOSES, **options)
    assert said in str(caught.value)


def test_a_scheduler_that_is_not_there(question, idle, tmp_path):
    begun = time.monotonic()
    with pytest.raises(ldn.LdnsimError, match=r"no scheduler answers at 'tcp://127\.0\.0\.1:1'"):
        ldn.sweep(question, DOSES, scheduler="tcp://127.0.0.1:1", store=tmp_path / "a.zarr")
    with pytest.raises(ldn.LdnsimError, match="no scheduler answers at 'nonsense'"):
        ldn.sweep(question, DOSES, scheduler="nonsense", store=tmp_path / "a.zarr")
    assert time.monotonic() - begun < 30
    assert list(tmp_path.glob("*.zarr")) == []


def test_what_fits_neither_memory_nor_disk(question, idle, tmp_path):
    many = {"population.size": ["100000000"], "night.dose": {"from": "1 mg", "to": "6 mg", "points": 1000}}
    with pytest.raises(ldn.LdnsimError, match=r"needs .* TB of memory; .* is free"):
        ldn.sweep(question, many)
    with pytest.raises(ldn.LdnsimError, match=r"needs up to .* TB on the disk of .*; .* is free"):
        ldn.sweep(question, many, store=tmp_path / "a.zarr")
    assert list(tmp_path.glob("*.zarr")) == []


def test_a_run_that_does_not_fit_into_memory(question, monkeypatch):
    monkeypatch.setattr(simulation, "free_memory", lambda: 2e9)
    ldn.simulate(question.with_changes({"population.size": 2}))
    with pytest.raises(ldn.LdnsimError, match=r"this run needs .* GB of memory, and 2 GB are free"):
        ldn.simulate(question.with_changes({"population.size": 1_000_000}))


def test_sizes_and_durations_as_people_read_them():
    assert [memory.size_text(size) for size in (12, 1.5e6, 3e18)] == ["12 B", "1.5 MB", "3,000 PB"]
    assert [forecast.duration_text(s) for s in (0.1, 60, 600, 7200, 4e5)] == ["1 s", "60 s", "10 min", "2.0 h", "4.6 d"]


def test_a_cell_that_cannot_be_stays_with_its_reason(question):
    """The time constant is of one alternative only; and a loop without threshold has no rhythm."""
    axes = {
        "receptors": ["receptors_fixed", "receptors_upregulated"],
        "receptors.t_R": ["x 1", "x 2"],
        "endorphin.th0": ["x 1", "x 0"],
    }
    grid = ldn.sweep(question, axes)
    unfit = grid.sel({"receptors": "receptors_fixed"})
    assert (unfit.status == -3).all()
    assert all("receptors.t_R" in text for text in unfit.reason.values.ravel())
    still = grid.sel({"receptors": "receptors_upregulated", "endorphin.th0": 0})
    assert (still.status == 1).all()
    assert all("no drug-free rhythm" in text for text in still.reason.values.ravel())
    assert np.isnan(still.opioid_tone_mean).all()
    alone = question.with_changes({"receptors": "receptors_upregulated", "receptors.t_R": "x 2"})
    well = grid.sel({"receptors": "receptors_upregulated", "receptors.t_R": 2, "endorphin.th0": 1})
    np.testing.assert_array_equal(well.opioid_tone_mean, ldn.summarize(ldn.simulate(alone)).opioid_tone_mean)
    failed, whole, reasons = overview.failures(grid)
    assert (failed, whole) == (12, 16)
    assert sum(reasons.values()) == 12


def test_cells_of_different_populations(question):
    grid = ldn.sweep(question, {"population.size": [2, 4]})
    assert grid.subject.values.tolist() == [1, 2, 3, 4]
    assert (grid.status.sel({"population.size": 2}, drop=True)[..., 2:] == -2).all()
    assert overview.failures(grid)[:2] == (0, 2 * (2 + 4))
    whole = ldn.summarize(ldn.simulate(question.with_changes({"population.size": 4})))
    np.testing.assert_array_equal(grid.opioid_tone_mean[1], whole.opioid_tone_mean)
    np.testing.assert_array_equal(grid.opioid_tone_mean[0, ..., :2], whole.opioid_tone_mean[..., :2])


def test_axes_on_a_command_line():
    assert axes_of(["a.b=1 mg, 2 mg"]) == {"a.b": ["1 mg", "2 mg"]}
    assert axes_of(["a=0.7 ng/mL..4.7 ng/mL/9/log"]) == {
        "a": {"from": "0.7 ng/mL", "to": "4.7 ng/mL", "points": "9", "scale": "log"}
    }
    assert axes_of(["a=0.7 ng/mL..4.7 ng/mL"]) == {"a": {"from": "0.7 ng/mL", "to": "4.7 ng/mL"}}
    assert axes_of([]) is None
    assert design_of("sobol:64:3") == {"kind": "sobol", "cells": "64", "seed": "3"}
    with pytest.raises(ldn.LdnsimError) as caught:
        axes_of(["a", "b=1", "b=2"])
    assert len(caught.value.faults) == 2
    with pytest.raises(ldn.LdnsimError, match="KIND:CELLS"):
        design_of("a:1:2:3")


def run(capsys, monkeypatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["ldnsim", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    said = capsys.readouterr()
    return int(caught.value.code or 0), said.out, said.err


def test_the_command(question, tmp_path, capsys, monkeypatch):
    del question
    monkeypatch.chdir(tmp_path)
    command = ["sweep", "question.yaml", "-o", "a.zarr", "--axis", "endorphin.th0=x 1,x 0", "--format", "csv,parquet"]
    code, out, err = run(capsys, monkeypatch, *command)
    assert code == 3
    assert "1 block" in err
    assert "2 of 4 could not be solved" in out
    assert "no drug-free rhythm" in out
    assert max(map(len, out.splitlines())) <= 80
    rows = pd.read_csv("a.csv")  # a row per cell, account and arm
    assert rows[["endorphin.th0", "account", "arm", "status"]].values.tolist() == [
        [1.0, "transient", "night", 0],
        [1.0, "pet_pool", "night", 0],
        [0.0, "transient", "night", 1],
        [0.0, "pet_pool", "night", 1],
    ]
    about = (tmp_path / "a.csv-metadata.json").read_text()
    assert '"unit": "h"' in about
    assert "format: ldnsim-scenario/1" in about
    frame = pd.read_parquet("a.parquet")
    assert frame["opioid_tone_mean"].notna().tolist() == [True, True, False, False]
    assert frame.attrs["column_units"]["opioid_tone_time_of_peak"] == "h"
    assert "format: ldnsim-scenario/1" in frame.attrs["scenario_text"]
    code, out, err = run(capsys, monkeypatch, *command[:-2], "--set", "night.dose=1 mg")
    assert code == 1
    assert "a.zarr holds a different sweep: not the same changes" in err
    assert "Traceback" not in err
    code, _, err = run(capsys, monkeypatch, *command[:4], "--shard", "1/2", "--format", "cvs")
    assert code == 1
    assert "did you mean 'csv'?" in err
    code, _, err = run(capsys, monkeypatch, "merge", "b.zarr")
    assert code == 1
    assert "no shards of b.zarr" in err


def test_people_as_tables(question, tmp_path, monkeypatch):
    from ldnsim.report.output_files import write_sweep

    people = ldn.sweep(question.with_changes({"population.size": 30}), DOSES)
    csv = write_sweep(tmp_path / "a.zarr", people, ["csv", "parquet"])
    assert [path.name for path in csv] == ["a.csv", "a.csv-metadata.json", "a.parquet"]
    rows = pd.read_csv(tmp_path / "a.csv")
    assert len(rows) == 4
    cell = people.opioid_tone_mean.sel({"night.dose": 3, "account": "pet_pool", "arm": "night"})
    row = rows[(rows["night.dose"] == 3) & (rows.account == "pet_pool")]
    assert row.opioid_tone_mean_p50.item() == pytest.approx(float(cell.median()), rel=1e-12)
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert len(frame) == 2 * 2 * 30
    tidy = frame[(frame["night.dose"] == 3) & (frame.account == "pet_pool")].sort_values("subject")
    np.testing.assert_array_equal(tidy.opioid_tone_mean, cell)
    assert sorted(path.name for path in tmp_path.glob("a.*")) == ["a.csv", "a.csv-metadata.json", "a.parquet"]
