"""Identifiability in words: what the data determine, and what they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2

from ldnsim.foundation.errors import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ldnsim.calibration.fitting.problem import Problem, SearchAxis
    from ldnsim.calibration.fitting.profile import Interval
    from ldnsim.calibration.fitting.search import Point
    from ldnsim.metrics.nca import Floats

__all__ = ["AT_BOUND", "CORRELATED", "statements"]

OPEN = 0.5  # standard error, as a fraction of the distance between the bounds, from which a direction is open
AT_BOUND = 1e-3  # fraction of the distance between the bounds
CORRELATED = 0.95
TAKES_PART = 0.2  # fraction of the largest component of a direction
NO_EFFECT = 1e-6  # largest change of a datum, in errors, while a parameter goes from bound to bound


def statements(
    problem: Problem,
    best: Point,
    intervals: list[Interval],
    correlation: Floats,
    spread: Floats,
    directions: Floats,
) -> list[str]:
    """Sentences, most important first; `spread` and `directions` are those of `covariance`."""
    open_directions = list(_open_directions(problem, spread, directions))
    return [
        *_scatter(problem, best),
        *(_together(part) for part in open_directions),
        *_correlated(problem.axes, correlation, open_directions),
        *_ends(problem.axes, best, intervals),
        *_without_effect(problem, best),
    ]


def _scatter(problem: Problem, best: Point) -> Iterator[str]:
    degrees_of_freedom = int(problem.fitted.sum()) - len(problem.axes)
    if degrees_of_freedom > 0 and best.chi2 > chi2.ppf(0.99, degrees_of_freedom):
        yield (
            f"The residuals are larger than the errors of the data explain (chi-square {best.chi2:.3g} with "
            f"{degrees_of_freedom} degrees of freedom): the intervals are too narrow, or the model is misspecified."
        )


def _open_directions(problem: Problem, spread: Floats, directions: Floats) -> Iterator[dict[str, float]]:
    """Directions of several parameters that the data constrain no more than the bounds: name -> component."""
    for how_far, direction in zip(spread, directions, strict=True):
        if how_far < OPEN:
            continue
        share = direction * [axis.width(1.0) if axis.logarithmic else 1.0 for axis in problem.axes]
        share /= share[np.argmax(np.abs(share))]
        part = {axis.name: float(s) for axis, s in zip(problem.axes, share, strict=True) if abs(s) > TAKES_PART}
        if len(part) > 1:  # a single parameter has its profile
            yield part


def _together(part: dict[str, float]) -> str:
    up, down = ([name for name, share in part.items() if share * sign > 0] for sign in (1, -1))
    moves = f"{_and(up)} can rise {'together' if len(up) > 1 else ''}".rstrip()
    moves += f" while {_and(down)} fall{'s' if len(down) == 1 else ''}" if down else ""
    determined = f"{'their ratio' if len(part) == 2 else 'ratios'}" if not down else "combinations of them"
    determined = "their product" if len(part) == 2 and down else determined
    return f"{moves} with little change in the fit: the data determine {determined}, not the individual values."


def _correlated(
    axes: tuple[SearchAxis, ...], correlation: Floats, open_directions: list[dict[str, float]]
) -> Iterator[str]:
    """Strongly correlated pairs that are in no open direction."""
    for first in range(len(axes)):
        for second in range(first):
            found = correlation[first, second]
            named = any({axes[first].name, axes[second].name} <= part.keys() for part in open_directions)
            if abs(found) > CORRELATED and not named:
                both = axes[first].logarithmic and axes[second].logarithmic
                what = ("ratio" if found > 0 else "product") if both else ("difference" if found > 0 else "sum")
                yield (
                    f"{axes[second].name} and {axes[first].name} are strongly correlated ({found:.3f}): "
                    f"the data determine their {what} better than either value."
                )


def _ends(axes: tuple[SearchAxis, ...], best: Point, intervals: list[Interval]) -> Iterator[str]:
    for axis, position, interval in zip(axes, best.position, intervals, strict=True):
        bound = "lower" if position < AT_BOUND else "upper" if position > 1 - AT_BOUND else ""
        if interval.open_below and interval.open_above:
            yield f"{axis.name}: any value within its bounds fits the data (flat profile)."
        elif bound:
            yield f"{axis.name} is at its {bound} bound: the data favour a value beyond it."
        elif interval.open_below or interval.open_above:
            yield f"{axis.name}: the data set no {'lower' if interval.open_below else 'upper'} limit within its bounds."


def _without_effect(problem: Problem, best: Point) -> Iterator[str]:
    labels = [label for label, fitted in zip(problem.data, problem.fitted, strict=True) if fitted]
    unaffected = [label for label, row in zip(labels, best.slopes, strict=True) if np.all(np.abs(row) < NO_EFFECT)]
    if unaffected:
        yield f"No parameter affects {listed(unaffected)}: no information for this fit."


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
