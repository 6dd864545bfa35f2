"""What a metric sees: one output of many rows over a window, with all that its metrics compare it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ldnsim.metrics import nca
from ldnsim.metrics.signal import Signal

__all__ = ["Floats", "OutputView", "Texts", "reason_where"]

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class OutputView:
    """One output of some rows.

    `curve` is the output over the window; `twin` the same without drug, and `blockade` that of the receptors, both on
    the curve's own mesh, each None where there is none. `first` gives the same person's curve in the first arm. `doses`
    (rows, dose), h, NaN-padded, are those that the output is about. `recorded` is all that is known of the curve: the
    window, and where its kind is read past the window, from the last dose to the end of the run.
    """

    curve: Signal
    doses: Floats
    recorded: Signal
    twin: Signal | None = None
    blockade: Signal | None = None
    first: Callable[[], Signal] | None = None

    @property
    def rows(self) -> int:
        return self.curve.mesh.rows

    @cached_property
    def ratio(self) -> Signal:
        """The curve over that of the drug-free twin; NaN where there is none."""
        if self.twin is None:
            return Signal(self.curve.mesh, np.full_like(self.curve.values, np.nan))
        return self.curve.over(self.twin)

    @cached_property
    def first_arm(self) -> Signal:
        """The curve of the same person in the first arm; of itself where nothing else is known."""
        return self.curve if self.first is None else self.first()

    @cached_property
    def after_last_dose(self) -> tuple[dict[str, Floats], Texts]:
        """What is read from the last dose to the end of the run; see `nca.after_last_dose`."""
        last = nca.latest_dose(self.doses, np.full(self.rows, np.inf))
        mesh = self.recorded.mesh
        return nca.after_last_dose(self.recorded.chosen(mesh.middle > last[mesh.row]), last)


def reason_where(condition: NDArray[np.bool_], text: str) -> Texts:
    """`text` where the condition holds, else ""; same shape."""
    found = np.full(condition.shape, "", dtype=object)
    found[condition] = text
    return found
