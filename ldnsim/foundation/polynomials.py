"""Polynomials by their values at six Gauss-Lobatto nodes: one piece of a curve, between -1 and 1.

Errors of interpolation are those of degree 5, areas are exact to degree 9, and the nodes include both ends, so that a
curve with jumps is written as pieces that end and begin there.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

__all__ = [
    "BEYOND", "FINE", "INSIDE", "LEADING", "NODES", "NODE_COUNT", "POWERS", "STEP", "WEIGHTS",
    "area_to", "mapped", "polished", "slope", "valued",
]  # fmt: skip

Floats = NDArray[np.float64]

# Where a piece's values are known, as a share of its length. Six, since the solver's own curve within a step has
# degree 4; where an output bends more, the solver takes shorter pieces.
NODE_COUNT = 6
NODES = np.array([0.0, 0.11747233803526769, 0.3573842417596774, 0.6426157582403226, 0.8825276619647323, 1.0])
INSIDE = 2 * NODES - 1  # polynomials are written in powers of this, from -1 to 1
HIGHEST = [0.0] * (NODE_COUNT - 1) + [1.0]  # the Legendre polynomial of the highest degree
POWERS = np.linalg.inv(np.vander(INSIDE, increasing=True)).T  # values -> coefficients
WEIGHTS = 1 / (NODE_COUNT * (NODE_COUNT - 1) * legendre.legval(INSIDE, HIGHEST) ** 2)  # values -> mean over the piece
# What the values at the nodes are multiplied by to give the polynomial's highest term, the one of Legendre
LEADING = 1 / (NODE_COUNT * legendre.legval(INSIDE, HIGHEST))
FINE = np.linspace(-1.0, 1.0, 33)  # where extremes and crossings are looked for, before they are solved for
STEP = FINE[1] - FINE[0]
LEBESGUE = np.abs(np.vander(np.linspace(-1, 1, 1001), len(NODES), increasing=True) @ POWERS.T).sum(axis=1).max()
BEYOND = (LEBESGUE - 1) / 2  # a polynomial exceeds its values at the nodes by at most this share of their range
ITERATIONS = 6
for shared in (NODES, INSIDE, POWERS, WEIGHTS, LEADING, FINE):
    shared.setflags(write=False)


def mapped(columns: Floats, matrix: Floats) -> Floats:
    """Values (nodes, n) -> (n,) or (n, powers), weighed by `matrix`; the same bits whatever else is in `columns`."""
    found = np.multiply.outer(columns[0], matrix[0])
    for node in range(1, len(matrix)):
        found += np.multiply.outer(columns[node], matrix[node])
    return np.asarray(found)


def valued(coefficients: Floats, inside: Floats) -> Floats:
    """Polynomials (..., powers) at a place (...)."""
    found = coefficients[..., -1] * np.ones_like(inside)
    for power in range(coefficients.shape[-1] - 2, -1, -1):
        found = found * inside + coefficients[..., power]
    return np.asarray(found)


def slope(coefficients: Floats) -> Floats:
    """The derivatives of polynomials (..., powers) by the place within the piece, (..., powers - 1)."""
    return coefficients[..., 1:] * np.arange(1, coefficients.shape[-1])


def area_to(coefficients: Floats, inside: Floats) -> Floats:
    """The area from the start of a piece to a place within it, as a share of the piece's length."""
    powers = np.arange(1, coefficients.shape[-1] + 1)
    whole = np.concatenate([np.zeros((*coefficients.shape[:-1], 1)), coefficients / powers], axis=-1)
    return (valued(whole, inside) - valued(whole, np.full_like(inside, -1.0))) / 2


def polished(coefficients: Floats, guess: Floats | None, low: Floats, high: Floats) -> Floats:
    """The root of each polynomial (n, powers) between two places (n,), by Newton's method kept inside by halving.

    Where there is none, something between the two places.
    """
    low, high = low.copy(), high.copy()
    at_low, at_high = valued(coefficients, low), valued(coefficients, high)
    gap = at_low - at_high
    if guess is None:
        share = np.divide(at_low, gap, out=np.full_like(gap, 0.5), where=gap != 0)
        guess = low + (high - low) * np.clip(share, 0.0, 1.0)
    rises, steepness = at_high > at_low, slope(coefficients)
    for _ in range(ITERATIONS):
        value, steep = valued(coefficients, guess), valued(steepness, guess)
        beyond = (value > 0) == rises
        high, low = np.where(beyond, guess, high), np.where(beyond, low, guess)
        step = np.divide(value, steep, out=np.full_like(value, np.inf), where=steep != 0)
        moved = guess - step
        guess = np.where((moved >= low) & (moved <= high), moved, (low + high) / 2)
    return guess
