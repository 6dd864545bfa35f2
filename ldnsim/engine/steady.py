"""Steady state: where a regimen that repeats has led to, after it was followed for ever.

One routine for records with SS and for scenarios that start there. Nothing is simulated until it settles: the search
on one cycle (`cycles`) arrives at once where the equations are linear, however slow a state is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ldnsim.engine.choose import SolverName
from ldnsim.engine.cycles import SETTLED, Cycles, returning_states
from ldnsim.engine.events import Status
from ldnsim.engine.orbit import DAY, periodic_states
from ldnsim.engine.rhythm import ignores_time, repeats_daily

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.system import System

__all__ = ["Steady", "common_cycle", "steady_states"]

MOST_REPEATS = 366  # of a regimen until it meets the clock again


class Steady(NamedTuple):
    """state, residual (people, states): what one more cycle would change, as a share of the state's size; status
    (people,) and reasons; notes: a sentence for each state that has not settled in somebody.
    """

    state: np.ndarray
    residual: np.ndarray
    status: np.ndarray
    reason: list[str]
    notes: list[str]


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

    States that only count what passed (amounts eliminated) have no steady value: they stay at their drug-free one. A
    state that goes on growing, or cannot be found, keeps what the search had last, with its residual and a note: that
    is an answer with a caveat, and the status stays SOLVED.
    """
    guess, status, reason = periodic_states(system, cycles.parameters, outputs=outputs, solver=solver, threads=threads)
    with_rhythm = status == Status.SOLVED
    guess[~with_rhythm] = system.initial  # solved in vain, so that nobody's place moves
    found = returning_states(system, cycles, guess, outputs=outputs, solver=solver, threads=threads)
    reasons = [
        why or (f"no steady state: {text}" if text else "") for why, text in zip(reason, found.reason, strict=True)
    ]
    status = np.where(with_rhythm, found.status, status)
    solved = status == Status.SOLVED
    found.state[~solved], found.residual[~solved] = np.nan, np.nan
    return Steady(found.state, found.residual, status, reasons, _notes(system, found.residual))


def _notes(system: System, residual: np.ndarray) -> list[str]:
    notes = []
    for index, state in enumerate(system.states):
        slow = residual[:, index] > SETTLED  # false for those that failed
        if slow.any():
            people = f" in {slow.sum()} of {len(slow)}" if len(slow) > 1 else ""
            worst = f"{100 * residual[slow, index].max():.2g} %"
            notes.append(f"{state} has not settled{people}: a further cycle still changes it by {worst} of its size.")
    return notes
