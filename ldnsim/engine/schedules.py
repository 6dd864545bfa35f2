"""Schedules as arrays: what the driver walks through."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.engine.events import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Schedules", "joined", "no_events", "pack"]

EVENT = np.dtype([("time", "f8"), ("kind", "i8"), ("index", "i8"), ("value", "f8")])
ENDS = ("first", "last")


@dataclass(frozen=True)
class Schedules:
    """Events of many people, one after the other: person i has those from first[i] up to last[i], ascending in time.

    People with equal schedules may share a stretch. Arrays: first, last (people,); time in h, kind, index, value
    (events,).
    """

    first: np.ndarray
    last: np.ndarray
    time: np.ndarray
    kind: np.ndarray
    index: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def __iter__(self) -> Iterator[tuple[Event, ...]]:
        for first, last in zip(self.first.tolist(), self.last.tolist(), strict=True):
            columns = (array[first:last].tolist() for array in (self.time, self.kind, self.index, self.value))
            yield tuple(
                Event(time, Kind(kind), index, value) for time, kind, index, value in zip(*columns, strict=True)
            )

    def of(self, people: slice | np.ndarray) -> Schedules:
        """The schedules of some of the people."""
        return Schedules(self.first[people], self.last[people], self.time, self.kind, self.index, self.value)


def pack(schedules: Sequence[Sequence[Event]] | Schedules) -> Schedules:
    """Schedules as arrays. A schedule given several times as the same object is stored once."""
    if isinstance(schedules, Schedules):
        return schedules
    distinct = {id(schedule): schedule for schedule in schedules}
    lengths = np.fromiter(map(len, distinct.values()), dtype=np.int64, count=len(distinct))
    events = np.fromiter(chain.from_iterable(distinct.values()), dtype=EVENT, count=int(lengths.sum()))
    ends = np.cumsum(lengths)
    place = {key: number for number, key in enumerate(distinct)}
    which = np.fromiter((place[id(schedule)] for schedule in schedules), dtype=np.int64, count=len(schedules))
    columns = (np.ascontiguousarray(events[name]) for name in ("time", "kind", "index", "value"))
    return Schedules((ends - lengths)[which], ends[which], *columns)


def joined(pieces: Sequence[Schedules]) -> Schedules:
    """The schedules of several groups of people, one group after the other."""
    counts = np.cumsum([0, *(len(piece.time) for piece in pieces)])
    ends = [[getattr(piece, name) + count for piece, count in zip(pieces, counts, strict=False)] for name in ENDS]
    columns = [[getattr(piece, name) for piece in pieces] for name in EVENT.names or ()]
    return Schedules(*(np.concatenate(arrays) for arrays in (*ends, *columns)))


def no_events(people: int) -> Schedules:
    """The schedules of people to whom nothing happens."""
    nothing = np.empty(0)
    none = np.empty(0, np.int64)
    return Schedules(np.zeros(people, np.int64), np.zeros(people, np.int64), nothing, none, none, nothing)
