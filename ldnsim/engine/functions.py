"""exp, log, sin and the others over lanes, without branches: reduction to a short interval, then a Taylor polynomial.

Errors stay near one unit in the last place (tests measure them): exp, log, log10, tanh anywhere; sin and cos up to
|x| = 1e6; powers while |y log x| < 30, then growing slowly. What has no value is NaN or infinite, as in IEEE 754.
Written in the words of `lanes` for `translate`; the uncompiled driver uses numpy's functions instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ldnsim.engine.lanes import Vector, absolute, bits, fma, from_bits, polynomial, rint, where

__all__ = ["FUNCTIONS", "cos", "exp", "log", "log10", "power", "sin", "tanh"]

LOG2_E = 1.4426950408889634
LN2_HIGH = 0.693147180559663  # 41 bits: a product with an exponent is exact
LN2_LOW = 2.8235290563031577e-13
LOG10_E = 0.4342944819032518
LOG10_E_LOW = 1.098319650216765e-17
PI_HALF = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33)
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
TO_EXPONENT = 6755399441055744.0  # 1.5 * 2**52: its last bits then hold a whole number

EXP_TAYLOR = tuple(1 / math.factorial(n) for n in range(2, 14))  # of (exp(r) - 1 - r) / r**2, |r| < 0.35
SIN_TAYLOR = tuple((-1) ** n / math.factorial(2 * n + 1) for n in range(1, 9))  # of (sin(r) - r) / r**3, |r| < 0.79
COS_TAYLOR = tuple((-1) ** n / math.factorial(2 * n) for n in range(2, 9))  # of (cos(r) - 1 + r**2/2) / r**4
ATANH_TAYLOR = tuple(2 / (2 * n + 1) for n in range(1, 12))  # of (2 atanh(s) - 2 s) / s**3, |s| < 0.172

INFINITY = math.inf
NAN = math.nan


def power_of_two(n: Vector) -> Vector:
    """2**n of whole numbers n given as floats, -1022 <= n <= 1023."""
    return from_bits((bits(n + TO_EXPONENT) + 1023) << 52)


def exp_of_sum(x: Vector, low: Vector) -> Vector:
    """exp(x + low), `low` being small against x."""
    x = where(x > 710.0, 710.0, x)  # infinite from there; NaN passes
    x = where(x < -746.0, -746.0, x)
    n = rint(x * LOG2_E)
    r = fma(n, -LN2_HIGH, x) + fma(n, -LN2_LOW, low)
    e = fma(r * r, polynomial(EXP_TAYLOR, r), r) + 1.0
    half = rint(n * 0.5)  # in two steps: 2**n alone may overflow where the product does not
    return e * power_of_two(half) * power_of_two(n - half)


def split(x: Vector) -> tuple[Vector, Vector]:
    """(m, e) with x = m * 2**e, m from sqrt(1/2) to sqrt(2), of positive x."""
    small = x < 2.2250738585072014e-308
    x = where(small, x * 18014398509481984.0, x)
    b = bits(x) - SQRT_HALF_BITS
    e = (b >> 52) + 0.0
    m = from_bits(bits(x) - ((b >> 52) << 52))
    return m, where(small, e - 54.0, e)


def log_of_positive(x: Vector) -> tuple[Vector, Vector]:
    """(high, low): log(x) to about 60 bits as their sum."""
    m, e = split(x)
    above = m - 1.0
    below = m + 1.0
    lost = m - (below - 1.0)
    inverse = 1.0 / below
    s = above * inverse
    s_low = fma(-s, lost, fma(-s, below, above)) * inverse
    z = s * s
    tail = fma(s * z, polynomial(ATANH_TAYLOR, z), fma(e, LN2_LOW, 2.0 * s_low))
    first = e * LN2_HIGH
    second = 2.0 * s
    high = first + second  # |first| > |second| or first = 0: the error of this sum is known exactly
    low = (first - high) + second + tail
    total = high + low
    return total, (high - total) + low


def special_log(x: Vector, result: Vector) -> Vector:
    result = where(x == INFINITY, INFINITY, result)
    result = where(x == 0.0, -INFINITY, result)
    return where(x >= 0.0, result, NAN)  # NaN compares as false


def exp(x: Vector) -> Vector:
    return exp_of_sum(x, 0.0)


def log(x: Vector) -> Vector:
    high, _ = log_of_positive(x)
    return special_log(x, high)


def log10(x: Vector) -> Vector:
    high, low = log_of_positive(x)
    return special_log(x, fma(high, LOG10_E, fma(low, LOG10_E, high * LOG10_E_LOW)))


def power(x: Vector, y: Vector) -> Vector:
    """x**y; a negative base has powers at whole exponents only."""
    size = absolute(x)
    high, low = log_of_positive(size)
    high = special_log(size, high)
    low = where(absolute(high) < INFINITY, low, 0.0)
    product = y * high
    rest = fma(y, low, fma(y, high, -product))
    result = exp_of_sum(product, where(absolute(product) < 800.0, rest, 0.0))
    whole = rint(y) == y
    odd = rint(y * 0.5) * 2.0 != y
    result = where(x < 0.0, where(whole, where(odd, -result, result), NAN), result)
    return where(y == 0.0, 1.0, result)


def quarter_turns(x: Vector) -> tuple[Vector, Vector]:
    """(r, n): x = r + n * pi/2 with |r| <= pi/4."""
    n = rint(x * (1 / PI_HALF[0]))
    r = fma(n, -PI_HALF[0], x)
    r = fma(n, -PI_HALF[1], r)
    return fma(n, -PI_HALF[2], r), n


def turned(x: Vector, turns: int) -> Vector:
    """sin(x + turns * pi/2)."""
    r, n = quarter_turns(x)
    n = bits(n + (TO_EXPONENT + turns))
    z = r * r
    sine = fma(z * r, polynomial(SIN_TAYLOR, z), r)
    cosine = fma(z * z, polynomial(COS_TAYLOR, z), fma(z, -0.5, 1.0))
    result = where((n & 1) == 0, sine, cosine)
    return where((n & 2) == 0, result, -result)


def sin(x: Vector) -> Vector:
    return turned(x, 0)


def cos(x: Vector) -> Vector:
    return turned(x, 1)


def tanh(x: Vector) -> Vector:
    """From exp(2|x|) - 1, computed without cancellation."""
    size = absolute(x)
    twice = where(size > 20.0, 40.0, 2.0 * size)
    n = rint(twice * LOG2_E)
    r = fma(n, -LN2_LOW, fma(n, -LN2_HIGH, twice))
    scale = power_of_two(n)
    e = fma(scale, fma(r * r, polynomial(EXP_TAYLOR, r), r), scale - 1.0)
    result = e / (e + 2.0)
    return where(x < 0.0, -result, result)


FUNCTIONS: dict[str, Callable[..., Vector]] = {
    "exp": exp,
    "log": log,
    "log10": log10,
    "pow": power,
    "sin": sin,
    "cos": cos,
    "tanh": tanh,
}
