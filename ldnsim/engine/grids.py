"""Sample times of many people, each with their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Grids", "stretches"]


@dataclass(frozen=True)
class Grids:
    """Sample times of many people, one after the other: person i has those from first[i] up to last[i].

    Arrays: first, last (people,); time (samples,) in h, ascending within a person. Values found on them have the shape
    (samples, outputs), in the same order. People may share a stretch only where nobody looks at the values.
    """

    first: np.ndarray
    last: np.ndarray
    time: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def of(self, people: np.ndarray) -> Grids:
        """The grids of some of the people, packed anew."""
        counts = self.last[people] - self.first[people]
        last = np.cumsum(counts)
        return Grids(last - counts, last, self.time[stretches(self.first[people], counts)])


def stretches(first: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The places first[i], first[i] + 1, ... of each person, counts[i] of them, one person after the other.

    >>> stretches(np.array([10, 3]), np.array([2, 3]))
    array([10, 11,  3,  4,  5])
    """
    begins = np.cumsum(counts) - counts
    return np.asarray(np.arange(counts.sum()) + np.repeat(first - begins, counts))
