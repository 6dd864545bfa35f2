"""How far a state may still be from one that comes back, where cycles hardly change it but hardly bring it back either.

What a cycle changes is the error times what the cycle takes away of it: 1 - rho, with rho the largest multiplier of the
cycle's map. Newton's step from exact slopes is that division, for several states at once. Where elimination saturates,
1 - rho falls to zero as a state grows: steps then get larger and larger, and there is no steady state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.engine.events import Status
from ldnsim.engine.newton import Map, newton_step, slopes_of

if TYPE_CHECKING:
    from ldnsim.engine.cycles import Returning

__all__ = ["expands", "reach", "refine"]

EXACT = 1e-12  # rtol, the smallest
WIDE = 1e-3  # of a state's size, for slopes: its square root of the solver's rounding
NEAR = 1e-8  # error, of a state's size
DOUBTED, LOST = 1e-6, 1e-2  # error: reported, and too large for an answer
MOST_ITERATIONS = 60
STALLED = 8  # iterations without half the error
SQUARINGS = 12  # of the slopes: 4096 cycles
LARGE = 1e3
OUTSIDE = 1e-6  # of a multiplier, beyond 1: more than rounding in slopes
ROUNDING = 1e-14  # of a state's size
MOVED = 0.1  # of a state's size


def reach(step: np.ndarray, drift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many times as far as the drift a step goes, at least 1, and whether it goes the other way: (people,)."""
    largest = np.argmax(np.abs(drift), axis=1)[:, None]
    most = np.take_along_axis(drift, largest, axis=1)[:, 0]
    with np.errstate(all="ignore"):
        times = np.abs(step).max(axis=1) / np.abs(most)
    turned = np.take_along_axis(step, largest, axis=1)[:, 0] * most < 0
    return np.where(times > 1, times, 1.0), turned


def expands(slope: np.ndarray, active: np.ndarray) -> np.ndarray:
    """Whether many cycles multiply some deviation: (people,), from slopes (people, states, states)."""
    square = active[:, :, None] & active[:, None, :]
    power = np.where(square & np.isfinite(slope), slope, 0.0)
    with np.errstate(all="ignore"):
        for _ in range(SQUARINGS):
            power = power @ power
        return np.asarray(~(np.abs(power).max(axis=(1, 2)) < LARGE * np.abs(slope).max(axis=(1, 2), initial=1.0)))


def refine(
    cycle: Map, found: Returning, who: np.ndarray, held: np.ndarray, smallest: np.ndarray, *, attracting: bool
) -> None:
    """Newton as exactly as the solver can, with slopes of every state passed, for some people of `found`.

    held (people of who, states); smallest (states,): the least size that changes are measured by. Writes states,
    residuals, and what grows without end. People that cannot be solved so exactly stay as they are.
    """
    state, best = found.state[who].copy(), found.state[who].copy()
    error, last_better = np.full(len(who), np.inf), np.zeros(len(who), int)
    remaining, drift = np.full(best.shape, np.inf), np.zeros(best.shape)
    slope, active = np.zeros((*best.shape, best.shape[1])), np.zeros(best.shape, bool)
    known = np.ones(len(who), bool)
    todo = np.arange(len(who))
    for iteration in range(MOST_ITERATIONS):
        end, status, _ = cycle(who[todo], state[todo], EXACT)
        solved = status == Status.SOLVED
        known[todo[~solved]] = iteration > 0  # where a later one fails, the state has run away
        todo, end = todo[solved], end[solved]
        if not len(todo):
            break
        here = state[todo]
        size = np.maximum(np.abs(here), smallest)
        drift[todo] = np.where(held[todo], 0.0, end - here) / size
        active[todo] = ((drift[todo] != 0) | (here != 0)) & ~held[todo]
        steepness = slopes_of(cycle, EXACT, who[todo], here, end, active[todo], WIDE * size)
        slope[todo] = steepness * size[:, None, :] / size[:, :, None]
        step = newton_step(slope[todo], active[todo], drift[todo], still=ROUNDING)
        finite = np.isfinite(step).all(axis=1)
        known[todo[~finite]] &= iteration > 0
        now = np.where(finite, np.abs(step).max(axis=1), np.inf)
        last_better[todo[now < 0.5 * error[todo]]] = iteration
        closer = todo[now < error[todo]]
        best[closer], remaining[closer] = state[closer], np.abs(step)[now < error[todo]]
        error[todo] = np.minimum(now, error[todo])
        proposed = here + step * size
        state[todo] = np.where((here > 0) & (proposed <= 0), 0.5 * here, proposed)
        todo = todo[(now > NEAR) & finite & (iteration - last_better[todo] < STALLED)]
    size = np.maximum(np.abs(best), smallest)
    moved = np.any(np.abs(best - found.state[who]) > MOVED * size, axis=1)  # by these leaps: nothing conserved
    resolved = np.abs(newton_step(slope, active, np.where(active, ROUNDING, 0.0), still=0.0))
    remaining[moved] = np.fmax(remaining, np.where(np.isnan(resolved), np.inf, resolved))[moved]
    _write(found, who, best, drift, remaining, known)
    if attracting:
        _give_up_growing(found, who[known], slope[known], active[known])


def _write(
    found: Returning, who: np.ndarray, best: np.ndarray, drift: np.ndarray, error: np.ndarray, known: np.ndarray
) -> None:
    """The best state of each person, or, where no state comes back, what runs away."""
    arrived = known & (error.max(axis=1) <= LOST)
    found.state[who[arrived]], found.verified[who[arrived]] = best[arrived], True
    reported = np.where(error > DOUBTED, error, np.abs(drift))
    found.residual[who[arrived]] = reported[arrived]
    runaway = known & ~arrived
    found.grows[who[runaway]] = np.argmax(np.abs(drift[runaway]), axis=1)


def _give_up_growing(found: Returning, who: np.ndarray, slope: np.ndarray, active: np.ndarray) -> None:
    """States that come back, but that any deviation leads away from: the repeating cycle never led there."""
    square = active[:, :, None] & active[:, None, :]
    slope = np.where(square & np.isfinite(slope), slope, 0.0)
    multipliers, directions = np.linalg.eig(slope)
    largest = np.argmax(np.abs(multipliers), axis=1)
    everyone = np.arange(len(who))
    away = (np.abs(multipliers[everyone, largest]) > 1 + OUTSIDE) & (found.grows[who] < 0)
    most = np.argmax(np.abs(directions[everyone, :, largest]), axis=1)
    found.grows[who[away]] = most[away]
