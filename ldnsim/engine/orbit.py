"""The drug-free periodic orbit: where every run starts.

Newton's method on the map of one day: a state from which the equations, left alone, come back after 24 h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.engine.events import Status
from ldnsim.engine.reference import Failed, integrate

if TYPE_CHECKING:
    from ldnsim.system import System

__all__ = ["periodic_states"]

DAY = 24.0
RTOL = 1e-10
SETTLED = 1e-8  # of a state's size, after one day
MOST_ITERATIONS = 30
NUDGE = 1e-5


def periodic_states(system: System, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """States at t = 0 on the drug-free orbit of every person.

    parameters (people, parameters) -> states (people, states), status (people,), reasons. Where no orbit is found, the
    status is NO_RHYTHM (or that of the failed solution) and the states are NaN.
    """
    states = np.full((len(parameters), len(system.states)), np.nan)
    status = np.zeros(len(parameters), dtype=np.int8)
    reason = [""] * len(parameters)
    guess = np.asarray(system.initial, float)  # never a neighbour's orbit: a person's bits are their own
    for person, row in enumerate(parameters):
        try:
            states[person] = _newton(system, row, guess)
        except Failed as caught:
            status[person], reason[person] = caught.status, f"no drug-free rhythm: {caught.reason}"
    return states, status, reason


def _newton(system: System, parameters: np.ndarray, guess: np.ndarray) -> np.ndarray:
    def after_a_day(state: np.ndarray) -> np.ndarray:
        return np.asarray(integrate(system, parameters, state, (), np.array([0.0, DAY]), RTOL)[-1][1])

    scale = np.asarray(system.scale, float)
    state = np.array(guess, float)
    for _ in range(MOST_ITERATIONS):
        end = after_a_day(state)
        drift = end - state
        size = np.maximum(np.abs(state), 1e-3 * scale)
        if np.all(np.abs(drift) <= SETTLED * size):
            return state
        active = np.flatnonzero((drift != 0) | (state != 0))  # drug states stay at zero and need no column
        jacobian = np.empty((len(active), len(active)))
        for column, index in enumerate(active):
            nudged = state.copy()
            nudged[index] += NUDGE * size[index]
            jacobian[:, column] = (after_a_day(nudged) - end)[active] / (NUDGE * size[index])
        step = np.linalg.lstsq(jacobian - np.eye(len(active)), -drift[active], rcond=1e-12)[0]
        proposed = state.copy()
        proposed[active] += step
        # Newton may leap to where the equations mean nothing; a plain day never does
        state = proposed if np.all((proposed > 0) | (state <= 0)) else end
    worst = system.states[int(np.argmax(np.abs(drift) / size))]
    raise Failed(Status.NO_RHYTHM, f"{worst} still drifts after {MOST_ITERATIONS} iterations")
