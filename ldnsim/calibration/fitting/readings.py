"""A datum's counterpart in a curve. Each reading moves smoothly with the curve, so that differences of neighbours tell
a slope: the time of a peak is that of a parabola through the highest sample and those beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.fields import hours
from ldnsim.metrics import nca
from ldnsim.metrics.curves import area, hours_above

if TYPE_CHECKING:
    from ldnsim.library.fit_file import Fact
    from ldnsim.metrics.nca import Floats

__all__ = ["reading", "value_at"]

COINCIDENT = 1e-6  # h


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
    grid = nca.times_between(times, start, end)
    assert fact.metric is not None
    return METRICS[fact.metric](grid, nca.read_at(times, curves, grid), doses)


def value_at(times: Floats, curves: Floats, at: Floats) -> Floats:
    """Each curve (lanes, times) at its own time (lanes,), along a cubic through the four samples around it; of samples
    that coincide, before and after a dose, the cubic takes the later."""
    found = np.empty(len(curves))
    apart = np.flatnonzero(np.append(np.diff(times) > COINCIDENT, True))
    for lane, (curve, moment) in enumerate(zip(curves, at, strict=True)):
        place = int(np.searchsorted(times, moment))
        if place < len(times) and times[place] == moment:
            found[lane] = curve[place]
            continue
        first = min(max(int(np.searchsorted(times[apart], moment)) - 2, 0), max(len(apart) - 4, 0))
        x, y = times[apart[first : first + 4]], curve[apart[first : first + 4]]
        gaps = x[:, None] - x[None, :] + np.eye(len(x))
        shares = (moment - x)[None, :] * (1 - np.eye(len(x))) + np.eye(len(x))
        found[lane] = float(np.sum(y * np.prod(shares / gaps, axis=1)))
    return found


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


def _half_life(grid: Floats, curves: Floats, doses: Floats) -> Floats:
    """log(2) over the slope of the straight line through the logarithm, weighted by the time that samples stand for;
    NaN where the curve is zero or does not fall."""
    del doses
    positive = np.all(curves > 0, axis=-1)
    y = np.log(np.where(positive[:, None], curves, 1.0))
    weight = np.gradient(grid) if grid.size > 1 else np.ones(1)
    centred = grid - np.average(grid, weights=weight)
    slope = (y * weight * centred).sum(axis=-1) / (weight * centred**2).sum()
    falling = positive & (slope < 0)
    return np.where(falling, np.log(2.0) / np.where(falling, -slope, 1.0), np.nan)


def _mean(grid: Floats, curves: Floats, doses: Floats) -> Floats:
    del doses
    return np.asarray(area(grid, curves) / (grid[-1] - grid[0]))


METRICS: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "Cmax": lambda grid, curves, doses: _vertex(grid, curves)[1],
    "peak": lambda grid, curves, doses: _vertex(grid, curves)[1],
    "trough": lambda grid, curves, doses: -_vertex(grid, -curves)[1],
    "Tmax": _tmax,
    "AUC_tau": lambda grid, curves, doses: nca.auc(grid, curves),
    "AUC_inf": lambda grid, curves, doses: nca.exposure(grid, curves).auc_inf,
    "half_life": _half_life,
    "mean": _mean,
    "hours_above_50": lambda grid, curves, doses: hours_above(grid, curves, 0.5),
    "hours_above_80": lambda grid, curves, doses: hours_above(grid, curves, 0.8),
}
