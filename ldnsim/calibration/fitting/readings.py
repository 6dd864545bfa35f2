"""A datum's counterpart in a curve. Each reading moves smoothly with the curve, so that differences of neighbours tell
a slope: the time of a peak is that of a parabola through the highest sample and those beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.fields import hours
from ldnsim.metrics import nca
from ldnsim.metrics.catalogue import metric_named
from ldnsim.metrics.measuring import read_metric
from ldnsim.metrics.nca import COINCIDENT, value_at

if TYPE_CHECKING:
    from ldnsim.library.fit_file import Fact
    from ldnsim.metrics.nca import Floats

__all__ = ["reading"]


def reading(fact: Fact, times: Floats, curves: Floats, doses: Floats, moments: dict[str, Floats]) -> Floats:
    """What each of the curves (lanes, times) says of a fact, shape (lanes,), in the output's unit.

    `doses` are the times, h, of what the arm takes; `moments` the estimated times by name, each (lanes,).
    """
    if fact.at is not None:
        value = value_at(times, curves, _moment(fact.at, moments, len(curves)))
        if fact.over is None:
            return value
        return _ratio(value, value_at(times, curves, _moment(fact.over, moments, len(curves))))
    start, end = map(hours, fact.window) if fact.window else (times[0], times[-1])
    if fact.metric in SMOOTH:
        grid = nca.times_between(times, start, end)
        return SMOOTH[fact.metric](grid, nca.read_at(times, curves, grid), doses)
    metric = metric_named(fact.metric)
    assert metric is not None  # checked when the file was read
    return read_metric(metric, times, curves, (start, end), doses)


def _moment(moment: float | str, moments: dict[str, Floats], lanes: int) -> Floats:
    return moments[moment] if isinstance(moment, str) else np.full(lanes, moment)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0))


def _vertex(grid: Floats, curves: Floats) -> tuple[Floats, Floats]:
    """Time and height of the parabola through the highest sample of each curve and its neighbours."""
    top = np.nan_to_num(curves, nan=-np.inf).argmax(axis=-1)
    middle = np.clip(top, 1, max(1, grid.size - 2))
    rows = np.arange(len(curves))
    time, height = grid[top], curves[rows, top]
    if grid.size < 3:
        return time, height
    left, right = grid[middle - 1] - grid[middle], grid[middle + 1] - grid[middle]
    apart = (left < -COINCIDENT) & (right > COINCIDENT)  # no parabola at a jump, whose samples coincide
    left, right = np.where(apart, left, -1.0), np.where(apart, right, 1.0)
    peak = curves[rows, middle]
    below, above = (curves[rows, middle - 1] - peak) / left, (curves[rows, middle + 1] - peak) / right
    bend = (above - below) / (right - left)
    slope = below - bend * left
    inside = apart & (top == middle) & (bend < 0)
    shift = np.divide(-slope, 2 * bend, out=np.zeros_like(slope), where=inside)
    return time + np.where(inside, shift, 0.0), height + np.where(inside, slope * shift / 2, 0.0)


def _tmax(grid: Floats, curves: Floats, doses: Floats) -> Floats:
    peak = _vertex(grid, curves)[0]
    return peak - nca.latest_dose(np.broadcast_to(doses, (len(peak), len(doses))), peak)


def _smooth_peak(grid: Floats, curves: Floats, doses: Floats) -> Floats:
    del doses
    return _vertex(grid, curves)[1]


def _smooth_trough(grid: Floats, curves: Floats, doses: Floats) -> Floats:
    del doses
    return -_vertex(grid, -curves)[1]


# metrics of the registry that jump from sample to sample as a parameter moves, and what takes their place in a fit
SMOOTH: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "Cmax": _smooth_peak,
    "peak": _smooth_peak,
    "trough": _smooth_trough,
    "Tmax": _tmax,
}
