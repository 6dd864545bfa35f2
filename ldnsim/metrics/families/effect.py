"""Metrics of an effect: when it is largest, and how far and how long it is below that of the first arm.

Where the first arm has next to nothing itself, nothing counts.
"""

from __future__ import annotations

from ldnsim.metrics.registry import Found, Texts, metric
from ldnsim.metrics.signal import Signal
from ldnsim.metrics.view import OutputView, reason_where

EFFECT = ("effect",)
NEXT_TO_NOTHING = 0.05  # of its own peak


@metric(
    "hours_to_peak", "time of the highest value after the start of the window", "h", kinds=EFFECT, label="peak after"
)
def hours_to_peak(view: OutputView) -> Found:
    none = reason_where(view.curve.highest() <= 0, "there is no effect")
    return view.curve.time_of_highest() - view.curve.mesh.begins, none


@metric(
    "halved_hours",
    "hours with less than half of what the first arm has at the same time",
    "h",
    kinds=EFFECT,
    label="halved for",
)
def halved_hours(view: OutputView) -> Found:
    curve, first, alone = _where_the_first_counts(view)
    return Signal(curve.mesh, first.values / 2.0 - curve.values).hours_above(0.0), alone


@metric(
    "least_of_first",
    "lowest share of what the first arm has at the same time",
    "1",
    kinds=EFFECT,
    label="least",
    style="share",
)
def least_of_first(view: OutputView) -> Found:
    curve, first, alone = _where_the_first_counts(view)
    return curve.over(first).lowest(), alone


def _where_the_first_counts(view: OutputView) -> tuple[Signal, Signal, Texts]:
    """The curve and that of the first arm, where that counts, on one mesh; and why there is no comparison."""
    first = view.first_arm
    peak = first.highest()
    mesh, of_curve = view.curve.mesh.cut(first.mesh.row, first.mesh.start)
    curve, first = view.curve.on(mesh, of_curve), first.on(mesh, first.mesh.containing(mesh.row, mesh.middle))
    counted, parent = mesh.cut(*first.crossed(NEXT_TO_NOTHING * peak))
    curve, first = curve.on(counted, parent), first.on(counted, parent)
    counts = first.means > (NEXT_TO_NOTHING * peak)[counted.row]
    none = reason_where(peak <= 0, "the first arm has no effect")
    return curve.chosen(counts), first.chosen(counts), none
