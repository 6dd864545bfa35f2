"""What every solver refuses before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.engine.events import Event
from ldnsim.engine.grids import Grids
from ldnsim.engine.pieces import Windows
from ldnsim.engine.schedules import Schedules, pack

if TYPE_CHECKING:
    from ldnsim.model.system import System

__all__ = ["LARGEST_RTOL", "SMALLEST_RTOL", "check", "run_ends"]

SMALLEST_RTOL, LARGEST_RTOL = 1e-12, 0.1


def check(
    system: System,
    parameters: np.ndarray,
    initial: np.ndarray,
    schedules: Sequence[Sequence[Event]] | Schedules,
    times: np.ndarray | Grids,
    rtol: float,
    windows: Windows | None = None,
) -> None:
    """Raises ValueError for tolerances, times, schedules, windows or shapes out of range."""
    people = len(schedules)
    if parameters.shape != (people, len(system.parameters)) or initial.shape != (people, len(system.states)):
        raise ValueError(
            f"{people} schedules, parameters {parameters.shape} and initial {initial.shape} do not match the system"
        )
    if not SMALLEST_RTOL <= rtol <= LARGEST_RTOL:
        raise ValueError(f"rtol {rtol} is out of range: {SMALLEST_RTOL} to {LARGEST_RTOL}")
    starts, ends = _runs(times, people)
    if windows is not None:
        _check_windows(windows, starts, ends)
    events = pack(schedules)
    if not len(events.time):
        return
    some = events.first < events.last
    back = np.diff(events.time) < 0
    if np.any(back & _together(events.first, events.last, len(events.time))) or not np.all(np.isfinite(events.time)):
        raise ValueError("events must be in ascending time, and finite")
    if np.any(events.time[events.first[some]] < starts[some]):
        raise ValueError("an event stands before the first sample time")
    limits = np.array(
        [len(system.states), len(system.states), len(system.parameters), np.iinfo(np.int64).max]
    )  # by Kind
    if np.any((events.kind < 0) | (events.kind >= len(limits))):
        raise ValueError("an event of unknown kind")
    if np.any((events.index < 0) | (events.index >= limits[events.kind])):
        raise ValueError("an event's index is out of range")


def _runs(times: np.ndarray | Grids, people: int) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last sample time of each person; raises ValueError for times that are not finite, ascending and
    some.
    """
    if isinstance(times, Grids):
        time, within = times.time, np.ones(max(0, len(times.time) - 1), bool)
        sound = len(times) == people and bool(np.all(times.first < times.last))
        if sound:
            within[times.first[times.first > 0] - 1] = False  # from one person to the next, time may go back
    else:
        time = np.asarray(times, float)
        sound, within = time.ndim == 1 and len(time) > 0, np.ones(max(0, time.size - 1), bool)
    if not sound or not np.all((np.diff(time) > 0) | ~within) or not np.all(np.isfinite(time)):
        raise ValueError("sample times must be finite and ascending, and at least one")
    return run_ends(times, people)


def run_ends(times: np.ndarray | Grids, people: int) -> tuple[np.ndarray, np.ndarray]:
    """When each person's run starts and ends (people,), h."""
    if isinstance(times, Grids):
        return times.time[times.first], times.time[times.last - 1]
    time = np.asarray(times, float)
    return np.full(people, time[0]), np.full(people, time[-1])


def _check_windows(windows: Windows, earliest: np.ndarray, latest: np.ndarray) -> None:
    """Raises ValueError for windows that are empty, not in ascending order, or not within the run of their person:
    earliest, latest (people,) in h.
    """
    first, last, start, end = windows.first, windows.last, windows.start, windows.end
    if not len(first) == len(last) == len(earliest):
        raise ValueError(f"windows of {len(first)} people, where there are {len(earliest)}")
    if start.shape != end.shape or np.any((first < 0) | (first > last) | (last > len(start))):
        raise ValueError("a person's windows are not among those given")
    if not np.all((start < end) & np.isfinite(start) & np.isfinite(end)):
        raise ValueError("a window must end after it starts, and both must be finite")
    if np.any((start[1:] < end[:-1]) & _together(first, last, len(start))):
        raise ValueError("a person's windows must be in ascending order and not overlap")
    some = first < last
    outside = (start[first[some]] < earliest[some]) | (end[last[some] - 1] > latest[some])
    if np.any(outside):
        worst = np.flatnonzero(some)[np.argmax(outside)]
        run, asked = (earliest[worst], latest[worst]), (start[first[worst]], end[last[worst] - 1])
        raise ValueError(
            f"a window lies outside the run, which is from {run[0]:g} to {run[1]:g} h: {asked[0]:g} to {asked[1]:g} h"
        )


def _together(first: np.ndarray, last: np.ndarray, count: int) -> np.ndarray:
    """Whether each of `count` things and the next one belong to the same person, of those from first[i] up to last[i]:
    (count - 1,).
    """
    people = np.zeros(count + 1, np.int64)
    some = first < last
    np.add.at(people, first[some], 1)
    np.add.at(people, last[some] - 1, -1)
    return np.cumsum(people)[: max(0, count - 1)] > 0
