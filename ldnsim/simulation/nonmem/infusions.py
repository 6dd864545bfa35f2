"""Infusions that start, stop and overlap -> the total rate into each state wherever it changes."""

from __future__ import annotations

import numpy as np

__all__ = ["total_rates"]

ROUNDING = 2e-15  # of a time: an infusion that follows on another one may seem to leave a gap


def total_rates(
    group: np.ndarray, state: np.ndarray, start: np.ndarray, stop: np.ndarray, rate: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(group, state, time, total rate) of every change, ascending in time within a group's state.

    All arrays (infusions,); infusions add up where they share a group and a state. Where none runs the rate is 0
    exactly, and no group's rounding depends on the others.
    """
    begins = np.repeat([True, False], len(start))
    group, state = np.tile(group, 2), np.tile(state, 2)
    time, change = np.concatenate([start, stop]), np.concatenate([rate, -rate])
    order = np.lexsort((time, state, group))
    group, state, time, change, begins = (array[order] for array in (group, state, time, change, begins))
    apart = (group[1:] != group[:-1]) | (state[1:] != state[:-1]) | (np.diff(time) > ROUNDING * np.abs(time[1:]))
    time = time[np.maximum.accumulate(np.where(np.append(True, apart), np.arange(len(time)), 0))]
    order = np.lexsort((begins, time, state, group))  # at one time, what ends ends first
    group, state, time, change, begins = (array[order] for array in (group, state, time, change, begins))
    running = np.cumsum(np.where(begins, 1, -1))
    total = np.where(begins, change, 0.0)
    if len(running) and running.max() > 1:
        edges = np.append(True, (group[1:] != group[:-1]) | (state[1:] != state[:-1]))
        firsts = np.flatnonzero(edges)
        most = np.maximum.reduceat(running, firsts)
        lasts = np.append(firsts[1:], len(running))
        for first, last in zip(firsts[most > 1].tolist(), lasts[most > 1].tolist(), strict=True):
            total[first:last] = np.where(running[first:last] > 0, np.cumsum(change[first:last]), 0.0)
    return group, state, time, total
