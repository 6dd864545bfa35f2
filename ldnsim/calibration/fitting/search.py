"""Least squares from several starts. A point and the neighbours for its finite differences are one engine call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import qmc

from ldnsim.foundation.random_streams import generator

if TYPE_CHECKING:
    from ldnsim.calibration.fitting.problem import Problem
    from ldnsim.metrics.nca import Floats

__all__ = ["Minimum", "Point", "descend", "evaluate_at", "starts"]

STEP = 1e-3  # of the logarithm, or of the distance between the bounds on a linear scale
TOLERANCE = 1e-8
MAX_STEPS = 200


@dataclass(frozen=True)
class Point:
    """A position, its residuals (fitted data,) and their slopes (fitted data, parameters) in the position; `why` is the
    reason if it cannot be solved, else ""."""

    position: Floats
    residuals: Floats
    slopes: Floats
    why: str

    @property
    def chi2(self) -> float:
        return float(self.residuals @ self.residuals)


@dataclass(frozen=True)
class Minimum:
    """Where a descent ended, and whether it converged there."""

    point: Point
    converged: bool


class _NoSlopesError(Exception):
    """The slopes at a position cannot be computed."""


def evaluate_at(problem: Problem, position: Floats, free: np.ndarray | None = None) -> Point:
    """The residuals at a position and their slopes along the `free` parameters (default: all), in one engine call.

    Central differences; at a bound one-sided differences of second order.
    """
    free = np.arange(len(position)) if free is None else free
    steps = np.array([STEP / axis.width(1.0) if axis.logarithmic else STEP for axis in problem.axes])[free]
    first, second = -steps, steps
    near = position[free]
    first, second = (
        np.where(near - steps < 0, steps, np.where(near + steps > 1, -steps, first)),
        np.where(near - steps < 0, 2 * steps, np.where(near + steps > 1, -2 * steps, second)),
    )
    rows = np.tile(position, (1 + 2 * len(free), 1))
    count = np.arange(len(free))
    rows[1 + count, free] += first
    rows[1 + len(free) + count, free] += second
    predicted, why = problem.predictions(rows)
    found = problem.residuals(predicted)[:, problem.fitted]
    centre, one, two = found[0], found[1 : 1 + len(free)], found[1 + len(free) :]
    a, b = first[:, None], second[:, None]
    slopes = ((one - centre) * b**2 - (two - centre) * a**2) / (a * b * (b - a))
    undefined = "" if np.all(np.isfinite(centre)) else "a datum has no prediction, or one of 0 on the log scale"
    return Point(position, centre, slopes.T, why[0] or undefined)


def descend(problem: Problem, start: Floats, free: np.ndarray | None = None) -> Minimum | str:
    """Search the nearest minimum over the `free` parameters; a text instead says why there is none."""
    free = np.arange(len(start)) if free is None else free
    last: dict[bytes, Point] = {}

    def at(moved: Floats) -> Point:
        if moved.tobytes() not in last:
            position = start.copy()
            position[free] = np.clip(moved, 0.0, 1.0)
            last.clear()  # only the last point is needed again, for its slopes
            last[moved.tobytes()] = evaluate_at(problem, position, free)
        return last[moved.tobytes()]

    def slopes(moved: Floats) -> Floats:
        found = at(moved).slopes
        if not np.all(np.isfinite(found)):
            raise _NoSlopesError
        return found

    first = evaluate_at(problem, start, free)
    if first.why:
        return first.why
    if not len(free):
        return Minimum(first, True)
    tolerances = {"xtol": TOLERANCE, "ftol": TOLERANCE, "gtol": TOLERANCE}
    try:
        done = least_squares(
            lambda moved: at(moved).residuals, start[free], slopes, (0.0, 1.0), max_nfev=MAX_STEPS, **tolerances
        )
    except _NoSlopesError:
        return "a point of the search cannot be solved in its neighbourhood"
    return Minimum(_moved_to_bound(problem, at(done.x), free), bool(done.status > 0))


def _moved_to_bound(problem: Problem, point: Point, free: np.ndarray) -> Point:
    """Move the point onto a nearby bound if that is no worse: the search stays strictly between the bounds."""
    edge = point.position.copy()
    near = free[(edge[free] < 1e-4) | (edge[free] > 1 - 1e-4)]
    edge[near] = np.round(edge[near])
    if not len(near):
        return point
    there = evaluate_at(problem, edge, free)
    return there if not there.why and there.chi2 <= point.chi2 * (1 + 1e-9) + 1e-12 else point


def starts(problem: Problem) -> list[Floats]:
    """The stated start, then a Latin hypercube sample between the bounds, drawn with the fit's seed."""
    more = problem.fit.starts - 1
    if not more:
        return [problem.start]
    seed = int(generator(problem.fit.seed, "fit.starts", 0).integers(2**32))
    return [problem.start, *qmc.LatinHypercube(len(problem.axes), seed=seed).random(more)]
