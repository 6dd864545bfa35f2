"""The reference solver: scipy's LSODA, one person at a time, restarted at every event.

Slow and plain on purpose: tests hold faster engines against it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ldnsim.engine.checks import check, run_ends
from ldnsim.engine.equations import comparison_function, derivative_function, output_function
from ldnsim.engine.events import Event, Kind, Solution, Status
from ldnsim.engine.grids import Grids
from ldnsim.engine.guard import POINTS, SHORTEST, share_of
from ldnsim.engine.pieces import NODES, Pieces, Windows
from ldnsim.engine.schedules import Schedules, pack
from ldnsim.engine.stops import with_stops

if TYPE_CHECKING:
    from ldnsim.model.system import System

__all__ = ["Failed", "integrate", "solve"]

LEAST = 4  # roundings of the time
PIECES_OF_A_STEP = 2  # orders go up to 12, and those of pieces to 5
MOST_EVALUATIONS = 3_000_000  # of the right-hand side, for one person


class Failed(Exception):
    """One person cannot be solved."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


At = tuple[float, list[float], list[float]]  # time, states, parameters


class Method(NamedTuple):
    """derivative(t, states, parameters), and how exactly it is followed: rtol, atol (states,). Within windows, (start,
    end) in h, curves are kept. compared(t, states, parameters): the comparisons on states, None without any.
    """

    derivative: Callable[..., list[float]]
    compared: Callable[..., list[float]] | None
    rtol: float
    atol: np.ndarray
    windows: Sequence[tuple[float, float]]


class Stretch(NamedTuple):
    """What lies between two events: states at the wanted times and at the end; pieces of the windows as (start, end),
    (time, states) at each node.
    """

    wanted: list[list[float]]
    end: list[float]
    pieces: list[tuple[float, float, list[tuple[float, list[float]]]]]


class Course(NamedTuple):
    """One person's run: what is at each sample time; pieces of the windows as start, end, what is at each node."""

    samples: list[At]
    pieces: list[tuple[float, float, list[At]]]


def solve(
    system: System,
    parameters: np.ndarray,
    initial: np.ndarray,
    schedules: Sequence[Sequence[Event]] | Schedules,
    times: np.ndarray | Grids,
    outputs: Sequence[str],
    rtol: float = 1e-8,
    *,
    windows: Windows | None = None,
) -> Solution:
    """Outputs of every person at the sample times and, as polynomials, within windows.

    parameters (people, parameters), initial (people, states), one schedule per person, times (times,) ascending, h, or
    `Grids`: each person's own, and the values then are (samples, outputs). The run is from the first to the last of
    them; two are enough where only `windows` are looked at.
    Absolute tolerance of each state: 1e-3 * rtol * its scale. A person that cannot be solved, or has an output without
    a value at a sample time or within a window, gets a status, a reason, NaN and no pieces, and changes nothing for the
    others. Raises ValueError for tolerances, times, windows or shapes
    out of range.
    """
    parameters, initial = np.asarray(parameters, float), np.asarray(initial, float)
    check(system, parameters, initial, schedules, times, rtol, windows)
    start, end = run_ends(times, len(parameters))
    system, parameters, schedules, unresolved = with_stops(system, parameters, pack(schedules), start, end)
    observe = output_function(system, outputs)
    shape = (len(times.time),) if isinstance(times, Grids) else (len(parameters), len(times))
    values = np.full((*shape, len(outputs)), np.nan)
    status = np.zeros(len(parameters), dtype=np.int8)
    reason = [""] * len(parameters)
    ends: list[list[tuple[float, float]]] = [[] for _ in parameters]  # of each person's pieces
    curves: list[list[list[float]]] = []  # of everyone's pieces, the outputs at each node
    for person, schedule in enumerate(schedules):
        own = slice(times.first[person], times.last[person]) if isinstance(times, Grids) else person
        at = times.time[own] if isinstance(times, Grids) else np.asarray(times, float)
        spans = () if windows is None else windows.of(person)
        try:
            if person in unresolved:
                raise Failed(Status.BAD_EQUATION, unresolved[person])
            found = integrate(system, parameters[person], initial[person], schedule, at, rtol, spans)
            rows = [observe(*sample) for sample in found.samples]
            recorded = [[observe(*node) for node in nodes] for _, _, nodes in found.pieces]
            if not (np.all(np.isfinite(rows)) and np.all(np.isfinite(recorded))):
                raise Failed(Status.NOT_FINITE, "an output is not finite")
            values[own] = rows
            ends[person] = [(start, end) for start, end, _ in found.pieces]
            curves += recorded
        except Failed as caught:
            status[person], reason[person] = caught.status, caught.reason
        except (ArithmeticError, ValueError) as caught:
            status[person], reason[person] = Status.BAD_EQUATION, f"an output cannot be computed: {caught}"
    pieces = None if windows is None else _packed(ends, curves, len(outputs))
    return Solution(values, status, reason, pieces)


