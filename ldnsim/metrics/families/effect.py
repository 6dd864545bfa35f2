"""Metrics of an effect: when it is largest, and how far and how long it is below that of the first arm.

Where the first arm has next to nothing itself, nothing counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ldnsim.metrics.registry import Found, Texts, metric
from ldnsim.metrics.signal import Signal
from ldnsim.metrics.view import Floats, OutputView, reason_where

EFFECT = ("effect",)
NEXT_TO_NOTHING = 0.05  # of its own peak


@metric(
    "hours_to_peak", "time of the highest value after the start of the window", "h", kinds=EFFECT, label="peak after"
)
def hours_to_peak(view: OutputView) -> Found:
    none = reason_where(view.curve.highest() <= 0, "there is no effect")
    return view.curve.time_of_highest() - view.curve.time[0], none


@metric(
    "halved_hours",
    "hours with less than half of what the first arm has at the same time",
    "h",
    kinds=EFFECT,
    label="halved for",
)
def halved_hours(view: OutputView) -> Found:
    first, _, counts, alone = _first(view)
    short = np.where(counts, first / 2.0 - view.curve.values, -np.abs(first))
    return Signal(view.curve.time, short).hours_above(0.0), alone


@metric(
    "least_of_first",
    "lowest share of what the first arm has at the same time",
    "1",
    kinds=EFFECT,
    label="least",
    style="share",
)
def least_of_first(view: OutputView) -> Found:
    first, peak, counts, alone = _first(view)
    values = view.curve.values
    share = np.divide(values, first, out=np.full_like(values, np.inf), where=counts)
    return np.where(peak > 0, share.min(axis=-1), np.nan), alone


def _first(view: OutputView) -> tuple[Floats, Floats, NDArray[np.bool_], Texts]:
    """The first arm's values, their peak, when they count, and why there is no comparison."""
    first = view.first_arm.values
    peak = first.max(axis=-1)
    counts = first > NEXT_TO_NOTHING * peak[..., None]
    return first, peak, counts, reason_where(peak <= 0, "the first arm has no effect")
