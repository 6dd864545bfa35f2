"""The doses that a calendar shows: of one person and arm, as arrays; their legend entries and largest amounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ldnsim.dosing.dose_text import dose_text
from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.plots.selection import with_picked
from ldnsim.plots.style import COLOURWAY, ladder
from ldnsim.scenario.scenario import Scenario
from ldnsim.simulation.dose_variables import planned_intake

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CalendarDoses", "doses_in_arm", "doses_of_person", "largest_doses", "legend_entries"]

Floats = NDArray[np.float64]

MAX_KINDS = 8  # doses with a legend entry of their own
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "star", "hexagon")


@dataclass(frozen=True)
class CalendarDoses:
    """The doses of one arm, arrays (d,): taken at `time` (h), `late` hours after the planned time."""

    time: Floats
    late: Floats
    label: Floats  # mg, as labelled
    taken: Floats  # mg, as contained
    infuse: Floats  # h
    way: NDArray[np.object_]


def doses_of_person(of: xr.Dataset | Scenario, subject: int) -> tuple[xr.Dataset, str]:
    """The doses of one person, and the words of the title that name the person."""
    if isinstance(of, Scenario):
        return planned_intake(of, subject), f", person {subject}" if of.population else ""
    of = with_picked(of)
    if "dose_time" not in of:
        raise LdnsimError("There is nothing to draw: the dataset holds no doses (`dose_time`).")
    names = [name for name in of.data_vars if str(name).split("_")[0] in ("dose", "missed")]
    data = of[names] if "time" not in of.coords else of[names].assign_coords(time=of["time"])
    data.attrs = dict(of.attrs)
    known = [int(each) for each in of["subject"].values] if "subject" in of.dims else [1]
    if subject not in known:
        expected = f"{known[0]} to {known[-1]}" if len(known) > 1 else str(known[0])
        raise LdnsimError(Fault(f"the result has no person {subject}", expected=expected))
    return (data.sel(subject=subject), f", person {subject} of {len(known)}") if "subject" in of.dims else (data, "")


def doses_in_arm(data: xr.Dataset, dim: str) -> CalendarDoses:
    """The doses of one person in one arm, without padding."""

    def column(name: str, otherwise: Any) -> Any:
        return data[f"{dim}_{name}"].values if f"{dim}_{name}" in data else np.full(there.shape, otherwise)

    there = data[f"{dim}_time"].values.astype(float) if f"{dim}_time" in data else np.empty(0)
    amount = column("amount", 0.0)
    found = (there, column("late", 0.0), amount, column("taken", 0.0), column("infuse", 0.0), column("input", ""))
    keep = np.isfinite(there)
    time, late, amount, taken, infuse, way = (np.asarray(each)[keep] for each in found)
    return CalendarDoses(
        time, late, amount, taken if f"{dim}_taken" in data else amount, np.nan_to_num(infuse), way.astype(object)
    )


def legend_entries(arms: Iterable[CalendarDoses]) -> dict[tuple[str, float], tuple[str, str, str]]:
    """(input, mg) -> (name in the legend, colour, symbol); many doses of one input share a name."""
    seen = [(str(way), float(mg)) for doses in arms for way, mg in zip(doses.way, doses.label, strict=True)]
    ways = list(dict.fromkeys(way for way, _ in seen))
    found = sorted(set(seen), key=lambda kind: (ways.index(kind[0]), kind[1]))
    sizes = sorted({mg for _, mg in found})
    colours = dict(zip(sizes, ladder(len(sizes)) if len(sizes) > 1 else COLOURWAY, strict=False))
    kinds = {}
    for way, mg in found:
        own = [size for each, size in found if each == way]
        alone = len(found) <= MAX_KINDS or len(own) == 1
        name = dose_text(mg, "mg", way) if alone else f"{own[0]:.6g} to {dose_text(own[-1], 'mg', way)}"
        kinds[way, mg] = name, colours[mg], SYMBOLS[ways.index(way) % len(SYMBOLS)]
    return kinds


def largest_doses(arms: Iterable[CalendarDoses]) -> dict[str, float]:
    """The largest dose of each input, mg: on the scale of a 380 mg depot, tablets would not be seen."""
    largest: dict[str, float] = {}
    for doses in arms:
        for way, mg in zip(doses.way, np.fmax(doses.taken, doses.label), strict=True):
            largest[str(way)] = max(largest.get(str(way), 0.0), float(mg))
    return largest
