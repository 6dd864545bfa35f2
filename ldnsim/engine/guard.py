"""Comparisons on states: a step in which they change more than once is taken in parts.

Where a step ends beyond a single change, the method sees the jump at its last stages, and its error estimate limits the
step. What it may miss is a change there and back, or of two comparisons, between the points that it looks at: a window
that a state passes within a step. So every accepted step is looked at on its own curve, at points between which each
comparison is followed with a parabola; a step with more than one change is rejected, and a shorter one is tried that
ends before the second. Steps shorter than SHORTEST are accepted as they are. Kinks (min, max and abs of states) are
left to the error estimate. Written in the words of `lanes` for `translate`; the reference solver uses `share_of`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.engine.lanes import Rows, Vector, absolute, fma, where
from ldnsim.engine.step import interpolate, prepare_interpolation

if TYPE_CHECKING:
    from ldnsim.engine.program import Program

__all__ = ["POINTS", "SHORTEST", "allowed_share", "share_of"]

POINTS = 8  # stretches of a step
SHORTEST = 1e-7  # h


def allowed_share(m: Program, w: Rows) -> Vector:
    """How much of the step may be taken, 1 where all of it."""
    prepare_interpolation(m, w)
    w[m.flips] = 0.0
    w[m.share] = 1.0
    for point in range(POINTS + 1):
        x = point / POINTS
        w[m.at] = fma(w[m.h], x, w[m.time])
        interpolate(m, w, x)
        m.guard(w)
        for guard in range(m.guards):
            now, before, earlier = w[m.g + guard], w[m.g_before + guard], w[m.g_earlier + guard]
            if point > 0:
                w[m.flips] += where(is_crossing(before, now), 1.0, 0.0)
                w[m.share] = where((w[m.flips] > 1.5) & (w[m.share] >= 1.0), shorter(point - 1), w[m.share])
            if point > 1:
                dips = is_dip(earlier, before, now) & (w[m.share] >= 1.0)
                w[m.share] = where(dips, shorter(point - 2), w[m.share])
            w[m.g_earlier + guard] = before
            w[m.g_before + guard] = now
    return w[m.share]


def shorter(point: int) -> float:
    """The share of a step that ends at a point, or within the first stretch."""
    return max(float(point), 0.5) / POINTS


def is_crossing(before: Vector, now: Vector) -> Vector:
    return ((before > 0.0) & (now <= 0.0)) | ((before <= 0.0) & (now > 0.0))


def is_dip(earlier: Vector, before: Vector, now: Vector) -> Vector:
    """Whether the parabola through three points on one side of 0 is on the other in between."""
    bend = earlier - 2.0 * before + now
    lean = now - earlier
    one_side = (before * now > 0.0) & (before * earlier > 0.0)
    within = absolute(lean) < 2.0 * absolute(bend)
    beyond = before * (8.0 * before * bend - lean * lean) * bend < 0.0  # the vertex is before - lean^2 / (8 bend)
    return one_side & within & beyond


def share_of(values: np.ndarray) -> float:
    """The same for comparisons' values (points, guards) at POINTS + 1 points of one step."""
    flips = np.append([False], is_crossing(values[:-1], values[1:]).sum(axis=1)).cumsum()
    dips = np.append([False, False], is_dip(values[:-2], values[1:-1], values[2:]).any(axis=1))
    for point in range(POINTS + 1):
        if flips[point] > 1:
            return shorter(point - 1)
        if dips[point]:
            return shorter(point - 2)
    return 1.0
