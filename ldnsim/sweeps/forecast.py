"""Resources of a sweep: memory and disk from its plan, time from its first block."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.simulation.memory import free_memory, size_text

if TYPE_CHECKING:
    from pathlib import Path

    from ldnsim.sweeps.plan import SweepPlan

__all__ = ["Forecast", "duration_text", "forecast"]

COPIES = 5  # copies of a block's courses at the same time: of the solver, in output units, for metrics
BASE = 150e6  # bytes of the process itself: Python, libraries, compiled models
SLACK = 1.02  # factor for metadata on disk


@dataclass(frozen=True)
class Forecast:
    """Bytes of memory and disk, the number of blocks left, and their time in s once one block is done."""

    blocks: int
    people: int
    memory: float
    disk: float
    free: float
    seconds: float = math.nan

    def text(self) -> str:
        """One line."""
        parts = [f"{self.blocks:,} blocks of at most {self.people:,} people"]
        if not math.isnan(self.seconds):
            parts.append(f"about {duration_text(self.seconds)}")
        parts.append(f"{size_text(self.memory)} of memory")
        if self.disk:
            parts.append(f"at most {size_text(self.disk)} on disk ({size_text(self.free)} free)")
        return ", ".join(parts)


def forecast(plan: SweepPlan, blocks: int, workers: int, store: Path | None) -> Forecast:
    """The forecast for a number of blocks; raises LdnsimError if memory or disk are too small."""
    layout = plan.layout
    people = math.prod(layout.chunk) * layout.stretch
    rows = people * plan.sizes["account"] * plan.sizes["arm"]
    times = plan.sizes.get("time", 400)
    shown = sum(1 for variable in plan.variables.values() if variable.kind == "f8")
    outputs = shown if plan.keep == "courses" else 8
    memory = BASE + workers * rows * times * outputs * 8 * COPIES
    share = blocks / len(layout)
    disk, free = 0.0, math.inf
    if store is None:
        memory += plan.bytes
    else:
        disk = plan.bytes * share * SLACK
        folder = next(parent for parent in (store.absolute(), *store.absolute().parents) if parent.exists())
        free = float(shutil.disk_usage(folder).free)
    available = free_memory()
    faults = []
    if memory > available:
        message = f"the sweep needs {size_text(memory)} of memory; {size_text(available)} is free"
        expected = "a store on disk, keep='metrics' or 'quantiles', fewer cells or people, or fewer workers"
        faults.append(Fault(message, expected=expected))
    if disk > free:
        message = f"the sweep needs up to {size_text(disk)} on the disk of {store}; {size_text(free)} is free"
        faults.append(Fault(message, expected="another disk, keep='metrics' or 'quantiles', fewer cells or people"))
    if faults:
        raise LdnsimError(faults)
    return Forecast(blocks, people, memory, disk, free)


def duration_text(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} d"
