"""Event records as arrays: one data set, ready to be checked and to be simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ldnsim.model.system import System
    from ldnsim.simulation.nonmem.targets import Target

__all__ = ["Records"]


@dataclass(frozen=True)
class Records:
    """Records in the order of the data set.

    Arrays (rows,): person (from 0, never falling), time in h, reset (EVID 3 or 4). Arrays (doses,): row; target, a
    place in `targets`; amount and rate in coherent units (RATE -1 and -2 as they are); interval (h); more, how many
    additional doses; steady (SS). `values`: number of a parameter -> its values (rows,), coherent; `base`
    (parameters,) has the others. `people`: the individuals' names.
    """

    people: list[str]
    targets: list[Target]
    person: np.ndarray
    time: np.ndarray
    reset: np.ndarray
    row: np.ndarray
    target: np.ndarray
    amount: np.ndarray
    rate: np.ndarray
    interval: np.ndarray
    more: np.ndarray
    steady: np.ndarray
    values: dict[int, np.ndarray]
    base: np.ndarray

    def parameters(self, rows: np.ndarray) -> np.ndarray:
        """The parameters of some records, (records, parameters)."""
        found = np.tile(self.base, (len(rows), 1))
        for index, values in self.values.items():
            found[:, index] = values[rows]
        return found

    def value(self, system: System, name: str, rows: np.ndarray) -> np.ndarray:
        """One parameter of some records, (records,)."""
        index = system.parameters.index(name)
        return self.values[index][rows] if index in self.values else np.full(len(rows), self.base[index])
