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
    "OWN_ROWS",
    "PERSON",
    "RESTING",
    "SAMPLE",
    "SHIFT",
    "TRIES",
    "Job",
]

# whole numbers that each lane keeps, as rows of `own`
PERSON, EVENT, SAMPLE, TRIES, FRESH, CODE, CALLED, FIRST, LAST, SHIFT = range(10)
OWN_ROWS = 10
FREE, RESTING = -1, -2  # instead of a person: wants one; the queue is empty


class Job(NamedTuple):
    """What is to be solved, and where results go: arrays without strides.

    parameters (people * parameters), initial (people * states); home (states) is what a reset goes back to. The events
    of a person are first_event..last_event - 1 of the four event arrays; the sample times first_time..last_time - 1 of
    times, ascending. tolerance (states) absolute. Results: values (outputs * shown), a person's from place[person]
    on, ends (people * states) at the last time, status and tries (people).
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