def _packed(ends: list[list[tuple[float, float]]], curves: list[list[list[float]]], outputs: int) -> Pieces:
    """Pieces as arrays."""
    last = np.cumsum([len(own) for own in ends], dtype=np.int64)
    first = np.append(0, last[:-1])[: len(last)]
    start, end = (np.array([both[i] for own in ends for both in own], float) for i in (0, 1))
    values = np.array(curves, float).reshape(len(start), len(NODES), outputs)
    return Pieces(first, last, start, end, np.ascontiguousarray(np.moveaxis(values, -1, 0)), NODES)


def integrate(
    system: System,
    parameters: np.ndarray,
    initial: np.ndarray,
    schedule: Sequence[Event],
    times: np.ndarray,
    rtol: float,
    windows: Sequence[tuple[float, float]] = (),
) -> Course:
    """One person's run, with pieces within windows (start, end) in h; raises Failed."""
    state, p, rates = list(map(float, initial)), list(map(float, parameters)), [0.0] * len(initial)
    atol = np.maximum(1e-3 * rtol * np.asarray(system.scale), 1e-300)
    method = Method(_counted(derivative_function(system)), comparison_function(system), rtol, atol, windows)
    now, done = float(times[0]), 0
    course = Course([], [])
    groups = [(time, list(group)) for time, group in groupby(schedule, key=lambda event: event.time)]
    for time, group in [*groups, (math.inf, [])]:
        until = int(np.searchsorted(times, time, side="right"))
        stop = min(time, float(times[-1]))
        if stop >= now:
            wanted = times[done:until]
            found = _stretch(method, now, stop, state, p, rates, wanted)
            course.samples.extend((t, y, list(p)) for t, y in zip(wanted, found.wanted, strict=True))
            course.pieces.extend((a, b, [(t, y, list(p)) for t, y in nodes]) for a, b, nodes in found.pieces)
            now, done, state = stop, until, found.end
        if done == len(times):
            break
        for event in group:
            _apply(event, system, state, p, rates)
    return course


