"""A curve over a window, for many rows at once: areas, extremes, and the time that it spends above a level.

Between samples a curve is a straight line: a threshold is crossed where that line crosses it, and areas above and below
are split there. A row is one person in one arm; sums run along the times of one row, so that its bits do not depend on
the company.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["COINCIDENT", "Signal"]

Floats = NDArray[np.float64]
COINCIDENT = 1e-6  # h: closer samples are the two sides of a dose


@dataclass(frozen=True)
class Signal:
    """`values` (rows, n) at `time` (n,), h, ascending."""

    time: Floats
    values: Floats

    @property
    def length(self) -> float:
        """How long the window is, h."""
        return float(self.time[-1] - self.time[0])

    def highest(self) -> Floats:
        """The highest value (rows,)."""
        return np.asarray(self.values.max(axis=-1))

    def lowest(self) -> Floats:
        """The lowest value (rows,)."""
        return np.asarray(self.values.min(axis=-1))

    def time_of_highest(self) -> Floats:
        """The first time of the highest value (rows,), h; NaN where values are missing."""
        return np.where(np.isnan(self.values).any(axis=-1), np.nan, self.time[self.values.argmax(axis=-1)])

    def time_of_lowest(self) -> Floats:
        """The first time of the lowest value (rows,), h; NaN where values are missing."""
        return np.where(np.isnan(self.values).any(axis=-1), np.nan, self.time[self.values.argmin(axis=-1)])

    def vertex(self) -> tuple[Floats, Floats]:
        """Time, h, and height of the parabola through the highest sample and its neighbours, each (rows,).

        Unlike the highest sample itself, both move smoothly with the curve. At an end of the window, and at a jump, it
        is the highest sample.
        """
        grid, curves = self.time, self.values
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

    def area(self) -> Floats:
        """The area under the curve (rows,), unit of the values times h."""
        values = self.values
        return np.asarray((np.diff(self.time) * (values[..., :-1] + values[..., 1:]) / 2.0).sum(axis=-1))

    def hours_above(self, level: float) -> Floats:
        """Hours spent above a level (rows,), crossings interpolated."""
        return np.asarray((np.diff(self.time) * _share_above(self.values - level)).sum(axis=-1))

    def hours_below(self, level: float) -> Floats:
        """Hours spent below a level (rows,), crossings interpolated."""
        return self.negative().hours_above(-level)

    def area_above(self, level: float) -> Floats:
        """Area between the curve and a level where the curve is above it (rows,), unit of the values times h."""
        above = np.maximum(self.values - level, 0.0)
        height = (above[..., :-1] + above[..., 1:]) / 2.0
        return np.asarray((np.diff(self.time) * _share_above(self.values - level) * height).sum(axis=-1))

    def area_below(self, level: float) -> Floats:
        """Area between a level and the curve where the curve is below it (rows,), unit of the values times h."""
        return self.negative().area_above(-level)

    def mean_while_below(self, gate: Signal, level: float) -> Floats:
        """Mean over the time in which another curve is below a level (rows,); NaN where it never is."""
        share = _share_above(level - gate.values)
        # The part of an interval that counts lies at its start if the gate is open there, else at its end.
        middle = np.where(gate.values[..., :-1] < level, share / 2.0, 1.0 - share / 2.0)
        hours = np.diff(self.time) * share
        area = (hours * (self.values[..., :-1] + np.diff(self.values) * middle)).sum(axis=-1)
        total = hours.sum(axis=-1)
        return np.asarray(np.divide(area, total, out=np.full_like(total, np.nan), where=total > 0))

    def negative(self) -> Signal:
        """The curve upside down."""
        return Signal(self.time, -self.values)


def _share_above(excess: Floats) -> Floats:
    """Share of each interval between samples in which a straight line through `excess` (..., n) is above 0."""
    positive, size = np.maximum(excess, 0.0), np.abs(excess)
    total = size[..., :-1] + size[..., 1:]
    share = positive[..., :-1] + positive[..., 1:]
    nothing = total == 0
    total[nothing] = 1.0  # the share is 0 there already; dividing only where there is something takes longer
    return np.asarray(np.divide(share, total, out=share))
