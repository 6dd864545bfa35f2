"""The reference solver: scipy's LSODA, one person at a time, restarted at every event.

Slow and plain on purpose: tests hold faster engines against it.
"""

from __future__ import annotations

import math
import warnings
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.engine.equations import derivative_function, output_function
from ldnsim.engine.events import Event, Kind, Solution, Status
from ldnsim.engine.grids import Grids
from ldnsim.engine.schedules import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ldnsim.engine.schedules import Schedules
    from ldnsim.model.system import System

__all__ = ["SMALLEST_RTOL", "Failed", "check", "integrate", "solve"]

SMALLEST_RTOL = 1e-12
SHORTEST = 4  # roundings of the time
MOST_EVALUATIONS = 3_000_000  # of the right-hand side, for one person


class Failed(Exception):
    """One person cannot be solved."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def solve(
    system: System,
    parameters: np.ndarray,
    initial: np.ndarray,
    schedules: Sequence[Sequence[Event]] | Schedules,
    times: np.ndarray | Grids,
    outputs: Sequence[str],
    rtol: float = 1e-8,
) -> Solution:
    """Outputs of every person at the sample times.

    parameters (people, parameters), initial (people, states), one schedule per person, times (times,) ascending, h, or
    `Grids`: each person's own, and the values then are (samples, outputs).
    Absolute tolerance of each state: 1e-3 * rtol * its scale. A person that cannot be solved gets a status, a reason
    and NaN, and changes nothing for the others. Raises ValueError for tolerances, times or shapes out of range.
    """
    parameters, initial = np.asarray(parameters, float), np.asarray(initial, float)
    check(system, parameters, initial, schedules, times, rtol)
    observe = output_function(system, outputs)
    shape = (len(times.time),) if isinstance(times, Grids) else (len(parameters), len(times))
    values = np.full((*shape, len(outputs)), np.nan)
    status = np.zeros(len(parameters), dtype=np.int8)
    reason = [""] * len(parameters)
    for person, schedule in enumerate(schedules):
        own = slice(times.first[person], times.last[person]) if isinstance(times, Grids) else person
        at = times.time[own] if isinstance(times, Grids) else np.asarray(times, float)
        try:
            found = integrate(system, parameters[person], initial[person], schedule, at, rtol)
            rows = [observe(t, y, p) for t, y, p in found]
            if not np.all(np.isfinite(rows)):
                raise Failed(Status.NOT_FINITE, "an output is not finite")
            values[own] = rows
        except Failed as caught:
            status[person], reason[person] = caught.status, caught.reason
        except (ArithmeticError, ValueError) as caught:
            status[person], reason[person] = Status.BAD_EQUATION, f"an output cannot be computed: {caught}"
    return Solution(values, status, reason)


def integrate(
    system: System,
    parameters: np.ndarray,
    initial: np.ndarray,
    schedule: Sequence[Event],
    times: np.ndarray,
    rtol: float,
) -> list[tuple[float, list[float], list[float]]]:
    """(time, states, parameters) of one person at each sample time; raises Failed."""
    state, p, rates = list(map(float, initial)), list(map(float, parameters)), [0.0] * len(initial)
    derivative = _counted(derivative_function(system))
    now, done = float(times[0]), 0
    samples: list[tuple[float, list[float], list[float]]] = []
    groups = [(time, list(group)) for time, group in groupby(schedule, key=lambda event: event.time)]
    atol = np.maximum(1e-3 * rtol * np.asarray(system.scale), 1e-300)
    for time, group in [*groups, (math.inf, [])]:
        until = int(np.searchsorted(times, time, side="right"))
        stop = min(time, float(times[-1]))
        if stop >= now:
            wanted = times[done:until]
            found, state = _stretch(derivative, now, stop, state, p, rates, wanted, rtol, atol)
            samples.extend((t, y, list(p)) for t, y in zip(wanted, found, strict=True))
            now, done = stop, until
        if done == len(times):
            break
        for event in group:
            _apply(event, system, state, p, rates)
    return samples


def _stretch(
    derivative: Callable[..., list[float]],
    start: float,
    stop: float,
    state: list[float],
    p: list[float],
    rates: list[float],
    wanted: np.ndarray,
    rtol: float,
    atol: np.ndarray,
) -> tuple[list[list[float]], list[float]]:
    """States at the wanted times in [start, stop], and at stop, with nothing happening in between."""
    from scipy.integrate import solve_ivp  # imported late: it costs half a second

    if stop == start:
        return [list(state) for _ in wanted], list(state)

    def change(t: float, y: np.ndarray) -> list[float]:
        values = derivative(t, y.tolist(), p)
        return [value + rate for value, rate in zip(values, rates, strict=True)]

    if stop - start <= SHORTEST * np.spacing(max(abs(start), abs(stop))):  # lsoda refuses: nothing bends that quickly
        slope = change(start, np.asarray(state))
        reached = [[y + (t - start) * speed for y, speed in zip(state, slope, strict=True)] for t in (*wanted, stop)]
        return reached[:-1], reached[-1]
    at = np.append(wanted, stop) if len(wanted) == 0 or wanted[-1] < stop else wanted
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # lsoda warns before it fails; the status says so
            found = solve_ivp(change, (start, stop), state, method="LSODA", t_eval=at, rtol=rtol, atol=atol)
    except (ArithmeticError, ValueError) as caught:
        raise Failed(Status.BAD_EQUATION, f"the equations cannot be computed after {start:.6g} h: {caught}") from None
    if not found.success:
        raise Failed(Status.STEP_TOO_SMALL, f"the solver stopped between {start:.6g} and {stop:.6g} h: {found.message}")
    if not np.all(np.isfinite(found.y)):
        raise Failed(Status.NOT_FINITE, f"a state is not finite between {start:.6g} and {stop:.6g} h")
    states = found.y.T.tolist()
    return states[: len(wanted)], list(states[-1])  # events change the state in place


def _apply(event: Event, system: System, state: list[float], p: list[float], rates: list[float]) -> None:
    match event.kind:
        case Kind.ADD:
            state[event.index] += event.value
        case Kind.RATE:
            rates[event.index] = event.value
        case Kind.SET:
            p[event.index] = event.value
        case Kind.RESET:
            state[:] = system.initial
            rates[:] = [0.0] * len(rates)


def _counted(derivative: Callable[..., list[float]]) -> Callable[..., list[float]]:
    calls = 0

    def counted(t: float, y: list[float], p: list[float]) -> list[float]:
        nonlocal calls
        calls += 1
        if calls > MOST_EVALUATIONS:
            raise Failed(
                Status.TOO_MANY_STEPS, f"more than {MOST_EVALUATIONS} evaluations of the equations, at {t:.6g} h"
            )
        return derivative(t, y, p)

    return counted


def check(
    system: System,
    parameters: np.ndarray,
    initial: np.ndarray,
    schedules: Sequence[Sequence[Event]] | Schedules,
    times: np.ndarray | Grids,
    rtol: float,
) -> None:
    """Raises ValueError for tolerances, times, schedules or shapes out of range."""
    people = len(schedules)
    if parameters.shape != (people, len(system.parameters)) or initial.shape != (people, len(system.states)):
        raise ValueError(
            f"{people} schedules, parameters {parameters.shape} and initial {initial.shape} do not match the system"
        )
    if not SMALLEST_RTOL <= rtol <= 0.1:
        raise ValueError(f"rtol {rtol} is out of range: {SMALLEST_RTOL} to 0.1")
    starts = _start_times(times, people)
    events = pack(schedules)
    if not len(events.time):
        return
    some = events.first < events.last
    inside = np.zeros(len(events.time), np.int64)  # of how many people an event and the next one are both
    np.add.at(inside, events.first[some], 1)
    np.add.at(inside, events.last[some] - 1, -1)
    back = np.diff(events.time) < 0
    if np.any(back & (np.cumsum(inside)[:-1] > 0)) or not np.all(np.isfinite(events.time)):
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


def _start_times(times: np.ndarray | Grids, people: int) -> np.ndarray:
    """The first sample time of each person; raises ValueError for times that are not finite, ascending and some."""
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
    return time[times.first] if isinstance(times, Grids) else np.full(people, time[0])
