"""A curve over a window, for many rows at once: areas, extremes, and the time that it spends above a level.

A row is one person in one arm. Its curve is a polynomial on each of its own pieces of the window (`engine.pieces`), so
that nothing that is read off it depends on where curves are sampled for display: areas are exact, extremes and
crossings of a level are roots.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldnsim.foundation.polynomials import (
    BEYOND,
    FINE,
    INSIDE,
    NODES,
    POWERS,
    STEP,
    WEIGHTS,
    area_to,
    mapped,
    polished,
    slope,
    valued,
)
from ldnsim.metrics.mesh import Mesh, Places

__all__ = ["Signal", "sampled"]

Floats = NDArray[np.float64]
ROUNDING = 1e-13  # relative, of a polynomial's value
SAME_HEIGHT = 1e-9  # relative: peaks closer than this are one height, and the first of them counts


class _Crossings(NamedTuple):
    """Where a curve passes a level: the piece, the place within it (-1 to 1), and whether it rises (all (n,)).
    `above_at_end` (pieces,): whether each piece ends above the level."""

    piece: Places
    inside: Floats
    rises: NDArray[np.bool_]
    above_at_end: NDArray[np.bool_]


@dataclass(frozen=True)
class Signal:
    """A curve on a mesh: `values` (pieces, nodes)."""

    mesh: Mesh
    values: Floats

    def highest(self) -> Floats:
        """The highest value (rows,); NaN where values are missing."""
        return self._top[0]

    def lowest(self) -> Floats:
        """The lowest value (rows,); NaN where values are missing."""
        low = self.mesh.reduced(np.minimum, self._columns.min(axis=0))
        return _not_below(-self.negative.highest(), low)

    def time_of_highest(self) -> Floats:
        """The first time of the highest value (rows,), h; NaN where values are missing."""
        return self._top[1]

    def time_of_lowest(self) -> Floats:
        """The first time of the lowest value (rows,), h; NaN where values are missing."""
        return self.negative.time_of_highest()

    def area(self) -> Floats:
        """The area under the curve (rows,), unit of the values times h."""
        return self.mesh.total(self.mesh.width * self.means)

    def area_until(self, times: Floats) -> Floats:
        """The area from the start of each row to a time (rows,) within it, unit of the values times h."""
        piece = self.mesh.containing(self.mesh.row, times[self.mesh.row])
        before = np.arange(len(piece)) < piece
        here = np.flatnonzero(np.arange(len(piece)) == piece)
        parts = np.where(before, self.mesh.width * self.means, 0.0)
        inside = 2 * (times[self.mesh.row[here]] - self.mesh.start[here]) / self.mesh.width[here] - 1
        parts[here] = self.mesh.width[here] * area_to(self._coefficients(here), inside)
        return self.mesh.total(parts)

    def hours_above(self, level: ArrayLike) -> Floats:
        """Hours spent above a level, one for all or (rows,); shape (rows,)."""
        return self.mesh.total(self.mesh.width * self._share_above(level))

    def hours_below(self, level: ArrayLike) -> Floats:
        """Hours spent below a level, one for all or (rows,); shape (rows,)."""
        return self.negative.hours_above(-np.asarray(level))

    def area_above(self, level: float) -> Floats:
        """Area between the curve and a level where the curve is above it (rows,), unit of the values times h."""
        return self.plus(-level).area_while_above(self, level)

    def area_below(self, level: float) -> Floats:
        """Area between a level and the curve where the curve is below it (rows,), unit of the values times h."""
        return self.negative.area_above(-level)

    def area_while_above(self, gate: Signal, level: float) -> Floats:
        """Area under the curve over the time in which another on the same mesh is above a level (rows,)."""
        crossed = gate._crossings(level)
        whole = np.where(crossed.above_at_end, self.means, 0.0)
        part = area_to(self._coefficients(crossed.piece), crossed.inside)
        np.add.at(whole, crossed.piece, np.where(crossed.rises, -part, part))
        whole[gate._missing] = np.nan
        return self.mesh.total(self.mesh.width * whole)

    def mean_while_below(self, gate: Signal, level: float) -> Floats:
        """Mean over the time in which another on the same mesh is below a level (rows,); NaN where it never is."""
        area, hours = self.area_while_above(gate.negative, -level), gate.hours_below(level)
        return np.asarray(np.divide(area, hours, out=np.full_like(hours, np.nan), where=hours > 0))

    def first_below(self, level: Floats, after: Floats) -> Floats:
        """When the curve first is at or below a level (rows,) after a time (rows,), h; NaN where it never is."""
        mesh, crossed = self.mesh, self._crossings(level)
        falls = ~crossed.rises
        piece = crossed.piece[falls]
        times = mesh.start[piece] + mesh.width[piece] * (crossed.inside[falls] + 1) / 2
        low = np.flatnonzero(self.values[:, 0] <= level[mesh.row])
        rows, times = np.append(mesh.row[piece], mesh.row[low]), np.append(times, mesh.start[low])
        later = times > after[rows]
        found = np.full(mesh.rows, np.inf)
        np.minimum.at(found, rows[later], times[later])
        return np.where(np.isinf(found), np.nan, found)

    def at(self, times: Floats) -> Floats:
        """The values at times (rows, n), h, within the window; shape (rows, n). Before an event at that time; at the
        start of a window after it. NaN for rows without pieces."""
        mesh = self.mesh
        found = np.full(times.shape, np.nan)
        filled = np.flatnonzero(mesh.last > mesh.first)
        rows, moments = np.repeat(filled, times.shape[1]), times[filled].reshape(-1)
        found[filled] = self.valued(*mesh.located(rows, moments)).reshape(len(filled), times.shape[1])
        return found

    def valued(self, piece: Places, inside: Floats) -> Floats:
        """The values at places (...) of pieces (...), as of `Mesh.located`."""
        found = np.zeros_like(inside)
        for power in mapped(self._columns, POWERS).T[::-1]:
            found *= inside
            found += power[piece]
        return found

    def evenly(self, count: int) -> Floats:
        """The values at so many equal steps from the start of each row to its end; shape (rows, count)."""
        mesh = self.mesh
        found = np.full((mesh.rows, count), np.nan)
        filled = np.flatnonzero(mesh.last > mesh.first)
        begins, step = mesh.begins, mesh.length / (count - 1)
        ends = np.clip((mesh.end - begins[mesh.row]) / step[mesh.row], 0, count - 1).astype(np.int64)
        ends[mesh.last[filled] - 1] = count - 1  # the last step is in the last piece
        places = np.diff(ends, prepend=-1)
        places[mesh.first[filled]] = ends[mesh.first[filled]] + 1
        piece = np.repeat(np.arange(len(places)), places)
        rows = np.repeat(filled, count)
        times = begins[rows] + step[rows] * np.tile(np.arange(count), len(filled))
        inside = np.clip(2 * (times - mesh.start[piece]) / mesh.width[piece] - 1, -1, 1)
        found[filled] = self.valued(piece, inside).reshape(len(filled), count)
        return found

    def on(self, mesh: Mesh, parent: Places) -> Signal:
        """The same curve on a finer mesh, each piece of which lies in one of this (`Mesh.cut`)."""
        inside = 2 * (mesh.times() - self.mesh.start[parent, None]) / self.mesh.width[parent, None] - 1
        values = valued(self._coefficients(parent)[:, None], inside)
        return Signal(mesh, _not_below(values, self._columns.min(axis=0)[parent, None]))

    def crossed(self, level: Floats) -> tuple[Places, Floats]:
        """Rows (n,) and times (n,), h, where the curve passes a level (rows,)."""
        crossed = self._crossings(level)
        start, width = self.mesh.start[crossed.piece], self.mesh.width[crossed.piece]
        return self.mesh.row[crossed.piece], start + width * (crossed.inside + 1) / 2

    def cut_at(self, *times: float) -> Signal:
        """The curve with ends of pieces at some times, h."""
        mesh, parent = self.mesh.cut_at(*times)
        return self if mesh is self.mesh else self.on(mesh, parent)

    def chosen(self, keep: NDArray[np.bool_]) -> Signal:
        """The curve on some of its pieces (pieces,)."""
        return Signal(self.mesh.chosen(keep), self.values[keep])

    def plus(self, number: float) -> Signal:
        """The curve moved up by a number."""
        return Signal(self.mesh, self.values + number)

    def over(self, other: Signal) -> Signal:
        """The curve divided by another on the same mesh; NaN where that is not above zero."""
        ratio = np.full_like(self.values, np.nan)
        np.divide(self.values, other.values, out=ratio, where=other.values > 0)
        return Signal(self.mesh, ratio)

    def of_rows(self, rows: Places) -> Signal:
        """The curves of some rows (n,), in their order and as often as they are named."""
        mesh, piece = self.mesh.gathered(rows)
        return Signal(mesh, self.values[piece])

    @cached_property
    def negative(self) -> Signal:
        """The curve upside down."""
        return Signal(self.mesh, -self.values)

    @cached_property
    def _columns(self) -> Floats:
        """(nodes, pieces): the values at one node after the other, which numpy goes through much faster."""
        return np.ascontiguousarray(self.values.T)

    def _coefficients(self, piece: Places) -> Floats:
        """Of the powers of the place within a piece, -1 to 1, for some pieces (n,); shape (n, powers)."""
        return mapped(self._columns[:, piece], POWERS)

    @cached_property
    def means(self) -> Floats:
        """The mean over each piece (pieces,)."""
        return mapped(self._columns, WEIGHTS)

    @cached_property
    def _ends(self) -> tuple[Floats, Floats]:
        """Bounds of each piece (pieces,): no value is below the first or above the second."""
        low, high = self._columns.min(axis=0), self._columns.max(axis=0)
        room = BEYOND * (high - low)
        return low - room, high + room

    @cached_property
    def _top(self) -> tuple[Floats, Floats]:
        """The highest value of each row and the first time of it, h."""
        mesh = self.mesh
        best = mesh.reduced(np.maximum, self._columns.max(axis=0))
        piece = np.flatnonzero(self._ends[1] >= best[mesh.row])
        coefficients = self._coefficients(piece)
        fine = valued(coefficients[:, None], FINE)
        around = FINE[fine.argmax(axis=-1)] if len(piece) else np.empty(0)
        inside = polished(slope(coefficients), around, np.maximum(around - STEP, -1), np.minimum(around + STEP, 1))
        nodes, between = self.values[piece], [valued(coefficients, place) for place in (inside, around)]
        at_node = nodes.argmax(axis=-1) if len(piece) else np.empty(0, np.int64)
        height, place = np.take_along_axis(nodes, at_node[:, None], axis=-1)[:, 0], INSIDE[at_node]
        for candidate, found in zip((around, inside), between[::-1], strict=True):
            higher = found > height + ROUNDING * np.abs(height)  # a node's own value has no rounding
            height, place = np.where(higher, found, height), np.where(higher, candidate, place)
        top = np.full(mesh.rows, -np.inf)
        np.maximum.at(top, mesh.row[piece], height)
        top = np.where(np.isnan(best) | np.isinf(top), np.nan, np.maximum(top, best))
        reaches = height >= (top - SAME_HEIGHT * np.abs(top))[mesh.row[piece]]
        time = np.full(mesh.rows, np.inf)
        reached = piece[reaches]
        moments = mesh.start[reached] + mesh.width[reached] * (place[reaches] + 1) / 2
        np.minimum.at(time, mesh.row[reached], moments)
        return top, np.where(np.isnan(top) | np.isinf(time), np.nan, time)

    def _crossings(self, level: ArrayLike) -> _Crossings:
        of_rows = np.broadcast_to(np.asarray(level, float), (self.mesh.rows,))
        levels = of_rows[self.mesh.row]
        low, high = self._ends
        slack = ROUNDING * np.maximum(np.abs(low), np.abs(high))  # at the level to rounding is not above it
        piece = np.flatnonzero((low <= levels + slack) & (high > levels))
        excess = self._coefficients(piece)
        excess[:, 0] -= levels[piece]
        fine = valued(excess[:, None], FINE)
        fine[:, 0], fine[:, -1] = (self.values[piece, end] - levels[piece] for end in (0, -1))
        above = fine > slack[piece, None]
        of, left = np.nonzero(above[:, 1:] != above[:, :-1])
        inside = polished(excess[of], None, FINE[left], FINE[left + 1])
        return _Crossings(piece[of], inside, above[of, left + 1], self.values[:, -1] - levels > slack)

    def _share_above(self, level: ArrayLike) -> Floats:
        """The share of each piece (pieces,) in which the curve is above a level."""
        crossed = self._crossings(level)
        whole = crossed.above_at_end.astype(float)
        part = (crossed.inside + 1) / 2
        np.add.at(whole, crossed.piece, np.where(crossed.rises, -part, part))
        whole[self._missing] = np.nan
        return whole

    @cached_property
    def _missing(self) -> NDArray[np.bool_]:
        """Which pieces (pieces,) have missing values."""
        return np.asarray(np.isnan(self.means))


def _not_below(values: Floats, low: Floats) -> Floats:
    """Values of polynomials whose lowest value at a node is `low`: where this is not negative, they are not either.
    Beside a corner of an output, a polynomial dips under its values."""
    return np.where(low >= 0, np.maximum(values, 0.0), values)


def sampled(time: Floats, curves: Floats, edges: Floats | None = None, *, logarithmic: bool = False) -> Signal:
    """Curves (rows, n) known at samples (n,), h, as straight lines between them; if `logarithmic`, where they fall, as
    straight lines of the logarithm. Pieces end at `edges` (m,), h, that include all samples, if given."""
    edges = time if edges is None else edges
    wide = np.diff(edges) > 2 * np.spacing(edges[1:])  # not the two sides of a jump
    left, right = edges[:-1][wide], edges[1:][wide]
    after = np.clip(np.searchsorted(time, left + (right - left) / 2), 1, max(1, time.size - 1))
    before, after = after - 1, np.minimum(after, time.size - 1)
    moments = left[:, None] + (right - left)[:, None] * NODES
    width = (time[after] - time[before])[:, None]
    share = np.divide(moments - time[before, None], width, out=np.zeros_like(moments), where=width > 0)
    first, last = curves[:, before, None], curves[:, after, None]
    values = first * (1.0 - share) + last * share
    if logarithmic:
        falls = (first > last) & (last > 0)
        np.power(np.divide(last, first, out=np.ones_like(first), where=falls), share, out=values, where=falls)
        np.multiply(values, first, out=values, where=falls)
    rows, count = len(curves), len(left)
    place = np.arange(rows) * count
    mesh = Mesh(place, place + count, np.tile(left, rows), np.tile(right, rows))
    return Signal(mesh, values.reshape(-1, len(NODES)))
