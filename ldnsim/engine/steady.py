"""Steady state: where a regimen that repeats has led to, after it was followed for ever.

One routine for records with SS and for scenarios that start there. Nothing is simulated until it settles: the search
on one cycle (`cycles`) arrives at once where the equations are linear, however slow a state is.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ldnsim.engine.choose import SolverName
from ldnsim.engine.cycles import SETTLED, TIGHT, Cycles, Returning, cycle_map, returning_states
from ldnsim.engine.events import Status
from ldnsim.engine.newton import Map
from ldnsim.engine.orbit import DAY, periodic_states
from ldnsim.engine.rhythm import ignores_time, repeats_daily
from ldnsim.engine.schedules import no_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.model.system import System

__all__ = ["Steady", "common_cycle", "steady_states", "unsettled"]

MOST_REPEATS = 366  # of a regimen until it meets the clock again
FAR = 1e-3  # from the drug-free state, of a state's size
ENDLESS = 1.0
STILL = 1e-2  # of what the first cycle changed
LITTLE, KEPT = 1e-3, 1e-5  # of a state's size, and of that
GROWS = "grows from cycle to cycle without end: less is taken away than is added"


class Steady(NamedTuple):
    """state, residual (people, states): what one more cycle would change, as a share of the state's size (1 where each
    cycle adds to it without end); status (people,) and reasons.
    """

    state: np.ndarray
    residual: np.ndarray
    status: np.ndarray
    reason: list[str]


def common_cycle(system: System, interval: float) -> float | None:
    """The shortest time (h) after which a regimen of this interval and the clock in the equations both start anew.

    The interval itself where the equations ignore the time; None where there is none within 366 intervals, or where
    they do not repeat every day.
    """
    if ignores_time(system):
        return interval
    if not repeats_daily(system, ()):
        return None
    for repeats in range(1, MOST_REPEATS + 1):
        days = repeats * interval / DAY
        if days > 0.5 and math.isclose(days, round(days), rel_tol=1e-12):
            return repeats * interval
    return None


def steady_states(
    system: System,
    cycles: Cycles,
    *,
    outputs: Sequence[str] = (),
    solver: SolverName = "native",
    threads: int | None = None,
) -> Steady:
    """The states at the start of each person's cycle, before what happens at that moment.

    States that only count what passed (amounts eliminated) have no steady value: they stay at their drug-free one, and
    so do states that each cycle adds to without end. What does not settle keeps the residual that it has, and a note:
    that is an answer with a caveat, and the status stays SOLVED.
    """
    start, status, reason = periodic_states(system, cycles.parameters, outputs=outputs, solver=solver, threads=threads)
    with_rhythm = status == Status.SOLVED
    start[~with_rhythm] = system.initial  # solved in vain, so that nobody's place moves
    given: dict[str, Any] = {"outputs": outputs, "solver": solver, "threads": threads}
    found = returning_states(system, cycles, start, attracting=True, **given)
    map_of_cycle = cycle_map(system, cycles, **given)
    endless = _endless(system, map_of_cycle, start, found)
    again = np.flatnonzero(endless.any(axis=1))
    if len(again):  # what grows without end must not carry the others away
        some = Cycles(cycles.parameters[again], cycles.schedules.of(again), cycles.start[again], cycles.period[again])
        held = endless[again]
        left_alone = cycle_map(system, replace(cycles, schedules=no_events(len(start))), **given)
        anew = returning_states(system, some, start[again], held=held, attracting=True, **given)
        for array, replaced in zip(found[:3], anew[:3], strict=True):
            array[again] = replaced
        found.residual[again] = np.where(held, ENDLESS, anew.residual)
        found.grows[again] = np.where(anew.grows >= 0, anew.grows, _outgrowing(system, left_alone, start, again, held))
        for place, person in enumerate(again.tolist()):
            found.reason[person] = anew.reason[place]
    for person in np.flatnonzero((found.status == Status.SOLVED) & (found.grows >= 0)).tolist():
        found.status[person] = Status.NO_STEADY_STATE
        found.reason[person] = f"{system.states[found.grows[person]]} {GROWS}"
    reasons = [
        why or (f"no steady state: {text}" if text else "") for why, text in zip(reason, found.reason, strict=True)
    ]
    status = np.where(with_rhythm, found.status, status)
    solved = status == Status.SOLVED
    found.state[~solved], found.residual[~solved] = np.nan, np.nan
    return Steady(found.state, found.residual, status, reasons)


def _outgrowing(system: System, left_alone: Map, start: np.ndarray, who: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Of people with states that grow without end (held: people, states), one that a cycle without doses takes a little
    of, but doses add more; -1 where nothing is ever taken from them, so that they only keep what they are given.
    """
    first, status, _ = left_alone(who, start[who], TIGHT)
    found = np.full(len(who), -1)
    for state in np.flatnonzero(held.any(axis=0)).tolist():
        more = start[who]
        added = LITTLE * np.maximum(np.abs(more[:, state]), system.scale[state])
        more[:, state] += added
        after, moved, _ = left_alone(who, more, TIGHT)
        kept = np.abs(after[:, state] - first[:, state] - added) <= KEPT * added
        solved = (status == Status.SOLVED) & (moved == Status.SOLVED)
        found = np.where(held[:, state] & solved & ~kept, state, found)
    return found


def _endless(system: System, cycle: Map, start: np.ndarray, found: Returning) -> np.ndarray:
    """States (people, states) that a cycle still changes about as much as it did at first, however far they have gone.

    Against their own size such a change may seem small: the search leaps far where a cycle hardly takes anything away.
    """
    everyone = np.arange(len(start))
    first, at_first, _ = cycle(everyone, start, TIGHT)
    size = np.maximum(np.abs(found.state), 1e-3 * np.asarray(system.scale, float))
    far = np.abs(found.state - start) > FAR * size
    as_before = found.residual * size > STILL * np.abs(first - start)
    return np.asarray(
        (far | (found.residual > SETTLED)) & as_before & ((at_first == Status.SOLVED) & ~found.verified)[:, None]
    )


def unsettled(system: System, residual: np.ndarray) -> list[str]:
    """A sentence for each state that has not settled in somebody; residual (people, states)."""
    notes = []
    for index, state in enumerate(system.states):
        grows = residual[:, index] == ENDLESS
        slow = (residual[:, index] > SETTLED) & ~grows  # false for those that failed
        if grows.any():
            text = "each cycle adds to it without end, and it starts at its drug-free value"
            notes.append(f"{state} has not settled{_share(grows)}: {text}.")
        if slow.any():
            worst = f"{100 * residual[slow, index].max():.2g} %"
            notes.append(f"{state} has not settled{_share(slow)}: it may still be {worst} from its steady value.")
    return notes


def _share(people: np.ndarray) -> str:
    return f" in {people.sum()} of {len(people)}" if len(people) > 1 else ""
