"""The cells of a sweep: their changes, and their coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.units import coherent, parse_quantity
from ldnsim.scenario.changes import resolve
from ldnsim.scenario.design import SAMPLED, Ends, Range, ends_of, number_of, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.foundation.fields import Change
    from ldnsim.scenario.changes import Resolved
    from ldnsim.scenario.design import Design
    from ldnsim.scenario.scenario import Scenario

__all__ = ["CELL", "Cells", "cells_of", "sampled_cells"]

CELL = "cell"
SHORT = {"days": "d", "hours": "h", "minutes": "min", "seconds": "s"}  # xarray takes the long names for time spans
MAX_WRITTEN = 200  # up to this many values are also stored as written
KINDS = {"clock": "Clock time", "factor": "Factor on what the scenario says", "quantity": "", "whole": ""}


@dataclass(frozen=True)
class CellAxis:
    """One address with its `values`, or with `numbers` (cells,) from a range.

    If cells are sampled, `picks` (cells,) are the indices of their values.
    """

    address: str
    values: tuple[Change, ...] = ()
    picks: np.ndarray | None = None
    ends: Ends | None = None
    numbers: np.ndarray | None = None

    def change(self, index: int) -> Change:
        if self.ends is not None and self.numbers is not None:
            return self.ends.text(float(self.numbers[index]))
        return self.values[index if self.picks is None else int(self.picks[index])]

    def coordinate(self) -> tuple[np.ndarray, dict[str, Any]]:
        """Numbers with a unit if all values are on one scale, else strings; and their attributes."""
        if self.ends is not None and self.numbers is not None:
            return self.numbers, _labels(self.address, self.ends.kind, self.ends.unit)
        found, labels = _scaled(self.address, self.values)
        if len(self.values) <= MAX_WRITTEN:
            labels["written"] = [_written(value) for value in self.values]
        return (found if self.picks is None else found[self.picks]), labels


@dataclass(frozen=True)
class Cells:
    """All cells: `dims` and `shape` of their grid (one dim `cell` for other designs), and the axes."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    axes: tuple[CellAxis, ...]

    def __len__(self) -> int:
        return math.prod(self.shape)

    def changes(self, cell: int) -> dict[str, Change]:
        """The changes of a cell: address -> value."""
        if self.dims == (CELL,):
            return {axis.address: axis.change(cell) for axis in self.axes}
        places = np.unravel_index(cell, self.shape)
        return {axis.address: axis.change(int(place)) for axis, place in zip(self.axes, places, strict=True)}

    def resolved(self, cell: int, scenario: Scenario) -> Resolved:
        """The scenario of a cell with its changes applied; raises LdnsimError if they are incompatible."""
        return resolve(scenario)

    def coordinates(self) -> dict[str, Any]:
        """Coordinates in the form that xarray takes: name -> (dim, values, attributes)."""
        dims = self.dims * len(self.axes) if self.dims == (CELL,) else self.dims
        found = {axis.address: (dim, *axis.coordinate()) for axis, dim in zip(self.axes, dims, strict=True)}
        if self.dims == (CELL,):
            found[CELL] = (CELL, np.arange(len(self)), {"long_name": "Cell of the design"})
        return found

    def probes(self, most: int) -> list[int]:
        """Some cells that together contain each value of each axis of a grid; of other designs, the first cells."""
        if self.dims == (CELL,):
            return list(range(min(len(self), most)))
        found = {0: None}
        for axis, length in enumerate(self.shape):
            step = math.prod(self.shape[axis + 1 :])
            found |= {place * step: None for place in range(length)}
        return list(found)[:most]


def cells_of(scenario: Scenario) -> Cells:
    """The cells of the scenario's own sweep and design, which have been checked."""
    design, swept = scenario.design, scenario.sweep
    if design.kind in SAMPLED:
        return sampled_cells(scenario, _shares(design, len(swept)))
    axes = tuple(CellAxis(address, values_of(address, axis)) for address, axis in swept.items())
    if design.kind == "list":
        return Cells((CELL,), (len(axes[0].values),), axes)
    return Cells(tuple(axis.address for axis in axes), tuple(len(axis.values) for axis in axes), axes)


def sampled_cells(scenario: Scenario, shares: np.ndarray) -> Cells:
    """Cells at `shares` (cells, axes), each 0 to 1: the position on the range or list of each axis."""
    axes = []
    for column, (address, axis) in zip(shares.T, scenario.sweep.items(), strict=True):
        if isinstance(axis, Range):
            ends = ends_of(address, axis)
            axes.append(CellAxis(address, ends=ends, numbers=ends.at(column)))
        else:
            picks = np.minimum((column * len(axis)).astype(int), len(axis) - 1)
            axes.append(CellAxis(address, tuple(axis), picks=picks))
    return Cells((CELL,), (len(shares),), tuple(axes))


def _shares(design: Design, axes: int) -> np.ndarray:
    """Points of the unit cube (cells, axes)."""
    from scipy.stats import qmc  # imported late: it costs a second

    cells = design.cells or 1
    stream = np.random.default_rng(design.seed)
    if design.kind == "sobol":
        return np.asarray(qmc.Sobol(axes, scramble=True, seed=stream).random(cells))
    if design.kind == "latin_hypercube":
        return np.asarray(qmc.LatinHypercube(axes, seed=stream).random(cells))
    return stream.random((cells, axes))


def _scaled(address: str, values: Sequence[Change]) -> tuple[np.ndarray, dict[str, Any]]:
    try:
        numbers = [number_of(value) for value in values]
        kinds = {kind for kind, _, _ in numbers}
        if len(kinds) > 1:
            raise LdnsimError("values of several kinds")
        kind, _, unit = numbers[0]
        if kind == "quantity":
            scale = parse_quantity(f"1 {unit}")
            if {parse_quantity(value).dimension for value in values} != {scale.dimension}:
                raise LdnsimError("values of several units")
            found = [
                number if other == unit else coherent(parse_quantity(value)) / coherent(scale)
                for value, (_, number, other) in zip(values, numbers, strict=True)
            ]
        else:
            found = [number for _, number, _ in numbers]
    except LdnsimError:  # names and lists are not on a scale
        return np.array([_written(value) for value in values], dtype=object), {"long_name": address}
    return np.array(found), _labels(address, kind, unit)


def _labels(address: str, kind: str, unit: str) -> dict[str, Any]:
    what = f" ({KINDS[kind].lower()})" if KINDS[kind] else ""
    return {"units": SHORT.get(unit, unit), "long_name": f"{address}{what}"}


def _written(value: Change) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
