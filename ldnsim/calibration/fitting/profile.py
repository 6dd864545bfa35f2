"""Precision of the estimates: covariance at the optimum, and the profile likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.stats import chi2

from ldnsim.calibration.fitting.search import Minimum, descend

if TYPE_CHECKING:
    from ldnsim.calibration.fitting.problem import Problem
    from ldnsim.calibration.fitting.search import Point
    from ldnsim.metrics.nca import Floats

__all__ = ["LEVEL", "Interval", "covariance", "profile"]

LEVEL = 0.95
THRESHOLD = float(np.sqrt(chi2.ppf(LEVEL, 1)))  # for the square root of the rise of chi-square: 1.96
CLOSE = 0.002 * THRESHOLD
MAX_TRIES = 20
BETTER = 1e-4  # of chi-square: a profile that falls by more than this has found another minimum


class Interval(NamedTuple):
    """Ends of a profile likelihood interval as positions, whether each end is a bound that the threshold is not reached
    before, and a point of lower chi-square if the profile found one."""

    low: float
    high: float
    open_below: bool
    open_above: bool
    lower: Point | None = None


def covariance(slopes: Floats) -> tuple[Floats, Floats, Floats]:
    """Covariance of the positions (parameters, parameters), the SD (parameters,) along each principal direction, and
    those directions (rows).

    The SD along a direction that the data do not determine is limited to 1, the distance of the bounds.
    """
    _, singular, directions = np.linalg.svd(slopes, full_matrices=True)
    inverse = np.full(len(directions), np.inf)
    known = singular > 0
    inverse[: len(singular)][known] = 1.0 / singular[known]
    spread = np.minimum(inverse, 1.0)
    return (directions.T * spread**2) @ directions, spread, directions


def profile(problem: Problem, best: Point, spread: Floats, index: int) -> Interval:
    """The 95 % profile likelihood interval: where chi-square, minimised over all other parameters, rises by 3.84.

    Venzon and Moolgavkar, Applied Statistics 37:87 (1988), for the definition; the search is a secant method.
    """
    ends: list[tuple[float, bool]] = []
    for side in (-1.0, 1.0):
        end, is_open, lower = _end(problem, best, spread, index, side)
        if lower is not None:
            return Interval(0.0, 1.0, True, True, lower)
        ends.append((end, is_open))
    return Interval(ends[0][0], ends[1][0], ends[0][1], ends[1][1])


def _end(problem: Problem, best: Point, spread: Floats, index: int, side: float) -> tuple[float, bool, Point | None]:
    """One end of the interval, by a secant method on the square root of the rise, which is linear for a linear model.

    A root finder of scipy will not do: a trial may fail, starts from the other parameters of the last one, and ends
    the search if it finds a lower minimum.
    """
    centre, bound = best.position[index], 0.0 if side < 0 else 1.0
    to_bound = abs(bound - centre)
    if to_bound < 1e-9:
        return bound, True, None
    others = np.delete(np.arange(len(best.position)), index)
    inside, outside = (0.0, 0.0), (np.inf, np.inf)  # (distance, square root of the rise)
    last = best.position
    distance = min(to_bound, THRESHOLD * float(np.sqrt(spread[index, index])))
    for _ in range(MAX_TRIES):
        start = last.copy()
        start[index] = centre + side * distance
        if last is best.position:  # others follow along the ellipse
            shift = spread[others, index] / spread[index, index] * side * distance
            start[others] = np.clip(start[others] + shift, 0.0, 1.0)
        found = descend(problem, start, others)
        if not isinstance(found, Minimum):
            outside = (distance, np.inf)
            distance = (inside[0] + distance) / 2
            continue
        rise = found.point.chi2 - best.chi2
        if rise < -BETTER * (1 + best.chi2):
            return bound, True, found.point
        root = float(np.sqrt(max(rise, 0.0)))
        if abs(root - THRESHOLD) < CLOSE:
            return centre + side * distance, False, None
        if root < THRESHOLD:
            inside, last = (distance, root), found.point.position
            if distance >= to_bound:
                return bound, True, None
        else:
            outside = (distance, root)
        distance = _next_distance(inside, outside, to_bound)
    return centre + side * inside[0], False, None


def _next_distance(inside: tuple[float, float], outside: tuple[float, float], to_bound: float) -> float:
    """The next distance to try: along the secant, at some distance from both ends of the bracket."""
    if np.isinf(outside[0]):
        slope = inside[1] / inside[0]
        ahead = THRESHOLD / slope if slope > 0 else np.inf
        return float(min(to_bound, max(1.05 * inside[0], min(ahead, 4 * inside[0]))))
    width = outside[0] - inside[0]
    share = 0.5 if np.isinf(outside[1]) else (THRESHOLD - inside[1]) / (outside[1] - inside[1])
    return float(inside[0] + width * np.clip(share, 0.05, 0.95))
