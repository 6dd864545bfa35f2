"""Newton's method on the map of one cycle: slopes by differences, and the step that they propose, for many people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ldnsim.engine.events import Status

__all__ = ["Map", "newton_step", "slopes_of"]

SINGULAR = 1e-9

# (people, their states at the start, rtol) -> states at the end, status, reasons
Map = Callable[[np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray, list[str]]]


def slopes_of(
    cycle: Map, rtol: float, who: np.ndarray, state: np.ndarray, end: np.ndarray, active: np.ndarray, nudge: np.ndarray
) -> np.ndarray:
    """The Jacobian of the map by differences: a row per person and active state; (people, states, states). All but who
    have that shape without the last axis.
    """
    row, which = np.nonzero(active)
    by = nudge[row, which]
    nudged = state[row]
    nudged[np.arange(len(row)), which] += by
    after, status, _ = cycle(who[row], nudged, rtol)
    slope = np.zeros((len(who), state.shape[1], state.shape[1]))
    slope[row, :, which] = np.where((status == Status.SOLVED)[:, None], (after - end[row]) / by[:, None], np.nan)
    return slope


def newton_step(slope: np.ndarray, active: np.ndarray, drift: np.ndarray, still: float = np.inf) -> np.ndarray:
    """x of (slope - 1) x = -drift for each person, inactive states left at 0: elimination with pivoting, all at once.

    Element by element over people, so that nobody's rounding depends on the company. A direction in which a cycle
    changes nothing (something conserved) has a pivot of about zero and is left alone, as long as its drift is at most
    `still`.
    """
    with np.errstate(all="ignore"):  # no step where it is endless
        return _eliminated(slope, active, drift, still)


def _eliminated(slope: np.ndarray, active: np.ndarray, drift: np.ndarray, still: float) -> np.ndarray:
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
        free[:, k] = (np.abs(matrix[:, k, k]) < SINGULAR) & (np.abs(right[:, k]) <= still)
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
