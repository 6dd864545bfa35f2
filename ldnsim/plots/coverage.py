"""How far human data cover an output, and the words for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.metrics.attributes import OBSERVED_DOSES, OBSERVED_HOURS, inputs_of_output
from ldnsim.plots.curves import first_dose, number, title_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["EXTRAPOLATED", "HUMAN", "Coverage", "coverage"]

HUMAN, EXTRAPOLATED = "human\u00a0data", "extrapolated"  # the words that a heading marks; with no-break spaces


@dataclass(frozen=True)
class Coverage:
    """Human data cover `start`, the first dose, to `end` (h since midnight of day 1), in at least one arm drawn."""

    start: float
    end: float
    words: str


def coverage(result: xr.Dataset, output: str, arms: Sequence[str]) -> Coverage | None:
    """How far human data cover an output; None without the attribute `observed_hours` or without doses."""
    attrs = result[output].attrs
    reach = number(attrs.get(OBSERVED_HOURS))
    inputs = inputs_of_output(result[output])
    firsts = {arm: dose for arm in arms if (dose := first_dose(result, arm, inputs)) is not None}
    if reach is None or not firsts:
        return None
    unit = str(result["dose_amount"].attrs.get("units", "mg"))
    ends = np.sort(np.ravel(np.asarray(attrs.get(OBSERVED_DOSES, ()), dtype=float)))
    low, high = (float(ends[0]), float(ends[-1])) if ends.size else (-np.inf, np.inf)
    tolerance = 1e-9 * abs(high) if np.isfinite(high) else 0.0
    within = [time + reach for time, amount in firsts.values() if low - tolerance <= amount <= high + tolerance]
    start = min(time for time, _ in firsts.values())
    doses = "" if not ends.size else f" of {low:g} {unit}" if low == high else f" of {low:g} to {high:g} {unit}"
    if not within:
        return Coverage(start, start, f"{HUMAN} are on a single dose{doses}, {EXTRAPOLATED} throughout")
    outside = [
        title_of(result, "arm", arm) or arm
        for arm, (_, amount) in firsts.items()
        if not low - tolerance <= amount <= high + tolerance
    ]
    also = f" (throughout for {', '.join(outside)})" if outside else ""
    words = f"{HUMAN} to {reach:g} h after a single dose{doses}, {EXTRAPOLATED} beyond{also}"
    return Coverage(start, max(within), words)
