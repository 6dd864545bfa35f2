"""What a sweep costs beyond the engine, and that it stays within its memory, in one table.

    python benchmarks/sweeps.py                 everything: some minutes on two quiet cores
    python benchmarks/sweeps.py --people 5000   smaller

One account and one arm of `night_vs_morning`: 28 daily doses, four outputs, metrics only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

import ldnsim as ldn  # noqa: E402
from ldnsim.sweeps.blocks import BlockComputer  # noqa: E402
from ldnsim.sweeps.cells import cells_of  # noqa: E402
from ldnsim.sweeps.plan import SweepPlan, plan_of  # noqa: E402
from ldnsim.sweeps.sweep import with_sweep  # noqa: E402

MANY = 100_000
MILLION = 1_000_000
TRIES = 8
PAIRS = 3


def question(people: int) -> Any:
    scenario = ldn.load_scenario("night_vs_morning")
    scenario = scenario.model_copy(update={"accounts": ("pet_pool",), "arms": {"night": scenario.arms["night"]}})
    return scenario if people == 1 else scenario.with_changes({"population.size": people})


def planned(people: int, axes: dict[str, Any] | None = None, design: dict[str, Any] | None = None) -> SweepPlan:
    asked = with_sweep(question(people), axes, design)
    return plan_of(asked, cells_of(asked))


class Clock:
    """Seconds of this thread that go by in some functions."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def on(self, module: Any, name: str, label: str) -> None:
        timed = getattr(module, name)

        def wrapped(*arguments: Any, **options: Any) -> Any:
            begun = time.thread_time()
            try:
                return timed(*arguments, **options)
            finally:
                self.spent[label] = self.spent.get(label, 0.0) + time.thread_time() - begun

        setattr(module, name, wrapped)


def of_a_block() -> dict[str, float]:
    """Processor seconds of one block of a thousand people on one thread: engine, metrics, all; the quickest of some."""
    from ldnsim.engine import native
    from ldnsim.simulation import solve as solving
    from ldnsim.sweeps import blocks
    from ldnsim.sweeps.store import encoded

    plan = planned(MANY)
    clock = Clock()
    clock.on(native, "solve", "engine")  # twin and arm
    clock.on(solving, "periodic_states", "engine")
    computer = BlockComputer(plan)
    clock.on(blocks, "measured", "metrics")
    computer.arrays(plan.layout.block(0))
    best: dict[str, float] = {}
    for number in range(1, TRIES + 1):
        clock.spent.clear()
        begun = time.thread_time()
        block = plan.layout.block(number)
        encoded(plan, block, computer.arrays(block))
        whole = time.thread_time() - begun
        if not best or whole < best["whole"]:
            best = {**clock.spent, "whole": whole}
    return best


def of_a_sweep(people: int, store: str, workers: int) -> dict[str, float]:
    """Seconds and peak memory, MB, of a process that does nothing else."""
    scenario = question(people)
    ldn.sweep(question(10))  # compiled
    begun = time.perf_counter()
    ldn.sweep(scenario, store=store, workers=workers)
    return {"seconds": time.perf_counter() - begun, "peak": peak_memory()}


def of_the_engine(people: int, threads: int) -> dict[str, float]:
    """Seconds of the engine alone for the same rows, recording the same window: orbit, twin and arm, in pieces of a
    thousand."""
    import numpy as np

    from ldnsim.dosing.events import schedules_of
    from ldnsim.engine import native
    from ldnsim.engine.orbit import periodic_states
    from ldnsim.engine.pieces import shared_windows
    from ldnsim.scenario.changes import resolve
    from ldnsim.simulation import solve as solving
    from ldnsim.simulation.people import doses_of, parameters_of
    from ldnsim.simulation.provenance import shown_outputs

    scenario = question(people)
    resolved = resolve(scenario)
    setting = resolved.settings[0]
    system, shown = solving.composed(scenario.model, setting.parts), list(shown_outputs(scenario))
    times, window = BlockComputer(planned(people))._times(scenario, resolved)  # the very ones of the sweep
    assert window is not None
    end, clock = float(times[-1]), np.arange(25.0)
    spent = 0.0
    for first in range(1, people + 1, 1000):
        subjects = range(first, min(first + 1000, people + 1))
        parameters = parameters_of(scenario.model, system, setting, resolved, subjects)
        schedules = schedules_of(doses_of(scenario, resolved, "night", subjects), scenario.model, system, parameters)
        begun = time.perf_counter()
        start, _, _ = periodic_states(system, parameters, outputs=shown, threads=threads)
        day, recorded = shared_windows(len(parameters), [(0.0, 24.0)]), shared_windows(len(parameters), [window])
        nobody = [()] * len(parameters)
        native.solve(system, parameters, start, nobody, clock, shown, windows=day, threads=threads)
        native.solve(
            system, parameters, start, schedules, np.array([0.0, end]), shown, windows=recorded, threads=threads
        )
        spent += time.perf_counter() - begun
    return {"seconds": spent}


