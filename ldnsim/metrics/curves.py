"""Curves -> metrics, as plain arrays: what a day of one person amounts to. `metrics` says the same of Datasets.

Between samples every output is a straight line: a threshold is crossed where that line crosses it, and areas above
and below are split there. Concentration areas are linear-up/log-down instead (see `nca`). A window [a, b] takes the
samples at both ends and interpolates them if there are none; the sample after a dose at b is not part of it.

A row is one person in one arm. Rows are taken a few at a time, so that they stay in the processor's
cache; sums run along the times of one row, so that its bits do not depend on the company.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldnsim.metrics import nca

__all__ = ["METRICS", "Curves", "Measure", "hours_above", "measures"]

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

UNBLOCKED = 0.20  # blockade under this leaves receptors free
REBOUND = 1.02  # a ratio to the drug-free twin above this is a rebound
SOME = 0.05  # of its own peak: less of an effect is next to nothing
FLAT = 1e-6  # a relative change below this is the solver's, not the output's
NUMBERS_AT_ONCE = 40_000  # of one output: a fraction of a processor's own cache

# metric: what it is, and its unit ({} is that of the output)
METRICS = {
    "peak": ("highest value", "{}"),
    "trough": ("lowest value", "{}"),
    "mean": ("mean over time", "{}"),
    "time_of_peak": ("clock time of the highest value", "h"),
    "hours_to_peak": ("time of the highest value after the start of the window", "h"),
    "halved_hours": ("hours with less than half of what the first arm has at the same time", "h"),
    "least_of_first": ("lowest share of what the first arm has at the same time", "1"),
    "hours_above_50": ("hours above 50 %", "h"),
    "hours_above_80": ("hours above 80 %", "h"),
    "unblocked_hours": ("hours with blockade under 20 %", "h"),
    "rebound_peak": ("highest excess over the drug-free twin, 0 if never above it", "1"),
    "rebound_clock_time": ("clock time of the highest ratio to the drug-free twin", "h"),
    "rebound_hours": ("hours more than 2 % above the drug-free twin", "h"),
    "rebound_area": ("area of the ratio to the drug-free twin above 1", "h"),
    "suppressed_area": ("area of the ratio to the drug-free twin below 1", "h"),
    "net_area": ("area of the ratio to the drug-free twin above 1 less that below", "h"),
    "mean_while_unblocked": ("mean ratio to the drug-free twin while blockade is under 20 %", "1"),
    "Cmax": ("highest concentration", "{}"),
    "Tmax": ("time of the highest concentration after the dose before it", "h"),
    "AUC_tau": ("area under the curve over the window", "{}*h"),
    "AUC_inf": ("area under the curve from the last dose on, earlier doses' remainder included", "{}*h"),
    "AUC_inf_extrapolated": ("share of AUC_inf beyond the last sample", "1"),
    "t_half": ("terminal half-life after the last dose", "h"),
    "t_half_span": ("half-lives that the terminal slope was seen for; under 2 is little", "1"),
}


@dataclass(frozen=True)
class Curves:
    """One output: `values` (rows, times); `twin` (twins, times) without drug, or None; the output's labels; `doses`
    (rows, dose), h, NaN-padded, above zero, that it is about."""

    values: Floats
    twin: Floats | None
    kind: str
    relative_to: str | None
    doses: Floats


class Measure(NamedTuple):
    """A metric of all rows; `reason` says why there is none (None: a solved output always has it)."""

    output: str
    metric: str
    values: Floats
    reason: Texts | None


class _Window(NamedTuple):
    """The times of a metrics window, h, and how to read curves there."""

    time: Floats
    grid: Floats
    stretch: slice | None  # of the times, where they hold all of the grid

    def read(self, curves: Floats) -> Floats:
        if self.stretch is not None:
            return curves[..., self.stretch]
        return nca.read_at(self.time, curves, self.grid)


def measures(
    time: Floats, grid: Floats, outputs: Mapping[str, Curves], twin_of: NDArray[np.int_], first_of: NDArray[np.int_]
) -> list[Measure]:
    """Every metric of every output over the window sampled at `grid` (see `nca.times_between`), h.

    `twin_of` (rows,) is the row of each one's twin, `first_of` (rows,) that of the same person in the first arm.
    Metrics after the last dose look beyond the window, to the last of `time`.
    """
    rows = len(twin_of)
    first = int(np.searchsorted(time, grid[0]))
    stretch = slice(first, first + len(grid))
    window = _Window(time, grid, stretch if np.array_equal(time[stretch], grid) else None)
    step = max(1, NUMBERS_AT_ONCE // len(grid))
    pieces = [
        _of_piece(window, outputs, twin_of, first_of, slice(at, at + step)) for at in range(0, max(rows, 1), step)
    ]
    if len(pieces) == 1:
        return pieces[0]
    return [
        Measure(
            same[0].output,
            same[0].metric,
            np.concatenate([piece.values for piece in same]),
            None if same[0].reason is None else np.concatenate([piece.reason for piece in same]),
        )
        for same in zip(*pieces, strict=True)
    ]


def _of_piece(
    window: _Window, outputs: Mapping[str, Curves], twin_of: NDArray[np.int_], first_of: NDArray[np.int_], some: slice
) -> list[Measure]:
    """As `measures`, of some of the rows."""
    found: list[Measure] = []
    twin_of, first_of = twin_of[some], first_of[some]
    blocking = next((curves for curves in outputs.values() if curves.kind == "blockade"), None)
    gate = None if blocking is None else window.read(blocking.values[some])
    for name, curves in outputs.items():
        values = window.read(curves.values[some])
        of_output = [_of_any(window.grid, values)]
        if curves.kind in ("blockade", "occupancy"):
            of_output.append(_of_occupancy(window.grid, values, curves.kind))
        if curves.kind == "effect":
            of_output.append(_of_effect(window.grid, values, window.read(curves.values[first_of])))
        if curves.kind == "endogenous":
            twin = None
            if curves.relative_to == "drug_free":
                twin = np.ones_like(values)
            elif curves.twin is not None:
                twin = window.read(curves.twin[twin_of])
            of_output.append(_of_rebound(window.grid, values, twin, gate))
        if curves.kind == "concentration":
            doses = curves.doses[some]
            of_output.append(_of_concentration(window.grid, values, doses))
            last_dose, reason = nca.after_last_dose(window.time, curves.values[some], doses)
            of_output.append((metric, found, reason) for metric, found in last_dose.items())
        found += [Measure(name, *measure) for some_measures in of_output for measure in some_measures]
    return found


Found = Iterator[tuple[str, Floats, Texts | None]]


def hours_above(time: Floats, values: Floats, level: float) -> Floats:
    """Hours that `values` (..., n) on `time` (n,), h, spend above `level`, crossings interpolated; shape (...)."""
    return np.asarray((np.diff(time) * _share_above(values - level)).sum(axis=-1))


def area_above(time: Floats, values: Floats, level: float) -> Floats:
    """Area between `values` (..., n) and `level` where they are above it, unit of values times h; shape (...)."""
    above = np.maximum(values - level, 0.0)
    height = (above[..., :-1] + above[..., 1:]) / 2.0
    return np.asarray((np.diff(time) * _share_above(values - level) * height).sum(axis=-1))


def mean_while_below(time: Floats, values: Floats, gate: Floats, level: float) -> Floats:
    """Mean over time of `values` (..., n) while `gate` (..., n) is below `level`, NaN if never; shape (...)."""
    share = _share_above(level - gate)
    # The part of an interval that counts lies at its start if the gate is open there, else at its end.
    middle = np.where(gate[..., :-1] < level, share / 2.0, 1.0 - share / 2.0)
    hours = np.diff(time) * share
    area = (hours * (values[..., :-1] + np.diff(values) * middle)).sum(axis=-1)
    total = hours.sum(axis=-1)
    return np.asarray(np.divide(area, total, out=np.full_like(total, np.nan), where=total > 0))


def _share_above(excess: Floats) -> Floats:
    """Share of each interval between samples in which a straight line through `excess` (..., n) is above 0."""
    positive, size = np.maximum(excess, 0.0), np.abs(excess)
    total = size[..., :-1] + size[..., 1:]
    share = positive[..., :-1] + positive[..., 1:]
    nothing = total == 0
    total[nothing] = 1.0  # the share is 0 there already; dividing only where there is something takes longer
    return np.asarray(np.divide(share, total, out=share))


def area(time: Floats, values: Floats) -> Floats:
    return np.asarray((np.diff(time) * (values[..., :-1] + values[..., 1:]) / 2.0).sum(axis=-1))


def _time_of_highest(grid: Floats, values: Floats) -> Floats:
    """The first time of the highest value, h; NaN where values are missing, which argmax would take for the highest."""
    return np.where(np.isnan(values).any(axis=-1), np.nan, grid[values.argmax(axis=-1)])


def _of_any(grid: Floats, values: Floats) -> Found:
    peak, trough = values.max(axis=-1), values.min(axis=-1)
    flat = peak - trough <= FLAT * np.maximum(np.abs(peak), np.abs(trough))
    yield "peak", peak, None
    yield "trough", trough, None
    yield "mean", area(grid, values) / (grid[-1] - grid[0]), None
    yield "time_of_peak", _time_of_highest(grid, values) % 24.0, _text(flat, "the output does not change")


def _of_occupancy(grid: Floats, values: Floats, kind: str) -> Found:
    yield "hours_above_50", hours_above(grid, values, 0.5), None
    yield "hours_above_80", hours_above(grid, values, 0.8), None
    if kind == "blockade":
        yield "unblocked_hours", hours_above(grid, -values, -UNBLOCKED), None


def _of_effect(grid: Floats, values: Floats, first: Floats) -> Found:
    """When an effect is largest, and how far and how long it is below that of the `first` arm at the same time.

    Where the first arm has next to nothing itself (under SOME of its own peak), nothing counts.
    """
    none = _text(values.max(axis=-1) <= 0, "there is no effect")
    yield "hours_to_peak", _time_of_highest(grid, values) - grid[0], none
    peak = first.max(axis=-1)
    counts = first > SOME * peak[..., None]
    alone = _text(peak <= 0, "the first arm has no effect")
    yield "halved_hours", hours_above(grid, np.where(counts, first / 2.0 - values, -np.abs(first)), 0.0), alone
    share = np.divide(values, first, out=np.full_like(values, np.inf), where=counts)
    yield "least_of_first", np.where(peak > 0, share.min(axis=-1), np.nan), alone


def _of_rebound(grid: Floats, values: Floats, twin: Floats | None, blockade: Floats | None) -> Found:
    """Rebound and suppression, from the ratio of `values` to the drug-free `twin` at the same clock time."""
    ratio = np.full_like(values, np.nan)
    if twin is not None:
        np.divide(values, twin, out=ratio, where=True if bool(twin.min() > 0) else twin > 0)
    top = ratio.max(axis=-1)
    alone = _text(np.full(top.shape, twin is None), "the result holds no drug-free twin of this output")
    never = _text(top <= REBOUND, f"the ratio to the drug-free twin never exceeds {REBOUND:g}")
    yield "rebound_peak", np.maximum(top - 1.0, 0.0), alone
    yield "rebound_clock_time", _time_of_highest(grid, ratio) % 24.0, alone + never
    yield "rebound_hours", hours_above(grid, ratio, REBOUND), alone
    yield "rebound_area", area_above(grid, ratio, 1.0), alone
    yield "suppressed_area", area_above(grid, -ratio, -1.0), alone
    yield "net_area", area(grid, ratio - 1.0), alone
    gate = np.full_like(values, np.nan) if blockade is None else blockade
    unknown = _text(np.full(top.shape, blockade is None), "the result holds no blockade of receptors")
    blocked = _text(gate.min(axis=-1) >= UNBLOCKED, "blockade never falls under 20 %")
    reason = np.where(alone != "", alone, unknown + blocked)
    yield "mean_while_unblocked", mean_while_below(grid, ratio, gate, UNBLOCKED), reason


def _of_concentration(grid: Floats, values: Floats, doses: Floats) -> Found:
    """Peak and area over the window; `doses` (..., dose), h, NaN where there is none."""
    cmax, peak_time = values.max(axis=-1), _time_of_highest(grid, values)
    dose = nca.latest_dose(doses, peak_time)
    zero = _text(cmax <= 0, "the concentration is zero")
    undosed = _text((cmax > 0) & np.isnan(dose), "no dose was taken at or before the peak")
    given = np.full(cmax.shape, "", dtype=object)
    yield "Cmax", cmax, given
    yield "Tmax", peak_time - dose, zero + undosed
    yield "AUC_tau", nca.auc(grid, values), given


def _text(condition: NDArray[np.bool_], text: str) -> Texts:
    """`text` where `condition` holds, else ""; same shape."""
    found = np.full(condition.shape, "", dtype=object)
    found[condition] = text
    return found
