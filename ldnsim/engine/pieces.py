"""Outputs within windows of time as polynomials, one per step of the solver.

A window's curve does not depend on where samples for display are: it is as accurate as the solver, everywhere. Steps
end at events, so both sides of every jump are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ldnsim.foundation.polynomials import LEADING, NODE_COUNT, NODES
from ldnsim.metrics.mesh import SHORTEST

__all__ = [
    "LEADING", "NODES", "NODE_COUNT", "Pieces", "Windows", "no_pieces", "shared_windows", "windows_of",
]  # fmt: skip


@dataclass(frozen=True)
class Windows:
    """When to record: person i in the windows from first[i] up to last[i], ascending, which may touch.

    Arrays: first, last (people,); start, end (windows,) in h. People with equal windows may share a stretch.
    """

    first: np.ndarray
    last: np.ndarray
    start: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def some(self, people: np.ndarray) -> Windows:
        """The windows of some of the people."""
        return Windows(self.first[people], self.last[people], self.start, self.end)

    def of(self, person: int) -> list[tuple[float, float]]:
        """(start, end) of a person's windows."""
        own = slice(self.first[person], self.last[person])
        return list(zip(self.start[own].tolist(), self.end[own].tolist(), strict=True))


@dataclass(frozen=True)
class Pieces:
    """Curves of many people, piece by piece: person i has the pieces from first[i] up to last[i], ascending in time.

    Arrays: first, last (people,); start, end (pieces,) in h; nodes (nodes,) from 0 to 1 of a piece's length; values
    (outputs, pieces, nodes). An output is the polynomial through its values at the nodes. Together a person's pieces
    fill the person's windows without a gap; where an event is, one piece ends with what was before it and the next
    starts with what was after. A person that could not be solved has no pieces.
    """

    first: np.ndarray
    last: np.ndarray
    start: np.ndarray
    end: np.ndarray
    values: np.ndarray
    nodes: np.ndarray

    def spread(self, places: np.ndarray, people: int) -> Pieces:
        """The pieces of so many people, of whom those at `places` are here; the others have none."""
        first, last = np.zeros(people, np.int64), np.zeros(people, np.int64)
        first[places], last[places] = self.first, self.last
        return replace(self, first=first, last=last)


def shared_windows(people: int, spans: Sequence[tuple[float, float]]) -> Windows:
    """The same windows for everybody.

    Parameters
    ----------
    people : int
        How many.
    spans : sequence of (float, float)
        (start, end) of each window in h, ascending.

    Returns
    -------
    Windows

    Examples
    --------
    >>> windows = shared_windows(2, [(0.0, 24.0), (144.0, 168.0)])
    >>> windows.of(1)
    [(0.0, 24.0), (144.0, 168.0)]
    """
    bounds = np.array(spans, float).reshape(-1, 2)
    start, end = np.ascontiguousarray(bounds.T)
    return Windows(np.zeros(people, np.int64), np.full(people, len(bounds), np.int64), start, end)


def no_pieces(people: int, outputs: int) -> Pieces:
    """Of people none of whom could be solved."""
    none = np.zeros(people, np.int64)
    return Pieces(none, none, np.empty(0), np.empty(0), np.empty((outputs, 0, NODE_COUNT)), NODES)


def windows_of(spans: np.ndarray) -> Windows:
    """Windows that together cover each person's spans of time, and end wherever one of these begins or ends.

    Parameters
    ----------
    spans : numpy.ndarray
        (people, spans, 2): start and end in h, which may overlap; NaN where a person has fewer.

    Returns
    -------
    Windows

    Examples
    --------
    >>> windows_of(np.array([[[0.0, 24.0], [22.0, 48.0]]])).of(0)
    [(0.0, 22.0), (22.0, 24.0), (24.0, 48.0)]
    """
    people = len(spans)
    ends = np.sort(spans.reshape(people, -1), axis=1)
    start, end = ends[:, :-1], ends[:, 1:]
    middle = (start + (end - start) / 2)[:, :, None]
    with np.errstate(invalid="ignore"):
        covered = ((spans[:, None, :, 0] < middle) & (middle < spans[:, None, :, 1])).any(axis=-1)
        covered &= end - start > SHORTEST
    last = np.cumsum(covered.sum(axis=1))
    return Windows(np.append(0, last[:-1])[:people], last, start[covered], end[covered])
