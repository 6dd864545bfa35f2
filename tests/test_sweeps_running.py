"""Where sweeps run and what they survive: stores that are gone on with, killed processes, full disks, clusters."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import ldnsim as ldn
from ldnsim.metrics.summary import over_people
from ldnsim.sweeps import layout, sweep
from ldnsim.sweeps.blocks import BlockComputer

AXES = {"night.dose": ["1.5 mg", "3 mg", "4.5 mg"], "night.at": ["20:00", "22:00"]}
ARGUMENTS = ["--axis", "night.dose=1.5 mg,3 mg,4.5 mg", "--axis", "night.at=20:00,22:00"]
NIGHT = '{input: oral, dose: 4.5 mg, at: "22:00"}'
SMALL = "from ldnsim.sweeps import layout; layout.MAX_PEOPLE = layout.LEAST_STRETCH = 40"


@pytest.fixture
def question(ask):
    return ask("2 d", "[transient]", extra="population: {size: 120, seed: 1}\nreport: [opioid_tone]", night=NIGHT)


@pytest.fixture
def small_blocks(monkeypatch):
    """Eighteen blocks of forty people."""
    monkeypatch.setattr(layout, "MAX_PEOPLE", 40)
    monkeypatch.setattr(layout, "LEAST_STRETCH", 40)


def started(code: str, *arguments: str, cwd: Path) -> subprocess.Popen[str]:
    whole = f"import sys; sys.argv[0] = 'ldnsim'; {SMALL}; {code}; from ldnsim.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", whole, *arguments], cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def blocks_in(store: Path) -> int:
    return sum(1 for file in store.glob("status/c/**/*") if file.is_file() and not file.name.startswith("."))


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happens"
        time.sleep(0.02)


def test_a_store_opens_in_plain_xarray(question, tmp_path):
    kept = ldn.sweep(question, AXES, store=tmp_path / "a.zarr")
    with xr.open_zarr(tmp_path / "a.zarr") as read:  # warnings are errors
        xr.testing.assert_equal(read.load(), ldn.sweep(question, AXES))
        assert read.opioid_tone_mean.attrs["evidence"] == "hypothesis"
        assert read["night.dose"].attrs["units"] == "mg"
        assert "format: ldnsim-scenario/1" in read.attrs["scenario_text"]
        assert len(read.attrs["model_hash"]) == 64
    assert kept.opioid_tone_mean.dims == ("night.dose", "night.at", "account", "arm", "subject")


def test_it_goes_on_where_it_stopped(question, tmp_path, small_blocks, monkeypatch):
    """Ctrl-C after five blocks: they are kept, and are not computed again."""
    computed, arrays = [], BlockComputer.arrays

    def stopped(self, block, threads=1):
        if len(computed) == 5:
            raise KeyboardInterrupt
        computed.append(block.number)
        return arrays(self, block, threads)

    monkeypatch.setattr(BlockComputer, "arrays", stopped)
    with pytest.raises(KeyboardInterrupt):
        ldn.sweep(question, AXES, store=tmp_path / "a.zarr", workers=1)
    there = blocks_in(tmp_path / "a.zarr")
    assert 4 <= there <= 5  # the block in flight may be lost
    with xr.open_zarr(tmp_path / "a.zarr") as partial:
        assert int((partial.status == -1).sum()) == 720 - 40 * there
        assert np.isnan(partial.opioid_tone_mean.where(partial.status == -1)).all()
    again = []

    def counted(self, block, threads=1):
        again.append(block.number)
        return arrays(self, block, threads)

    monkeypatch.setattr(BlockComputer, "arrays", counted)
    resumed = ldn.sweep(question, AXES, store=tmp_path / "a.zarr", workers=2)
    assert len(again) == 18 - there
    monkeypatch.undo()
    xr.testing.assert_identical(resumed.load().drop_attrs(), ldn.sweep(question, AXES).drop_attrs())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_loses_only_blocks_in_flight(question, tmp_path, small_blocks, how):
    slow = (
        "import time; from ldnsim.sweeps.blocks import BlockComputer; arrays = BlockComputer.arrays; "
        "BlockComputer.arrays = lambda self, *a: (time.sleep(0.1), arrays(self, *a))[1]"
    )
    command = ["sweep", "question.yaml", "-o", "a.zarr", "--workers", "2", *ARGUMENTS]
    process = started(slow, *command, cwd=tmp_path)
    wait_for(lambda: blocks_in(tmp_path / "a.zarr") >= 4)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    there = blocks_in(tmp_path / "a.zarr")
    assert 4 <= there < 18
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "the same command continues from there" in said
        assert "Traceback" not in said
    process = started("pass", *command, cwd=tmp_path)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert f"{18 - there} blocks" in said  # the forecast tells only what is left
    assert "opioid_tone mean" in printed
    with xr.open_zarr(tmp_path / "a.zarr") as read:
        xr.testing.assert_equal(read.load(), ldn.sweep(question, AXES))


def test_a_store_of_another_sweep_is_refused(question, tmp_path):
    ldn.sweep(question, AXES, store=tmp_path / "a.zarr")
    before = sorted((file, file.stat().st_mtime_ns) for file in (tmp_path / "a.zarr").rglob("*"))
    for other, said in (
        (lambda: ldn.sweep(question, {**AXES, "night.at": ["20:00", "22:30"]}, store=tmp_path / "a.zarr"), "axes"),
        (lambda: ldn.sweep(question.with_changes({"population.seed": 2}), AXES, store=tmp_path / "a.zarr"), "changes"),
        (
            lambda: ldn.sweep(question, AXES, store=tmp_path / "a.zarr", rtol=1e-7),
            "rtol (1e-06 in the store, 1e-07 requested)",
        ),
        (lambda: ldn.sweep(question, AXES, store=tmp_path / "a.zarr", keep="courses"), "keep"),
    ):
        with pytest.raises(ldn.LdnsimError) as caught:
            other()
        assert f"not the same {said}" in str(caught.value)
    assert sorted((file, file.stat().st_mtime_ns) for file in (tmp_path / "a.zarr").rglob("*")) == before


def test_what_is_no_store_is_refused_and_left_alone(question, tmp_path):
    (tmp_path / "file.zarr").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.doc").write_text("mine")
    xr.Dataset({"x": ("y", [1.0])}).to_zarr(tmp_path / "other.zarr", consolidated=False)
    for name, said in (
        ("file.zarr", "is a file"),
        ("folder", "not the store of a sweep"),
        ("other.zarr", "not the store of a sweep"),
    ):
        with pytest.raises(ldn.LdnsimError, match=said):
            ldn.sweep(question, AXES, store=tmp_path / name)
    assert (tmp_path / "file.zarr").read_text() == "mine"
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["thesis.doc"]


def test_a_full_disk_is_told_and_gone_on_from(question, tmp_path, small_blocks, monkeypatch):
    written, write = [0], Path.write_bytes

    def full(self, content):
        written[0] += len(content)
        if written[0] > 40_000:
            write(self, content[: len(content) // 2])  # as a disk does
            raise OSError(28, "No space left on device")
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ldn.LdnsimError, match="No space left on device") as caught:
        ldn.sweep(question, AXES, store=tmp_path / "a.zarr")
    assert "continues from there" in str(caught.value)
    assert 0 < blocks_in(tmp_path / "a.zarr") < 18
    monkeypatch.setattr(Path, "write_bytes", write)
    xr.testing.assert_equal(ldn.sweep(question, AXES, store=tmp_path / "a.zarr").load(), ldn.sweep(question, AXES))


def test_a_block_that_failed_is_reported_and_tried_again(question, tmp_path, small_blocks, monkeypatch):
    arrays = BlockComputer.arrays

    def failing(self, block, threads=1):
        if block.number == 7:
            raise MemoryError("no more of it")
        return arrays(self, block, threads)

    monkeypatch.setattr(BlockComputer, "arrays", failing)
    with pytest.raises(ldn.LdnsimError, match="block 8 of 18 failed: MemoryError: no more of it"):
        ldn.sweep(question, AXES, store=tmp_path / "a.zarr")
    assert blocks_in(tmp_path / "a.zarr") == 17
    monkeypatch.setattr(BlockComputer, "arrays", arrays)
    xr.testing.assert_equal(ldn.sweep(question, AXES, store=tmp_path / "a.zarr").load(), ldn.sweep(question, AXES))


def test_shards_and_their_merge(question, tmp_path, small_blocks):
    store = tmp_path / "a.zarr"
    for shard in ("1/3", "3/3"):
        ldn.sweep(question, AXES, store=store, shard=shard)
    assert blocks_in(tmp_path / "a.1-of-3.zarr") == 6
    with pytest.raises(ldn.LdnsimError, match="shard 2/3 is missing"):
        ldn.merge_shards(store)
    assert not store.exists()
    ldn.sweep(question, AXES, store=store, shard="2/3")
    lost = next(file for file in (tmp_path / "a.2-of-3.zarr" / "status").glob("c/**/*") if file.is_file())
    lost.rename(tmp_path / "kept")
    with pytest.raises(ldn.LdnsimError, match="shard 2/3 is incomplete: 1 of its 6 blocks are missing"):
        ldn.merge_shards(store)
    (tmp_path / "kept").rename(lost)
    merged = ldn.merge_shards(store)
    whole = ldn.sweep(question, AXES, store=tmp_path / "b.zarr")
    xr.testing.assert_identical(merged.load(), whole.load())
    shutil.rmtree(tmp_path / "a.1-of-3.zarr")
    ldn.sweep(question, AXES, store=store)  # it is the store of the whole sweep, without anything left to do
    with pytest.raises(ldn.LdnsimError, match="already exists"):
        ldn.merge_shards(store)


def test_shards_of_different_sweeps_do_not_merge(question, tmp_path, small_blocks):
    ldn.sweep(question, AXES, store=tmp_path / "a.zarr", shard="1/2")
    ldn.sweep(question.with_changes({"population.seed": 2}), AXES, store=tmp_path / "a.zarr", shard="2/2")
    with pytest.raises(ldn.LdnsimError, match="shard of a different sweep: not the same changes"):
        ldn.merge_shards(tmp_path / "a.zarr")
    with pytest.raises(ldn.LdnsimError, match="no shards"):
        ldn.merge_shards(tmp_path / "b.zarr")


@pytest.mark.parametrize("where", ["memory", "store"])
def test_quantiles_are_those_of_the_people(question, tmp_path, small_blocks, where):
    store = tmp_path / "a.zarr" if where == "store" else None
    found = ldn.sweep(question, AXES, keep="quantiles", store=store)
    people = over_people(ldn.sweep(question, AXES))
    assert found.opioid_tone_mean.dims == ("night.dose", "night.at", "account", "arm", "quantile")
    for name in people.data_vars:
        np.testing.assert_array_equal(found[name], people[name], err_msg=str(name))
    assert (found.n_people == 120).all()
    if store:
        assert not (tmp_path / ".a.zarr.people").exists()
        assert ldn.sweep(question, AXES, keep="quantiles", store=store).identical(found)
        with xr.open_zarr(store) as read:
            xr.testing.assert_identical(read.load(), found.load())


def cluster(tmp_path: Path) -> tuple[list[subprocess.Popen[str]], str]:
    """A scheduler and two workers, each a process of one thread."""
    about = tmp_path / "scheduler.json"
    run = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    run += ["--no-dashboard", "--no-jupyter", "--scheduler-file", str(about)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "text": True}
    processes = [subprocess.Popen(run, **quiet)]
    wait_for(about.exists)
    run = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(about), "--nthreads", "1"]
    run += ["--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path / "workers")]
    environment = {**os.environ, "LDNSIM_TEST_WORKER": "1"}
    processes += [subprocess.Popen(run, env=environment, **quiet) for _ in range(2)]
    return processes, json.loads(about.read_text())["address"]


def test_a_cluster_that_loses_a_worker_gives_the_same_bits(question, tmp_path, small_blocks):
    processes, address = cluster(tmp_path)
    written, write = [], sweep.Store.write

    def killing(self, block, found):
        write(self, block, found)
        written.append(block.number)
        if len(written) == 5:
            processes[1].kill()

    try:
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        sweep.Store.write = killing
        found = ldn.sweep(question, AXES, store=tmp_path / "a.zarr", scheduler=address)
    finally:
        sweep.Store.write = write
        for process in processes:
            process.kill()
            process.wait()
    assert sorted(written) == list(range(18))
    xr.testing.assert_equal(found.load(), ldn.sweep(question, AXES))
