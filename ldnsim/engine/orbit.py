"""The drug-free periodic orbit: where every run starts.

Newton's method on the map of one day: a state from which the equations, left alone, come back after 24 h. All people
are solved at once, and the neighbours of a state that tell its Jacobian are further rows of the same solve; each person
still takes its own number of iterations, so that its bits do not depend on the company.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ldnsim.engine.choose import SolverName, native_works
from ldnsim.engine.events import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.system import System

__all__ = ["periodic_states"]

DAY = 24.0
LOOSE, TIGHT = 1e-6, 1e-9  # rtol while searching, and for the orbit itself
NEAR, SETTLED = 1e-3, 1e-8  # drift after one day, of a state's size
NUDGE = 1e-4
MOST_ITERATIONS = 30
REFRESH = 6  # iterations with one Jacobian
SINGULAR = 1e-9

# (rows of parameters, states at 0 h, rtol) -> states at 24 h, status, reasons
DayMap = Callable[[np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray, list[str]]]


class _Search(NamedTuple):
    """What is known of each person: state, slope of the day map (people, states, states) with its active states,
    status, reasons.
    """

    state: np.ndarray
    slope: np.ndarray
    active: np.ndarray
    status: np.ndarray
    reason: list[str]


def periodic_states(
    system: System,
    parameters: np.ndarray,
    *,
    outputs: Sequence[str] = (),
    solver: SolverName = "native",
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """States at t = 0 on the drug-free orbit of every person.

    parameters (people, parameters) -> states (people, states), status (people,), reasons. Where no orbit is found, the
    status is NO_RHYTHM (or that of the failed solution) and the states are NaN. `outputs`: those of the solves to come,
    so that one compiled system serves both.
    """
    parameters = np.asarray(parameters, float)
    people, size = len(parameters), len(system.states)
    day = _native_day(system, outputs, threads) if solver == "native" and native_works() else _reference_day(system)
    guess = np.tile(
        np.asarray(system.initial, float), (people, 1)
    )  # never a neighbour's orbit: a person's bits are their own
    search = _Search(
        guess, np.zeros((people, size, size)), np.zeros((people, size), bool), np.zeros(people, np.int8), [""] * people
    )
    if size:
        _settle(system, parameters, search, day, LOOSE, NEAR, refresh=1)
        _settle(system, parameters, search, day, TIGHT, SETTLED, refresh=REFRESH)
    search.state[search.status != Status.SOLVED] = np.nan
    return search.state, search.status, search.reason


def _settle(
    system: System, parameters: np.ndarray, search: _Search, day: DayMap, rtol: float, settled: float, *, refresh: int
) -> None:
    """Newton until a day changes no state by more than `settled`, with a new Jacobian every `refresh` iterations.

    While searching (refresh = 1) the step that belongs to the last Jacobian is taken too: it is paid for already.
    """
    smallest = 1e-3 * np.asarray(system.scale, float)
    todo = np.flatnonzero(search.status == Status.SOLVED)
    drift = size = np.zeros((0, len(smallest)))
    for iteration in range(MOST_ITERATIONS):
        end, status, reason = day(parameters[todo], search.state[todo], rtol)
        for row in np.flatnonzero(status != Status.SOLVED).tolist():
            search.status[todo[row]], search.reason[todo[row]] = status[row], f"no drug-free rhythm: {reason[row]}"
        solved = status == Status.SOLVED
        todo, end = todo[solved], end[solved]
        state = search.state[todo]
        drift, size = end - state, np.maximum(np.abs(state), smallest)
        left = np.any(np.abs(drift) > settled * size, axis=1)
        if refresh > 1:
            todo, end, state, drift, size, left = (array[left] for array in (todo, end, state, drift, size, left))
        if not len(todo):
            return
        if iteration % refresh == refresh - 1:
            _take_slopes(parameters, search, day, rtol, todo, end, drift, size)
        proposed = state + _newton_step(search.slope[todo], search.active[todo], drift)
        # Newton may leap to where the equations mean nothing; a plain day never does. Later on a state may change sign:
        # there are orbits that cross zero.
        same_sign = (proposed > 0) | (state <= 0) | (iteration >= MOST_ITERATIONS // 2)
        sound = np.all(np.isfinite(proposed) & same_sign, axis=1)
        search.state[todo] = np.where(sound[:, None], proposed, end)
        todo, drift, size = todo[left], drift[left], size[left]
        if not len(todo):
            return
    for person, worst in zip(todo.tolist(), np.argmax(np.abs(drift) / size, axis=1).tolist(), strict=True):
        search.status[person] = Status.NO_RHYTHM
        search.reason[person] = (
            f"no drug-free rhythm: {system.states[worst]} still drifts after {MOST_ITERATIONS} iterations"
        )


def _take_slopes(
    parameters: np.ndarray,
    search: _Search,
    day: DayMap,
    rtol: float,
    todo: np.ndarray,
    end: np.ndarray,
    drift: np.ndarray,
    size: np.ndarray,
) -> None:
    """The Jacobian of the day map by differences: a row per person and active state. Drug states stay at zero and need
    none.
    """
    state = search.state[todo]
    active = (drift != 0) | (state != 0)
    who, which = np.nonzero(active)
    nudge = NUDGE * size[who, which]
    nudged = state[who]
    nudged[np.arange(len(who)), which] += nudge
    after, status, _ = day(parameters[todo[who]], nudged, rtol)
    slope = np.zeros((len(todo), state.shape[1], state.shape[1]))
    slope[who, :, which] = np.where((status == Status.SOLVED)[:, None], (after - end[who]) / nudge[:, None], np.nan)
    search.slope[todo], search.active[todo] = slope, active


def _newton_step(slope: np.ndarray, active: np.ndarray, drift: np.ndarray) -> np.ndarray:
    """x of (slope - 1) x = -drift for each person, inactive states left at 0: elimination with pivoting, all at once.

    Element by element over people, so that nobody's rounding depends on the company. A direction in which a day changes
    nothing (something conserved) has a pivot of about zero and is left alone.
    """
    used = np.flatnonzero(active.any(axis=0))  # what somebody else uses is an identity here, and changes no bit
    people, size = len(drift), len(used)
    everyone, active = np.arange(people), active[:, used]
    square = active[:, :, None] & active[:, None, :]
    matrix = np.where(square, slope[:, used[:, None], used], 0.0) - np.eye(size)
    right = np.where(active, -drift[:, used], 0.0)
    free = np.zeros((people, size), bool)
    for k in range(size):
        pivot = k + np.argmax(np.abs(matrix[:, k:, k]), axis=1)
        for array in (matrix, right):
            array[everyone, k], array[everyone, pivot] = array[everyone, pivot], array[everyone, k]
        free[:, k] = np.abs(matrix[:, k, k]) < SINGULAR
        lead = np.where(free[:, k], np.inf, matrix[:, k, k])
        factor = matrix[:, k + 1 :, k] / lead[:, None]
        matrix[:, k + 1 :] -= factor[:, :, None] * matrix[:, k, None]
        right[:, k + 1 :] -= factor * right[:, k, None]
    x = np.zeros_like(drift)
    for k in range(size - 1, -1, -1):
        total = right[:, k]
        for j in range(k + 1, size):
            total = total - matrix[:, k, j] * x[:, used[j]]
        x[:, used[k]] = np.where(free[:, k], 0.0, total / np.where(free[:, k], 1.0, matrix[:, k, k]))
    return x


def _native_day(system: System, outputs: Sequence[str], threads: int | None) -> DayMap:
    from ldnsim.engine import native

    def day(parameters: np.ndarray, states: np.ndarray, rtol: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
        done = native.walk(
            system, parameters, states, [()] * len(states), np.array([0.0, DAY]), outputs, rtol, threads=threads
        )
        return done.ends, done.status, native.reasons(done.status)

    return day


def _reference_day(system: System) -> DayMap:
    from ldnsim.engine.reference import Failed, integrate

    def day(parameters: np.ndarray, states: np.ndarray, rtol: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
        ends, status, reason = np.full_like(states, np.nan), np.zeros(len(states), np.int64), [""] * len(states)
        for row, (p, y) in enumerate(zip(parameters, states, strict=True)):
            try:
                ends[row] = integrate(system, p, y, (), np.array([0.0, DAY]), rtol)[-1][1]
            except Failed as caught:
                status[row], reason[row] = caught.status, caught.reason
        return ends, status, reason

    return day
