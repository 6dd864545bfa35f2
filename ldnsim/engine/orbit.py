"""The drug-free periodic orbit, where every run starts: a state from which the equations, left alone, come back after
24 h."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.engine.choose import SolverName
from ldnsim.engine.cycles import MOST_ITERATIONS, SETTLED, Cycles, returning_states
from ldnsim.engine.events import Status
from ldnsim.engine.schedules import no_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.model.system import System

__all__ = ["periodic_states"]

DAY = 24.0
SLOWEST = 1e-4  # of a state's size, that it may be away from a rhythm that is certain, but hardly draws it near


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
    people = len(parameters)
    # never a neighbour's orbit for a guess: a person's bits are their own
    guess = np.tile(np.asarray(system.initial, float), (people, 1))
    days = Cycles(parameters, no_events(people), np.zeros(people), np.full(people, DAY))
    found = returning_states(system, days, guess, outputs=outputs, solver=solver, threads=threads)
    status, reason = found.status, [f"no drug-free rhythm: {text}" if text else "" for text in found.reason]
    for person in np.flatnonzero((found.grows >= 0) & (status == Status.SOLVED)).tolist():
        status[person] = Status.NO_RHYTHM
        reason[person] = f"no drug-free rhythm: {system.states[found.grows[person]]} grows from day to day without end"
    left = np.where(found.verified, SLOWEST, SETTLED)[:, None]
    drifts = np.any(found.residual > left, axis=1) & (status == Status.SOLVED)
    for person in np.flatnonzero(drifts).tolist():
        status[person] = Status.NO_RHYTHM
        worst = system.states[int(np.argmax(found.residual[person]))]
        reason[person] = f"no drug-free rhythm: {worst} still drifts after {MOST_ITERATIONS} iterations"
    found.state[status != Status.SOLVED] = np.nan
    return found.state, status, reason
