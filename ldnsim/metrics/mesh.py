"""How curves of many rows are cut into pieces of time.

A row is one person in one arm. Pieces of all rows stand one after the other; what is reduced runs along the pieces of
one row, so that its bits do not depend on the company.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldnsim.foundation.polynomials import NODES

__all__ = ["COINCIDENT", "SHORTEST", "Mesh", "Places"]

Floats = NDArray[np.float64]
Places = NDArray[np.int_]
COINCIDENT = 1e-6  # h: closer samples are the two sides of a dose
SHORTEST = 1e-9  # h: shorter pieces are a difference in the last bits


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
        keep = ends - start > SHORTEST
        counts = np.bincount(row[keep], minlength=self.rows)
        last = np.cumsum(counts)
        return Mesh(last - counts, last, start[keep], ends[keep]), parent[keep]
