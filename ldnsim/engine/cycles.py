"""States that a cycle brings back: what the drug-free rhythm and the steady state of a regimen have in common.

Newton's method on the map of one cycle. All people are solved at once, and the neighbours of a state that tell the
map's Jacobian are further rows of the same solve; each person still takes its own number of iterations, so that its
bits do not depend on the company. Where the equations are linear the first step arrives.

A state that no equation looks at (an amount eliminated, an area) only counts: it has no steady value, and stays where
it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ldnsim.engine import choose
from ldnsim.engine.events import Status
from ldnsim.engine.grids import Grids
from ldnsim.engine.newton import Map, newton_step, slopes_of
from ldnsim.engine.settling import DOUBTED, expands, reach, refine
from ldnsim.foundation.expressions import names_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.engine.choose import Solve
    from ldnsim.engine.schedules import Schedules
    from ldnsim.model.system import System

__all__ = ["SETTLED", "TIGHT", "Cycles", "Returning", "cycle_map", "returning_states"]

LOOSE, TIGHT = 1e-6, 1e-9  # rtol while searching, and for the answer itself
NEAR, SETTLED = 1e-3, 1e-8  # drift after one cycle, of a state's size
NUDGE = 1e-4
MOST_ITERATIONS = 30
REFRESH = 6  # iterations with one Jacobian


@dataclass(frozen=True)
class Cycles:
    """What happens in one cycle of each person: parameters (people, parameters), the schedule, and from when on (h) for
    how long: start, period (people,). Events at the end belong to the next cycle.
    """

    parameters: np.ndarray
    schedules: Schedules
    start: np.ndarray
    period: np.ndarray


class Returning(NamedTuple):
    """state (people, states) at the start of the cycle; residual (people, states): what a cycle still changes, as a
    share of the state's size, or how far from its steady value it may be, where that is much more; status (people,) and
    reasons of the solves. Above `SETTLED` a residual has not settled. grows (people,): the number of a state that grows
    from cycle to cycle without end, so that nothing comes back; -1 for none. verified (people,): whose state was
    doubted, and does come back.
    """

    state: np.ndarray
    residual: np.ndarray
    status: np.ndarray
    reason: list[str]
    grows: np.ndarray
    verified: np.ndarray


class _Search(NamedTuple):
    """What is known of each person: the answer so far; slope of the map (people, states, states) with the active
    states; which states are held where they are (people, states); who is given up (people,); how far the last step went
    against what a cycle changed, and whether it went the other way (people,).
    """

    found: Returning
    slope: np.ndarray
    active: np.ndarray
    held: np.ndarray
    given_up: np.ndarray
    reach: np.ndarray
    turned: np.ndarray


def returning_states(
    system: System,
    cycles: Cycles,
    guess: np.ndarray,
    *,
    held: np.ndarray | None = None,
    attracting: bool = False,
    outputs: Sequence[str] = (),
    solver: choose.SolverName = "native",
    threads: int | None = None,
) -> Returning:
    """The states from which each person's cycle comes back; guess (people, states).

    `held` (people, states): states that stay at the guess, besides those that only count. A person whose solve fails
    keeps its status and reason. `attracting`: only states that cycles lead to, not those that they lead away from.
    What a cycle changes is divided by how much of a deviation it takes away, so that a state that settles slowly is no
    less exact. `outputs`: those of the solves to come, so that one compiled system serves both.
    """
    people, size = guess.shape
    cycle = cycle_map(system, cycles, outputs=outputs, solver=solver, threads=threads)
    solved, nothing = np.zeros(people, np.int8), np.full(people, -1)
    found = Returning(
        guess.copy(), np.zeros((people, size)), solved, [""] * people, grows=nothing, verified=np.zeros(people, bool)
    )
    slope, active = np.zeros((people, size, size)), np.zeros((people, size), bool)
    kept = _counters(system) | (np.zeros((people, size), bool) if held is None else held)
    nobody = np.zeros(people, bool)
    search = _Search(found, slope, active, kept, nobody, np.ones(people), nobody.copy())
    if size:
        _settle(system, search, cycle, LOOSE, NEAR, refresh=1)
        _settle(system, search, cycle, TIGHT, SETTLED, refresh=REFRESH)
        doubted = (found.residual.max(axis=1) * search.reach > DOUBTED) | search.turned | search.given_up
        if attracting:
            doubted |= expands(slope, active)
        who = np.flatnonzero((found.status == Status.SOLVED) & doubted)
        if len(who):
            refine(cycle, found, who, kept[who], 1e-3 * np.asarray(system.scale, float), attracting=attracting)
    return found


def cycle_map(
    system: System,
    cycles: Cycles,
    *,
    outputs: Sequence[str] = (),
    solver: choose.SolverName = "native",
    threads: int | None = None,
) -> Map:
    """What one cycle makes of some people's states."""
    if solver == "native" and choose.native_works():
        return _native_map(system, cycles, outputs, threads)
    return _map_by(choose.solver(solver, threads), system, cycles)


