"""One step of the method in all lanes at once, its error, and the curve within it.

Written in the words of `lanes` for `translate`; it also runs as it is. `m` is the program: row numbers and kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.engine.lanes import Floats, Rows, Vector, absolute, bits, fma, from_bits, where
from ldnsim.engine.rodas5p import C_TIME, GAMMA, STAGES, A, B, C, D, E, H

if TYPE_CHECKING:
    from ldnsim.engine.program import Program

__all__ = ["attempt", "interpolate", "inverse_tenth_root", "mean_square_error", "prepare_interpolation"]

SMALLEST_H = 1e-100  # between events a rounding apart: 1/h must stay finite


def attempt(m: Program, w: Rows) -> None:
    """One step of the method in every lane, from y to y1; k holds the stages."""
    rest = w[m.stop] - w[m.time]
    h = w[m.proposed]
    h = where(h >= rest, rest, where(2.0 * h > rest, 0.5 * rest, h))  # two halves rather than a step and a sliver
    h = where(h > SMALLEST_H, h, SMALLEST_H)
    inverse_h = 1.0 / h
    w[m.h] = h
    w[m.inverse_h] = inverse_h
    w[m.inverse_gamma_h] = inverse_h * (1 / GAMMA)
    w[m.at] = w[m.time]
    m.first(w)
    for stage in range(1, STAGES):
        if C_TIME[stage] != C_TIME[stage - 1]:
            w[m.at] = fma(h, C_TIME[stage], w[m.time])
            m.clock(w)
        advance(m, m.u, A[stage], A[stage - 1], w)
        i: int = 0
        while i < m.states:
            total = C[stage][0] * w[m.k + i]
            for j in range(1, stage):
                total = fma(C[stage][j], w[m.k + j * m.states + i], total)
            w[m.right + i] = fma(inverse_h, total, w[m.rate + i])
            i += 1
        if D[stage] != 0:
            for state, row in m.change.items():
                w[m.right + state] = fma(h * D[stage], w[row], w[m.right + state])
        m.stage(w, m.k + stage * m.states)
    advance(m, m.y1, B, A[STAGES - 1], w)


def advance(m: Program, target: int, weights: tuple[float, ...], previous: tuple[float, ...], w: Rows) -> None:
    """target = y + sum of weights * k. Where the weights continue those of the last stage, so does the sum."""
    follows = len(previous) > 0 and weights[:-1] == previous
    i: int = 0
    while i < m.states:
        total = w[(m.u if follows else m.y) + i]
        for j in range(len(weights) - 1 if follows else 0, len(weights)):
            if weights[j] == 1:
                total = total + w[m.k + j * m.states + i]
            else:
                total = fma(weights[j], w[m.k + j * m.states + i], total)
        w[target + i] = total
        i += 1


def mean_square_error(m: Program, rtol: float, tolerance: Floats, w: Rows) -> Vector:
    """The mean over states of (error / tolerated)**2; up to 1 is good."""
    total: Vector = 0.0
    i: int = 0
    while i < m.states:
        error = E[STAGES - 1] * w[m.k + (STAGES - 1) * m.states + i]
        for j in range(STAGES - 1):
            if E[j] != 0:
                error = fma(E[j], w[m.k + j * m.states + i], error)
        start, end = absolute(w[m.y + i]), absolute(w[m.y1 + i])
        part = error / fma(rtol, where(start > end, start, end), tolerance[i])
        total = fma(part, part, total)
        i += 1
    return total * (1 / max(m.states, 1))


def inverse_tenth_root(x: Vector) -> Vector:
    """x**(-1/10) to 1 %, which is all that choosing a step needs: a guess from the exponent, then Newton."""
    x = where(x > 1e-20, where(x < 1e20, x, 1e20), 1e-20)
    log2 = (bits(x) + 0.0) * 2.0**-52 - 1023.0
    root = from_bits(bits((1023.0 - 0.1 * log2) * 2.0**20 + 6755399441055744.0) << 32)
    for _ in range(2):
        second = root * root
        fourth = second * second
        tenth = fourth * fourth * second
        root = root * fma(-0.1 * x, tenth, 1.1)
    return root


def prepare_interpolation(m: Program, w: Rows) -> None:
    """The sums H.k of the observed states, for any times within the step."""
    for state, (_, rows) in m.observed.items():
        for power in range(3):
            total = H[power][0] * w[m.k + state]
            for j in range(1, STAGES):
                total = fma(H[power][j], w[m.k + j * m.states + state], total)
            w[rows + power] = total


def interpolate(m: Program, w: Rows, x: Vector) -> None:
    """The observed states at x of the step (0 to 1), from what `prepare_interpolation` left."""
    for state, (row, rows) in m.observed.items():
        curve = fma(x, fma(x, w[rows + 2], w[rows + 1]), w[rows])
        start, end = w[m.y + state], w[m.y1 + state]
        w[row] = fma(x, fma(1.0 - x, curve, end), (1.0 - x) * start)
