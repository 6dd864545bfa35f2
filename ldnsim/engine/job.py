"""What the driver is given: the job, and the whole numbers that each lane keeps."""

from __future__ import annotations

from typing import NamedTuple

from ldnsim.engine.lanes import Floats, Ints

__all__ = [
    "CALLED",
    "CODE",
    "EVENT",
    "FIRST",
    "FREE",
    "FRESH",
    "LAST",
    "LAST_PIECE",
    "LAST_WINDOW",
    "NEVER",
    "OWN_ROWS",
    "PERSON",
    "PIECE",
    "RECORDED",
    "RESTING",
    "SAMPLE",
    "SHIFT",
    "TRIES",
    "WINDOW",
    "Job",
]

# whole numbers that each lane keeps, as rows of `own`
PERSON, EVENT, SAMPLE, TRIES, FRESH, CODE, CALLED, FIRST, LAST, SHIFT = range(10)
WINDOW, LAST_WINDOW, PIECE, LAST_PIECE, RECORDED = range(10, 15)
OWN_ROWS = 15
FREE, RESTING = -1, -2  # instead of a person: wants one; the queue is empty

NEVER = float("inf")


class Job(NamedTuple):
    """What is to be solved, and where results go: arrays without strides.

    parameters (people * parameters), initial (people * states); home (states) is what a reset goes back to. The events
    of a person are first_event..last_event - 1 of the four event arrays; the sample times first_time..last_time - 1 of
    times, ascending. tolerance (states) absolute. Results: values (outputs * shown), a person's from place[person]
    on, ends (people * states) at the last time, status and tries (people).

    Windows to record in: a person's are first_window..last_window - 1 of window_start and window_end, ascending. A
    piece has the outputs at NODE_COUNT `nodes`, from 0 to 1 of its length, and `leading` tells how rough it is. A
    person's pieces go from first_piece up to last_piece of piece_start, piece_end (room) and piece_values (outputs *
    room * NODE_COUNT). pieces (people): how many there were; what was beyond the person's room was not written.
    """

    people: int
    queue: Ints
    parameters: Floats
    initial: Floats
    home: Floats
    first_event: Ints
    last_event: Ints
    event_time: Floats
    event_kind: Ints
    event_index: Ints
    event_value: Floats
    first_time: Ints
    last_time: Ints
    place: Ints
    times: Floats
    shown: int
    rtol: float
    tolerance: Floats
    most_tries: int
    values: Floats
    ends: Floats
    status: Ints
    tries: Ints
    first_window: Ints
    last_window: Ints
    window_start: Floats
    window_end: Floats
    nodes: Floats
    leading: Floats
    first_piece: Ints
    last_piece: Ints
    room: int
    piece_start: Floats
    piece_end: Floats
    piece_values: Floats
    pieces: Ints
