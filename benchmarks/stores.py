"""What it costs to write the blocks of a sweep into a store: as the package does, through zarr, and through xarray.

    python benchmarks/stores.py               under a minute

The blocks are those of `benchmarks/sweeps.py`, computed before the clock starts. All three write the same variables,
with the same chunks and compression, into a store that was made beforehand; the results are compared.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from sweeps import planned  # noqa: E402

from ldnsim.sweeps.blocks import BlockComputer  # noqa: E402
from ldnsim.sweeps.plan import SweepPlan  # noqa: E402
from ldnsim.sweeps.store import Store, encoded  # noqa: E402

DRAWN = {"night.dose": {"from": "1 mg", "to": "6 mg"}, "occupancy.EC50": {"from": "0.7 ng/mL", "to": "4.7 ng/mL"}}
CASES: dict[str, dict[str, Any]] = {
    "20,000 people": {"people": 20_000},
    "10,000 cells of one person": {"people": 1, "axes": DRAWN, "design": {"kind": "latin_hypercube", "cells": 10_000}},
}
TRIES = 3
Blocks = list[tuple[Any, dict[str, np.ndarray]]]


def by_ldnsim(plan: SweepPlan, blocks: Blocks, path: Path) -> None:
    store = Store(path, plan)
    for block, found in blocks:
        store.write(block, encoded(plan, block, found))


def by_zarr(plan: SweepPlan, blocks: Blocks, path: Path) -> None:
    group = zarr.open_group(path, mode="r+")
    arrays = {name: group[name] for name in plan.variables}
    for block, found in blocks:
        for name, array in found.items():
            arrays[name][plan.region(name, block)] = array


def by_xarray(plan: SweepPlan, blocks: Blocks, path: Path) -> None:
    for block, found in blocks:
        region: dict[str, slice] = {}
        for name in found:
            region |= dict(zip(plan.variables[name].dims, plan.region(name, block), strict=True))
        data = xr.Dataset({name: (plan.variables[name].dims, array) for name, array in found.items()})
        data.to_zarr(path, region={dim: region[dim] for dim in data.dims})


def seconds(write: Callable[[SweepPlan, Blocks, Path], None], plan: SweepPlan, blocks: Blocks, path: Path) -> float:
    Store(path, plan)  # coordinates and metadata, which all three find there
    begun = time.perf_counter()
    write(plan, blocks, path)
    return time.perf_counter() - begun


def main() -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}, zarr {zarr.__version__}, xarray {xr.__version__}")
    for title, asked in CASES.items():
        plan = planned(**asked)
        computer = BlockComputer(plan)
        blocks = [(block, computer.arrays(block)) for block in map(plan.layout.block, range(len(plan.layout)))]
        count = sum(len(found) for _, found in blocks)
        print(f"{title}: {len(blocks)} blocks of {count // len(blocks)} variables")
        first = None
        with tempfile.TemporaryDirectory() as folder:
            for write in (by_ldnsim, by_zarr, by_xarray):
                paths = [Path(folder) / f"{write.__name__}_{n}.zarr" for n in range(TRIES)]
                best = min(seconds(write, plan, blocks, path) for path in paths)
                with xr.open_zarr(paths[0], chunks=None) as stored:
                    whole = stored.load()
                first = first or (best, whole)
                same = "" if whole.equals(first[1]) else ", NOT the same values"
                spent, ratio = 1e3 * best / len(blocks), best / first[0]
                print(f"  {write.__name__:10}{spent:7.1f} ms a block, {ratio:5.1f} times ldnsim's{same}")


if __name__ == "__main__":
    main()
