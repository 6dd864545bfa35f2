"""Sweeps: every cell has the bits of a run by itself, whatever the design, the blocks and the workers."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import ldnsim as ldn
from ldnsim.simulation import solve as solving
from ldnsim.sweeps import blocks, layout

NIGHT = '{input: oral, dose: 4.5 mg, at: "22:00"}'
MORNING = '{input: oral, dose: 4.5 mg, at: "08:00"}'


@pytest.fixture
def question(ask):
    return ask("2 d", "[transient, pet_pool]", night=NIGHT, morning=MORNING)


def assert_is_alone(cell: xr.Dataset, alone: xr.Dataset) -> None:
    """Every variable of the one is in the other, to the bit."""
    assert set(cell.data_vars) == set(alone.data_vars)
    for name, data in alone.data_vars.items():
        np.testing.assert_array_equal(cell[name].values, data.values, err_msg=str(name))
        if name not in ("status", "reason"):
            assert cell[name].attrs["long_name"] == data.attrs["long_name"]


def test_a_grid_has_its_axes_as_dims_and_each_cell_the_bits_of_a_run(question):
    axes = {"night.dose": ["1.5 mg", "3 mg"], "occupancy.EC50": ["x 0.5", "x 1", "x 2"], "morning.at": ["07:00"]}
    grid = ldn.sweep(question, axes)
    assert grid.opioid_tone_mean.dims == ("night.dose", "occupancy.EC50", "morning.at", "account", "arm")
    assert grid["night.dose"].values.tolist() == [1.5, 3]
    assert grid["night.dose"].attrs["units"] == "mg"
    assert grid["occupancy.EC50"].values.tolist() == [0.5, 1, 2]
    assert grid["occupancy.EC50"].attrs["written"] == ["x 0.5", "x 1", "x 2"]
    assert grid["morning.at"].values.tolist() == [7]
    for dose, factor in ((0, 2), (1, 0), (1, 1)):
        changes = {name: values[at] for (name, values), at in zip(axes.items(), (dose, factor, 0), strict=True)}
        alone = ldn.summarize(ldn.simulate(question.with_changes(changes)))
        assert_is_alone(grid.isel({"night.dose": dose, "occupancy.EC50": factor, "morning.at": 0}), alone)


def test_people_are_those_of_a_run(question, monkeypatch):
    monkeypatch.setattr(layout, "MAX_PEOPLE", 7)
    monkeypatch.setattr(layout, "LEAST_STRETCH", 3)
    population = question.with_changes({"population.size": 20, "population.seed": 4})
    grid = ldn.sweep(population, {"night.dose": ["1.5 mg", "3 mg"], "occupancy.EC50": ["x 0.5", "x 1", "x 2"]})
    alone = ldn.summarize(ldn.simulate(population.with_changes({"night.dose": "3 mg", "occupancy.EC50": "x 2"})))
    assert grid.subject.values.tolist() == list(range(1, 21))
    assert_is_alone(grid.isel({"night.dose": 1, "occupancy.EC50": 2}), alone)


def test_doses_that_are_drawn_and_missed(ask):
    line = '{input: oral, dose: 4.5 mg, at: "22:00", miss: 60 %, jitter: 1 h}'
    question = ask("3 d", "[transient]", extra="population: {size: 12, seed: 2}", night=line)
    grid = ldn.sweep(question, {"night.miss": ["30 %", "60 %", "100 %"]})
    for at, share in enumerate(["30 %", "60 %", "100 %"]):
        alone = ldn.summarize(ldn.simulate(question.with_changes({"night.miss": share})))
        assert_is_alone(grid.isel({"night.miss": at}), alone)


@pytest.mark.parametrize("workers", [1, 3])
def test_blocks_and_workers_do_not_move_a_bit(question, monkeypatch, workers):
    axes = {"night.dose": ["1.5 mg", "3 mg", "4 mg"], "night.at": ["20:00", "22:00"]}
    whole = ldn.sweep(question, axes)
    monkeypatch.setattr(layout, "MAX_PEOPLE", 2)
    assert ldn.sweep(question, axes, workers=workers).identical(whole)


def test_sampled_designs_have_cells(question):
    axes = {
        "night.dose": {"from": "1 mg", "to": "6 mg"},
        "occupancy.EC50": {"from": "0.5 ng/mL", "to": "4 ng/mL", "scale": "log"},
        "night.at": {"from": "20:00", "to": "02:00"},
        "receptors": ["receptors_fixed", "receptors_upregulated"],
    }
    for kind in ("latin_hypercube", "sobol", "random"):
        table = ldn.sweep(question, axes, design={"kind": kind, "cells": 8, "seed": 3})
        assert table.opioid_tone_mean.dims == ("cell", "account", "arm")
        assert table["night.dose"].dims == ("cell",)
        dose, constant, clock = table["night.dose"].values, table["occupancy.EC50"].values, table["night.at"].values
        assert ((dose >= 1) & (dose <= 6)).all()
        assert ((constant >= 0.5) & (constant <= 4)).all()
        assert ((clock >= 20) | (clock <= 2)).all()
        if kind != "random":
            assert sorted(np.floor((dose - 1) / 5 * 8)) == list(range(8))  # one in each eighth of the range
            assert sorted(np.floor(np.log(constant / 0.5) / np.log(8) * 8)) == list(range(8))
            assert sorted(table["receptors"].values) == ["receptors_fixed"] * 4 + ["receptors_upregulated"] * 4
        assert ldn.sweep(question, axes, design={"kind": kind, "cells": 8, "seed": 3}).identical(table)
        other = ldn.sweep(question, axes, design={"kind": kind, "cells": 8, "seed": 4})
        assert not np.array_equal(other["night.dose"], dose)
    changes = {
        "night.dose": f"{float(dose[5])!r} mg",
        "occupancy.EC50": f"{float(constant[5])!r} ng/mL",
        "night.at": f"{int(clock[5]):02d}:{round(clock[5] % 1 * 60):02d}",
        "receptors": str(table["receptors"].values[5]),
    }
    assert_is_alone(table.isel(cell=5), ldn.summarize(ldn.simulate(question.with_changes(changes))))


def test_a_list_takes_its_axes_side_by_side(question):
    table = ldn.sweep(
        question, {"night.dose": ["1 mg", "2 mg"], "night.at": ["20:00", "23:00"]}, design={"kind": "list"}
    )
    assert dict(table.sizes) == {"cell": 2, "account": 2, "arm": 2}
    alone = ldn.summarize(ldn.simulate(question.with_changes({"night.dose": "2 mg", "night.at": "23:00"})))
    assert_is_alone(table.isel(cell=1), alone)


def test_courses_are_those_of_a_run(question):
    axes = {"night.dose": ["1.5 mg", "3 mg"], "night.at": ["20:00", "22:30"]}
    grid = ldn.sweep(question, axes, keep="courses")
    alone = ldn.simulate(question.with_changes({"night.dose": "3 mg", "night.at": "22:30"}))
    cell = grid.isel({"night.dose": 1, "night.at": 1}).sel(time=alone.time)
    for name in (
        "Cp",
        "endorphin",
        "endorphin_drug_free",
        "opioid_tone",
        "status",
        "reason",
        "dose_time",
        "dose_amount",
    ):
        np.testing.assert_array_equal(cell[name], alone[name])
    asked = ldn.sweep(question, axes, keep="courses", times=[0, 12, 47.5])
    assert asked.time.values.tolist() == [0, 12, 47.5]


def test_the_scenario_s_own_sweep(ask):
    extra = "sweep: {night.dose: [1.5 mg, 3 mg], occupancy.EC50: {from: 0.5 ng/mL, to: 2 ng/mL, scale: log, points: 3}}"
    table = ldn.sweep(ask("1 d", "[transient]", extra=extra, night=NIGHT))
    np.testing.assert_allclose(table["occupancy.EC50"], [0.5, 1, 2], rtol=1e-14)
    assert table.Cp_Cmax.shape == (2, 3, 1, 1)


def test_what_an_axis_does_not_touch_is_solved_once(question, monkeypatch):
    """Three doses at night: one twin and one morning for each account, three nights; one call for a structure."""
    calls, solve = [], solving.choose.solver

    def counted(*asked):
        solver = solve(*asked)

        def with_count(system, parameters, *rest, **windows):
            calls.append(len(parameters))
            return solver(system, parameters, *rest, **windows)

        return with_count

    monkeypatch.setattr(solving.choose, "solver", counted)
    found = solving.solve
    monkeypatch.setattr(blocks, "solve", lambda *given: [calls.clear(), found(*given)][1])
    ldn.sweep(question, {"night.dose": ["1 mg", "2 mg", "3 mg"]})
    assert sorted(calls) == [1, 1, 4, 4]  # each account: its twin, then three nights and a morning
    ldn.sweep(question, {"occupancy.f": ["x 1", "x 2"]})  # a parameter of the brain pool only
    assert sorted(calls) == [1, 2, 2, 4]


def test_the_native_solver_is_the_default_and_the_other_can_be_asked_for(ask):
    question = ask("1 d", "[transient]", extra="report: [Cp, mu_occupancy]", night=NIGHT)
    axes = {"night.dose": ["1.5 mg", "4.5 mg"]}
    usual, native, slow = (
        ldn.sweep(question, axes, **how) for how in ({}, {"solver": "native"}, {"solver": "reference"})
    )
    for name in ("Cp_Cmax", "Cp_AUC_tau", "mu_occupancy_mean"):
        np.testing.assert_array_equal(usual[name], native[name])
        np.testing.assert_allclose(usual[name], slow[name], rtol=1e-4)
    assert not np.array_equal(usual.Cp_AUC_tau, slow.Cp_AUC_tau)  # another solver, indeed


def test_courses_of_runs_that_end_at_different_hours(ask):
    question = ask("1 d", "[transient]", extra="report: [Cp]", night=NIGHT)
    grid = ldn.sweep(question, {"duration": ["1 d", "2 d"]}, keep="courses")
    assert float(grid.time[-1]) == 48
    short, long = (grid.Cp.isel(duration=number) for number in (0, 1))
    assert np.isnan(short.sel(time=slice(24.01, None))).all()
    assert np.isfinite(short.sel(time=slice(None, 24))).all()
    assert np.isfinite(long).all()
