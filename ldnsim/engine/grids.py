"""Sample times of many people, each with their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Grids"]


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
        first = last - counts
        return Grids(first, last, self.time[np.arange(counts.sum()) + np.repeat(self.first[people] - first, counts)])
