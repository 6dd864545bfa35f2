"""The event contract between schedules and solvers.

A person's schedule is a sequence of events in ascending time. Between events the equations hold; at an event the state
or the inputs jump. A sample at the time of an event shows the state before it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from ldnsim.engine.pieces import Pieces

__all__ = ["Event", "Kind", "Solution", "Status"]


class Kind(IntEnum):
    ADD = 0  # state[index] += value
    RATE = 1  # from now on, value is added to d/dt(state[index])
    SET = 2  # from now on, parameter[index] = value
    RESET = 3  # every state back to the system's initial one, all rates to 0; index and value mean nothing


class Event(NamedTuple):
    time: float  # h
    kind: Kind
    index: int = 0  # type: ignore[assignment]  # a field, not the tuple's method
    value: float = 0.0


class Status(IntEnum):
    """What became of a person; anything but SOLVED leaves NaN in the person's outputs."""

    SOLVED = 0
    NOT_FINITE = 1
    TOO_MANY_STEPS = 2
    STEP_TOO_SMALL = 3
    NO_RHYTHM = 4
    BAD_EQUATION = 5
    NO_STEADY_STATE = 6


class Solution(NamedTuple):
    """values: (people, times, outputs); status: (people,) of Status; reason: one text per person, "" where solved;
    pieces: the curves within the windows asked for.
    """

    values: np.ndarray
    status: np.ndarray
    reason: list[str]
    pieces: Pieces | None = None
