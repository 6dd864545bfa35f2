"""How well the data fix each parameter: covariance at the optimum, and the likelihood profile."""

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
FARTHEST = float(np.sqrt(chi2.ppf(LEVEL, 1)))  # of the root of chi-square's rise: 1.96
CLOSE = 0.002 * FARTHEST
MOST_TRIES = 20
BETTER = 1e-4  # of chi-square: a profile that falls deeper than this found another minimum


class Interval(NamedTuple):
    """Ends of a profile as positions, whether each is a bound that the data do not reach, and a lower point, if the
    profile came upon one."""

    low: float
    high: float
    open_below: bool
    open_above: bool
    lower: Point | None = None


def covariance(slopes: Floats) -> tuple[Floats, Floats, Floats]:
    """Of positions, (parameters, parameters); and the spread (parameters,) along each principal direction (rows).

    A direction that the data leave open is given the spread of the bounds, 1, and no more.
    """
    _, singular, directions = np.linalg.svd(slopes, full_matrices=True)
    inverse = np.full(len(directions), np.inf)
    known = singular > 0
    inverse[: len(singular)][known] = 1.0 / singular[known]
    spread = np.minimum(inverse, 1.0)
    return (directions.T * spread**2) @ directions, spread, directions


def profile(problem: Problem, best: Point, spread: Floats, index: int) -> Interval:
    """Where chi-square, minimised over all other parameters, has risen by 3.84 on either side of the optimum."""
    ends: list[tuple[float, bool]] = []
    for side in (-1.0, 1.0):
        end, is_open, lower = _end(problem, best, spread, index, side)
        if lower is not None:
            return Interval(0.0, 1.0, True, True, lower)
        ends.append((end, is_open))
    return Interval(ends[0][0], ends[1][0], ends[0][1], ends[1][1])


def _end(problem: Problem, best: Point, spread: Floats, index: int, side: float) -> tuple[float, bool, Point | None]:
    """The end of the profile on one side: by secants on the root of the rise, which is a straight line where the model
    is linear.

    This is no root finder of scipy: a trial may fail, starts from the last one's other parameters, and stops the search
    where it comes upon a lower minimum.
    """
    centre, bound = best.position[index], 0.0 if side < 0 else 1.0
    room = abs(bound - centre)
    if room < 1e-9:
        return bound, True, None
    others = np.delete(np.arange(len(best.position)), index)
    inside, outside = (0.0, 0.0), (np.inf, np.inf)  # (distance, root of the rise)
    last = best.position
    distance = min(room, FARTHEST * float(np.sqrt(spread[index, index])))
    for _ in range(MOST_TRIES):
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
        if abs(root - FARTHEST) < CLOSE:
            return centre + side * distance, False, None
        if root < FARTHEST:
            inside, last = (distance, root), found.point.position
            if distance >= room:
                return bound, True, None
        else:
            outside = (distance, root)
        distance = _next(inside, outside, room)
    return centre + side * inside[0], False, None


def _next(inside: tuple[float, float], outside: tuple[float, float], room: float) -> float:
    """The next distance to try: along the chord, kept off the ends of what is known."""
    if np.isinf(outside[0]):
        slope = inside[1] / inside[0]
        ahead = FARTHEST / slope if slope > 0 else np.inf
        return float(min(room, max(1.05 * inside[0], min(ahead, 4 * inside[0]))))
    width = outside[0] - inside[0]
    share = 0.5 if np.isinf(outside[1]) else (FARTHEST - inside[1]) / (outside[1] - inside[1])
    return float(inside[0] + width * np.clip(share, 0.05, 0.95))
