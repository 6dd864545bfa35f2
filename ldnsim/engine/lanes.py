"""The words that driver and functions are written in: operations on lanes, one person each.

A vector is an array of shape (lanes,), a table of rows has shape (rows, lanes). Here the words are numpy, so that what
is written in them runs in plain Python; `translate` gives each the same meaning in machine code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "Floats",
    "Ints",
    "Rows",
    "RowsOfInts",
    "absolute",
    "any_lane",
    "bits",
    "fma",
    "from_bits",
    "gather",
    "polynomial",
    "rint",
    "scatter",
    "square_root",
    "take",
    "where",
]

# what the arguments of a translated function are
Floats = np.ndarray  # numbers, one after the other
Ints = np.ndarray
Rows = np.ndarray  # (rows, lanes)
RowsOfInts = np.ndarray

Vector = Any  # an array of shape (lanes,), or a number


def fma(a: Vector, b: Vector, c: Vector) -> Vector:
    """a*b + c; rounded once where compiled, twice here."""
    return a * b + c


def where(mask: Vector, a: Vector, b: Vector) -> Vector:
    return np.where(mask, a, b)


def any_lane(mask: Vector) -> bool:
    return bool(np.any(mask))


def square_root(a: Vector) -> Vector:
    return np.sqrt(a)


def absolute(a: Vector) -> Vector:
    return np.abs(a)


def rint(a: Vector) -> Vector:
    """The nearest whole number, the even one of two."""
    return np.rint(a)


def bits(a: Vector) -> Vector:
    """The 64 bits of each number as an integer."""
    return np.asarray(a, float).view(np.int64)


def from_bits(a: Vector) -> Vector:
    return np.asarray(a, np.int64).view(float)


def polynomial(coefficients: tuple[float, ...], x: Vector) -> Vector:
    """The sum of coefficient[n] * x**n, in pairs of pairs (Estrin): short chains rather than Horner's long one."""
    terms: list[Vector] = list(coefficients)
    while len(terms) > 1:
        terms = [fma(terms[n + 1], x, terms[n]) if n + 1 < len(terms) else terms[n] for n in range(0, len(terms), 2)]
        x = x * x
    return terms[0]


def gather(source: Floats, places: Vector) -> Vector:
    """source[place] in each lane."""
    return source[places]


def scatter(target: Floats, places: Vector, mask: Vector, a: Vector) -> None:
    """target[place] = a in each lane where the mask is true."""
    target[places[mask]] = a[mask]


def take(queue: Ints) -> int:
    """The next number of a queue that threads share."""
    queue[0] += 1
    return int(queue[0]) - 1