def _stretch(
    method: Method,
    start: float,
    stop: float,
    state: list[float],
    p: list[float],
    rates: list[float],
    wanted: np.ndarray,
) -> Stretch:
    """States at the wanted times in [start, stop], and at stop, with nothing happening in between."""
    from scipy.integrate import solve_ivp  # imported late: it costs half a second

    if stop == start:
        return Stretch([list(state) for _ in wanted], list(state), [])

    def change(t: float, y: np.ndarray) -> list[float]:
        values = method.derivative(t, y.tolist(), p)
        return [value + rate for value, rate in zip(values, rates, strict=True)]

    if stop - start <= LEAST * np.spacing(max(abs(start), abs(stop))):  # lsoda refuses: nothing bends that quickly
        slope = np.asarray(change(start, np.asarray(state)))

        def line(t: float) -> np.ndarray:
            return np.asarray(state) + (t - start) * slope

        reached = [line(t).tolist() for t in (*wanted, stop)]
        return Stretch(reached[:-1], reached[-1], _cut(method.windows, [(start, stop, line)]))
    at = np.append(wanted, stop) if len(wanted) == 0 or wanted[-1] < stop else wanted
    tolerances = {"rtol": method.rtol, "atol": method.atol}
    dense = any(begin < stop and end > start for begin, end in method.windows)

    def run(begin: float, end: float, from_state: Sequence[float], **more: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # lsoda warns before it fails; the status says so
                found = solve_ivp(change, (begin, end), from_state, method="LSODA", **tolerances, **more)
        except (ArithmeticError, ValueError) as caught:
            message = f"the equations cannot be computed after {begin:.6g} h: {caught}"
            raise Failed(Status.BAD_EQUATION, message) from None
        if not found.success:
            message = f"the solver stopped between {begin:.6g} and {end:.6g} h: {found.message}"
            raise Failed(Status.STEP_TOO_SMALL, message)
        if not np.all(np.isfinite(found.y)):
            raise Failed(Status.NOT_FINITE, f"a state is not finite between {begin:.6g} and {end:.6g} h")
        return found

    if method.compared is not None:
        return _guarded(method, run, start, stop, state, p, at, len(wanted))
    found = run(start, stop, state, t_eval=at, dense_output=dense)
    states = found.y.T.tolist()
    steps = [(step.t_old, step.t, step) for step in found.sol.interpolants] if dense else []
    return Stretch(
        states[: len(wanted)], list(states[-1]), _cut(method.windows, steps)
    )  # events change states in place


def _guarded(
    method: Method,
    run: Callable[..., Any],
    start: float,
    stop: float,
    state: list[float],
    p: list[float],
    at: np.ndarray,
    wanted: int,
) -> Stretch:
    """A stretch in steps in which the comparisons on states change once at most: see `guard`."""
    assert method.compared is not None
    steps: list[Any] = []
    now, until, longest = start, stop, math.inf
    while now < stop:
        found = run(now, until, state, dense_output=True, max_step=longest)
        state, now, longest = found.y[:, -1].tolist(), until, math.inf
        for step in found.sol.interpolants:
            length = step.t - step.t_old
            times = step.t_old + length * np.linspace(0, 1, POINTS + 1)
            share = share_of(np.array([method.compared(t, step(t).tolist(), p) for t in times.tolist()]))
            if share < 1 and length > SHORTEST:  # once more from here, in shorter steps, up to where this one ended
                state, now = step(step.t_old).tolist(), step.t_old
                until, longest = step.t, share * length
                break
            steps.append(step)
        else:
            until = stop
    place = np.minimum(np.searchsorted([step.t for step in steps], at), len(steps) - 1)
    states = [steps[number](t).tolist() for t, number in zip(at.tolist(), place.tolist(), strict=True)]
    curves = [(step.t_old, step.t, step) for step in steps]
    return Stretch(states[:wanted], states[-1], _cut(method.windows, curves))


def _cut(
    windows: Sequence[tuple[float, float]], steps: Sequence[tuple[float, float, Callable[[float], np.ndarray]]]
) -> list[tuple[float, float, list[tuple[float, list[float]]]]]:
    """The steps' curves within the windows: (start, end, [(time, states) at each node])."""
    pieces = []
    for step_start, step_end, curve in steps:
        for window_start, window_end in windows:
            start, end = max(step_start, window_start), min(step_end, window_end)
            cuts = np.linspace(start, end, PIECES_OF_A_STEP + 1).tolist() if start < end else []
            for left, right in pairwise(cuts):
                nodes = ((1 - NODES) * left + NODES * right).tolist()
                pieces.append((left, right, [(t, curve(t).tolist()) for t in nodes]))
    return pieces


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
