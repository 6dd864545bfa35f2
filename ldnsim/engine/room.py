"""Room for pieces whose number is only known once they are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ldnsim.engine.events import Status
from ldnsim.engine.grids import stretches
from ldnsim.engine.job import Job
from ldnsim.engine.pieces import NODES, Pieces, Windows

__all__ = ["Room", "gathered", "guess", "room_for"]

# Pieces that most people do not exceed. Too much costs little, for memory that is never written to is not taken.
PER_WINDOW, PER_HOUR, PER_EVENT = 32, 4, 16
ONE_EACH = (
    *("first_event", "last_event", "first_time", "last_time", "place"),
    *("first_window", "last_window", "first_piece", "last_piece"),
)


class Room(NamedTuple):
    """Where pieces are written: those of person i from first[i] up to last[i].

    first, last (people,); start, end (room,); values (outputs, room, nodes).
    """

    first: np.ndarray
    last: np.ndarray
    start: np.ndarray
    end: np.ndarray
    values: np.ndarray

    def fields(self) -> dict[str, Any]:
        """A job's fields for pieces that are written here."""
        return {
            "first_piece": self.first,
            "last_piece": self.last,
            "room": len(self.start),
            "piece_start": self.start,
            "piece_end": self.end,
            "piece_values": self.values.reshape(-1),
        }


def room_for(counts: np.ndarray, outputs: int) -> Room:
    """Room for so many pieces of each person; counts (people,)."""
    last, total = np.cumsum(counts), int(counts.sum())
    return Room(last - counts, last, np.empty(total), np.empty(total), np.empty((outputs, total, len(NODES))))


def guess(windows: Windows, events: np.ndarray, run: np.ndarray) -> np.ndarray:
    """How many pieces each person may take (people,). events, run (people,): how many events in a run of how many h."""
    if not len(windows.start):
        return np.zeros(len(windows), np.int64)
    length = np.append(0.0, np.cumsum(windows.end - windows.start))
    hours = length[windows.last] - length[windows.first]
    share = np.divide(hours, run, out=np.zeros(len(run)), where=run > 0)
    count = PER_WINDOW * (windows.last - windows.first) + PER_HOUR * hours + PER_EVENT * events * share
    return np.asarray(np.ceil(count), np.int64)


def gathered(run: Callable[[Job], None], job: Job, room: Room) -> Pieces:
    """What the job left in its room, packed. People with too little room are solved again: the same bits, but all."""
    counts = np.where(job.status == Status.SOLVED, job.pieces, 0)
    exact = room_for(counts, len(room.values))
    source = stretches(room.first, counts)
    for found, packed, axis in zip(room[2:], exact[2:], (0, 0, 1), strict=True):
        np.take(found, source, axis, packed, mode="clip")
    short = np.flatnonzero(counts > room.last - room.first)  # so far, what others left stands in their places
    if len(short):
        run(_some(job._replace(**exact.fields()), short))
    return Pieces(*exact, NODES)


def _some(job: Job, who: np.ndarray) -> Job:
    """The job for some of the people. Samples go where they are already; other results are not looked at again."""
    fields = {name: getattr(job, name)[who] for name in ONE_EACH}
    for name in ("parameters", "initial", "ends"):
        whole = getattr(job, name)
        fields[name] = whole.reshape(job.people, len(whole) // job.people)[who].reshape(-1)
    fields |= {name: np.zeros(len(who), np.int64) for name in ("status", "tries", "pieces")}
    return job._replace(people=len(who), queue=np.zeros(1, np.int64), **fields)