def _counters(system: System) -> np.ndarray:
    """Which states no derivative looks at, not even their own."""
    assigned = dict(system.assignments)
    seen: set[str] = set()
    waiting = [name for derivative in system.derivatives for name in names_in(derivative)]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += names_in(assigned[name]) if name in assigned else ()
    return np.array([state not in seen for state in system.states], bool)


def _settle(system: System, search: _Search, cycle: Map, rtol: float, settled: float, *, refresh: int) -> None:
    """Newton until a cycle changes no state by more than `settled`, with a new Jacobian every `refresh` iterations.

    While searching (refresh = 1) the step that belongs to the last Jacobian is taken too: it is paid for already.
    """
    found = search.found
    smallest = 1e-3 * np.asarray(system.scale, float)
    plain = np.full_like(found.state, np.nan)  # where a plain cycle led to, while a leap is tried out
    todo = np.flatnonzero((found.status == Status.SOLVED) & ~search.given_up)
    for iteration in range(MOST_ITERATIONS):
        end, status, reason = cycle(todo, found.state[todo], rtol)
        solved = status == Status.SOLVED
        back = todo[~solved & np.isfinite(plain[todo]).all(axis=1)]
        found.state[back], plain[back] = plain[back], np.nan  # a leap to where the equations mean nothing
        for row in np.flatnonzero(~solved & ~np.isin(todo, back)).tolist():
            found.status[todo[row]], found.reason[todo[row]] = status[row], reason[row]
        todo, end = todo[solved], end[solved]
        state, held = found.state[todo], search.held[todo]
        drift, size = np.where(held, 0.0, end - state), np.maximum(np.abs(state), smallest)
        found.residual[todo] = np.abs(drift) / size
        left = np.any(found.residual[todo] > settled, axis=1)
        if refresh > 1:
            todo, end, state, held, drift, size, left = (
                array[left] for array in (todo, end, state, held, drift, size, left)
            )
        if len(todo):
            if iteration % refresh == refresh - 1:
                _take_slopes(search, cycle, rtol, todo, end, drift, size)
            step = newton_step(search.slope[todo], search.active[todo], drift)
            search.reach[todo], search.turned[todo] = reach(step / size, drift / size)
            proposed = state + step
            # A plain cycle never leads to a state that cannot be, Newton may. Later on a state may change sign: there
            # are orbits that cross zero.
            same_sign = (proposed > 0) | (state <= 0) | (iteration >= MOST_ITERATIONS // 2)
            sound = np.all(np.isfinite(proposed) & same_sign, axis=1)[:, None]
            plain[todo] = np.where(held, state, end)
            found.state[todo] = np.where(sound, proposed, plain[todo])
        todo = np.sort(np.concatenate([todo[left], back]))
        if not len(todo):
            return
    search.given_up[todo] = True


def _take_slopes(
    search: _Search,
    cycle: Map,
    rtol: float,
    todo: np.ndarray,
    end: np.ndarray,
    drift: np.ndarray,
    size: np.ndarray,
) -> None:
    """New slopes for some people. States that stay at zero need none."""
    state = search.found.state[todo]
    active = ((drift != 0) | (state != 0)) & ~search.held[todo]
    search.slope[todo] = slopes_of(cycle, rtol, todo, state, end, active, NUDGE * size)
    search.active[todo] = active


def _native_map(system: System, cycles: Cycles, outputs: Sequence[str], threads: int | None) -> Map:
    from ldnsim.engine import native

    def cycle(who: np.ndarray, states: np.ndarray, rtol: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
        schedules, times = cycles.schedules.of(who), _start_and_end(cycles, who)
        done = native.walk(system, cycles.parameters[who], states, schedules, times, outputs, rtol, threads=threads)
        return done.ends, done.status, done.reason

    return cycle


def _map_by(solve: Solve, system: System, cycles: Cycles) -> Map:
    """The map by any solver: every state is an output of its own."""
    shown = replace(system, exports={state: state for state in system.states})

    def cycle(who: np.ndarray, states: np.ndarray, rtol: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
        schedules, times = cycles.schedules.of(who), _start_and_end(cycles, who)
        done = solve(shown, cycles.parameters[who], states, schedules, times, system.states, rtol)
        return done.values[1::2], done.status, done.reason

    return cycle


def _start_and_end(cycles: Cycles, who: np.ndarray) -> Grids:
    first, start = 2 * np.arange(len(who)), cycles.start[who]
    return Grids(first, first + 2, np.column_stack([start, start + cycles.period[who]]).reshape(-1))
