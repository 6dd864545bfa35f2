"""A curve over a window, for many rows at once: areas, extremes, and the time that it spends above a level.

A row is one person in one arm. Its curve is a polynomial on each of its own pieces of the window (`engine.pieces`), so
that nothing that is read off it depends on where curves are sampled for display: areas are exact, extremes and
crossings of a level are roots. Pieces of all rows stand one after the other; sums run along the pieces of one row, so
that its bits do not depend on the company.
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

__all__ = ["COINCIDENT", "Mesh", "Signal", "sampled"]

Floats = NDArray[np.float64]
Places = NDArray[np.int_]
COINCIDENT = 1e-6  # h: closer samples are the two sides of a dose

ROUNDING = 1e-13  # relative, of a polynomial's value
_SAME = 1e-9  # relative: peaks closer than this are one height, and the first of them counts


@dataclass(frozen=True)
class Mesh:
    """The pieces of many rows: row i has those from first[i] up to last[i], ascending in time, without a gap.

    Arrays: first, last (rows,); start, end (pieces,), h. Rows follow each other; one that has no pieces has no values.
    """

    first: Places
    last: Places
    start: Floats
    end: Floats

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.first)

    @cached_property
    def row(self) -> Places:
        """The row of each piece (pieces,)."""
        return np.repeat(np.arange(self.rows), self.last - self.first)

    @cached_property
    def width(self) -> Floats:
        """How long each piece is (pieces,), h."""
        return self.end - self.start

    @cached_property
    def _filled(self) -> NDArray[np.bool_]:
        return self.last > self.first

    @cached_property
    def begins(self) -> Floats:
        """When each row begins (rows,), h."""
        return self.per_row(self.start[self.first[self._filled]])

    @cached_property
    def length(self) -> Floats:
        """How long each row is (rows,), h; that of its pieces, where some were left out."""
        return self.total(self.width)

    def per_row(self, of_filled: ArrayLike) -> Floats:
        """Values of the rows that have pieces -> values of all rows, NaN for the others."""
        found = np.full(self.rows, np.nan)
        found[self._filled] = of_filled
        return found

    def reduced(self, how: np.ufunc, of_pieces: Floats) -> Floats:
        """A ufunc's reduction over the pieces of each row (rows,); NaN for rows without pieces."""
        starts = self.first[self._filled]
        return self.per_row(how.reduceat(of_pieces, starts) if len(starts) else [])

    def total(self, of_pieces: Floats) -> Floats:
        """The sum over the pieces of each row (rows,)."""
        return self.reduced(np.add, of_pieces)

    def times(self) -> Floats:
        """The time of every node (pieces, nodes), h."""
        return np.asarray(self.start[:, None] + self.width[:, None] * NODES)

    def containing(self, rows: Places, times: Floats) -> Places:
        """The piece in which each time (n,), h, of a row (n,) that has pieces lies; the earlier one where two meet."""
        if not len(rows):
            return np.empty(0, np.int64)
        span = 2.0 * float(np.max(np.abs(self.end), initial=1.0)) + 1.0
        first, last = self.first[rows], self.last[rows] - 1
        found = np.clip(np.searchsorted(self.row * span + self.end, rows * span + times), first, last)
        # The sum of row and time has fewer digits than the time; which piece it is must not hang on the other rows.
        found += (times > self.end[found]) & (found < last)
        found -= (found > first) & (times <= self.end[np.maximum(found - 1, 0)])
        return found

    def located(self, rows: Places, times: Floats) -> tuple[Places, Floats]:
        """The piece of each time (n,), h, of a row (n,) that has pieces, and the place within it, -1 to 1."""
        piece = self.containing(rows, times)
        return piece, np.clip(2 * (times - self.start[piece]) / self.width[piece] - 1, -1, 1)

    @property
    def middle(self) -> Floats:
        """The middle of each piece (pieces,), h."""
        return np.asarray(self.start + self.width / 2)

    def within(self, start: float, end: float) -> NDArray[np.bool_]:
        """Which pieces (pieces,) lie between two times, h."""
        middle = self.middle
        return np.asarray((middle > start) & (middle < end))

    def gathered(self, rows: Places) -> tuple[Mesh, Places]:
        """The mesh of some rows (n,), in their order and as often as they are named; and the piece that each is."""
        counts = (self.last - self.first)[rows]
        last = np.cumsum(counts)
        first = last - counts
        piece = np.arange(counts.sum()) + np.repeat(self.first[rows] - first, counts)
        return Mesh(first, last, self.start[piece], self.end[piece]), piece

    def chosen(self, keep: NDArray[np.bool_]) -> Mesh:
        """The pieces (pieces,) that are to be kept."""
        counts = np.bincount(self.row[keep], minlength=self.rows)
        last = np.cumsum(counts)
        return Mesh(last - counts, last, self.start[keep], self.end[keep])

    def cut_at(self, *times: float) -> tuple[Mesh, Places]:
        """The mesh with ends of pieces at some times, h, in every row that has them; and the piece that each is of."""
        moments = np.array([t for t in times if np.any((self.start < t - COINCIDENT) & (t + COINCIDENT < self.end))])
        if not len(moments):
            return self, np.arange(len(self.start))
        filled = np.flatnonzero(self.last > self.first)
        rows, moments = np.repeat(filled, len(moments)), np.tile(moments, len(filled))
        begins, ends = self.start[self.first[rows]], self.end[self.last[rows] - 1]
        inside = (moments > begins) & (moments < ends)
        return self.cut(rows[inside], moments[inside])

    def cut(self, rows: Places, times: Floats) -> tuple[Mesh, Places]:
        """The mesh with further ends of pieces, at times (n,) of rows (n,); and the piece that each new one is of."""
        row = np.concatenate([self.row, rows])
        start = np.concatenate([self.start, times])
        own = np.concatenate([np.ones(len(self.row), np.int64), np.zeros(len(rows), np.int64)])
        order = np.lexsort((1 - own, start, row))
        row, start, parent = row[order], start[order], np.cumsum(own[order]) - 1
        ends = np.append(start[1:], np.nan)
        ends = np.where(np.append(row[1:] == row[:-1], False), ends, self.end[np.minimum(parent, len(self.end) - 1)])
        ends = np.minimum(ends, self.end[parent]) if len(parent) else ends
        keep = ends - start > COINCIDENT * 1e-3
        counts = np.bincount(row[keep], minlength=self.rows)
        last = np.cumsum(counts)
        return Mesh(last - counts, last, start[keep], ends[keep]), parent[keep]


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
        return -self.negative.highest()

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
        return Signal(mesh, valued(self._coefficients(parent)[:, None], inside))

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

    def rows(self, rows: Places) -> Signal:
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
        reaches = height >= (top - _SAME * np.abs(top))[mesh.row[piece]]
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
