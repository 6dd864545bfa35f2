"""Blocks of some cells and some people each: the units of computing, writing and failing, and the chunks on disk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Block", "Layout", "layout_of"]

MAX_PEOPLE = 1_000  # in a block, summed over its cells
MAX_ROWS = 2_000  # people x arms x accounts
MAX_NUMBERS = 4_000_000  # values of all outputs at all times
LEAST_STRETCH = 250  # people of one cell in a block, if there are as many: they share the work per cell


@dataclass(frozen=True)
class Block:
    """`spans` are slices along the dims of the cells, `cells` the numbers of the cells, `subjects` count from 1."""

    number: int
    place: tuple[int, ...]
    spans: tuple[slice, ...]
    cells: tuple[int, ...]
    subjects: range


@dataclass(frozen=True)
class Layout:
    """`shape` of the cells, `chunk` of a block along their dims; `people` in all and `stretch` in a block."""

    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    people: int
    stretch: int

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of blocks along each dim of the cells, and along the people."""
        whole, parts = (*self.shape, self.people), (*self.chunk, self.stretch)
        return tuple(-(-length // part) for length, part in zip(whole, parts, strict=True))

    def __len__(self) -> int:
        return math.prod(self.counts)

    def block(self, number: int) -> Block:
        place = tuple(int(index) for index in np.unravel_index(number, self.counts))
        spans = tuple(
            slice(index * part, min((index + 1) * part, length))
            for index, part, length in zip(place, self.chunk, self.shape, strict=False)
        )
        steps = [math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape))]
        along = [range(span.start * step, span.stop * step, step) for span, step in zip(spans, steps, strict=True)]
        cells = tuple(map(sum, product(*along)))
        first = place[-1] * self.stretch + 1
        subjects = range(first, min(first + self.stretch, self.people + 1))
        return Block(number, place, spans, cells, subjects)


def layout_of(shape: Sequence[int], people: int, rows: int, numbers: int) -> Layout:
    """Blocks of at most about a thousand people.

    `rows` is accounts x arms; `numbers` counts the values per row in memory while a block is computed.
    """
    most = max(1, min(MAX_PEOPLE, MAX_ROWS // rows, MAX_NUMBERS // (rows * max(numbers, 1))))
    cells = math.prod(shape)
    stretch = min(people, most, max(LEAST_STRETCH, -(-most // cells)))
    left, chunk = max(1, most // stretch), []
    for length in reversed(shape):
        parts = -(-length // min(length, left))
        chunk.append(-(-length // parts))  # of equal size, without a small remainder
        left = max(1, left // length) if parts == 1 else 1
    return Layout(tuple(shape), tuple(reversed(chunk)), people, stretch)