def of_cells(cells: int) -> dict[str, float]:
    """Seconds of a Sobol design over a dose and a parameter, one typical person a cell."""
    scenario = question(1)
    axes = {
        "night.dose": {"from": "1 mg", "to": "6 mg"},
        "occupancy.EC50": {"from": "0.7 ng/mL", "to": "4.7 ng/mL", "scale": "log"},
    }
    ldn.sweep(scenario, axes, design={"kind": "latin_hypercube", "cells": 10})  # compiled, scipy loaded
    begun = time.perf_counter()
    ldn.sweep(scenario, axes, design={"kind": "latin_hypercube", "cells": cells})
    return {"seconds": time.perf_counter() - begun}


def of_a_cluster(people: int, folder: str, workers: int) -> dict[str, float]:
    """Seconds of a sweep on so many Dask workers, each a process of one thread."""
    from distributed import Client, LocalCluster

    scenario = question(people)
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        client.wait_for_workers(workers)
        address = cluster.scheduler_address
        ldn.sweep(scenario.with_changes({"population.size": 1000 * workers * 2}), scheduler=address)  # all compiled
        begun = time.perf_counter()
        ldn.sweep(scenario, store=folder, scheduler=address)
        return {"seconds": time.perf_counter() - begun}


def killed(people: int, store: Path) -> tuple[int, int, float]:
    """Blocks kept of a sweep on two threads that is killed on its way, all of them, and seconds to go on to the end."""
    command = [sys.executable, str(HERE / "sweeps.py"), "--child", "sweep", str(people), str(store), "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
    whole = len(planned(people).layout)
    while process.poll() is None and blocks_in(store) < whole // 3:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = blocks_in(store)
    return kept, whole, child("sweep", people, store, 2)["seconds"]


def blocks_in(store: Path) -> int:
    return sum(1 for file in store.glob("status/c/**/*") if file.is_file() and not file.name.startswith("."))


def peak_memory() -> float:
    """MB, of this process."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def child(*arguments: Any) -> dict[str, float]:
    """A part of this file in a process of its own."""
    command = [sys.executable, str(HERE / "sweeps.py"), "--child", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise SystemExit(done.stderr[-2000:])
    found: dict[str, float] = json.loads(lines[-1])
    return found


def table(people: int) -> None:
    """Measure and print, line by line."""
    print(f"{platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    block = child("block")
    layer = block["whole"] - block["engine"] - block["metrics"]
    print(
        f"a block of 1,000 people, one thread: engine {block['engine'] * 1e3:.0f} ms, metrics "
        f"{block['metrics'] * 1e3:.0f} ms, the rest {layer * 1e3:.0f} ms "
        f"({100 * layer / block['engine']:.0f} % of the engine)"
    )
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        some = min(people, 20_000)
        pairs = [
            (child("engine", some, 2)["seconds"], child("sweep", some, here / f"p{turn}.zarr", 2)["seconds"])
            for turn in range(PAIRS)
        ]
        alone, swept = (min(times) for times in zip(*pairs, strict=True))
        print(
            f"{some:,} people, two threads, into a store: {swept:.1f} s; engine alone {alone:.1f} s: "
            f"{alone / swept:.2f} of its throughput (quickest of {PAIRS} each)"
        )
        small, found = child("sweep", people // 2, here / "b.zarr", 2), child("sweep", people, here / "a.zarr", 2)
        size = sum(file.stat().st_size for file in (here / "a.zarr").rglob("*") if file.is_file())
        grown = (found["peak"] - small["peak"]) * 1e6 / (people / 2)
        print(f"{people:,} people: {found['seconds']:.0f} s, peak {found['peak']:.0f} MB")
        print(
            f"memory grows by {grown:.0f} B per person: {MILLION:,} people take about "
            f"{found['peak'] + grown * 1e-6 * (MILLION - people):.0f} MB, "
            f"{found['seconds'] * MILLION / people / 60:.0f} min and {size * MILLION / people / 1e9:.2f} GB on disk"
        )
        cells = max(100, people // 10)
        spent = child("cells", cells)["seconds"]
        print(f"{cells:,} cells of one person: {spent:.1f} s, {spent / cells * 1e3:.2f} ms each")
        pairs = [
            (
                child("cluster", some, here / f"c{turn}.zarr", 1)["seconds"],
                child("cluster", some, here / f"d{turn}.zarr", 2)["seconds"],
            )
            for turn in range(PAIRS)
        ]
        one, two = (min(times) for times in zip(*pairs, strict=True))
        print(f"Dask, {some:,} people: one worker {one:.1f} s, two {two:.1f} s: {one / two:.2f} times as fast")
        kept, whole, left = killed(some, here / "k.zarr")
        print(f"killed with {kept} of {whole} blocks written, gone on from there in {left:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=MANY)
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not asked.child:
        table(asked.people)
        return
    part, *rest = asked.child
    match part:
        case "block":
            found = of_a_block()
        case "engine":
            found = of_the_engine(int(rest[0]), int(rest[1]))
        case "sweep":
            found = of_a_sweep(int(rest[0]), rest[1], int(rest[2]))
        case "cells":
            found = of_cells(int(rest[0]))
        case _:
            found = of_a_cluster(int(rest[0]), rest[1], int(rest[2]))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
