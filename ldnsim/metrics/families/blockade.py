"""Metrics of receptors: how long they are occupied, and how long they are free."""

from __future__ import annotations

from ldnsim.metrics.registry import Found, metric
from ldnsim.metrics.view import OutputView
from ldnsim.model.output_kinds import FREE_BELOW

RECEPTORS = ("occupancy",)


@metric("hours_above_50", "hours above 50 %", "h", kinds=RECEPTORS, label="above 50 %")
def hours_above_50(view: OutputView) -> Found:
    return view.curve.hours_above(0.5), None


@metric("hours_above_80", "hours above 80 %", "h", kinds=RECEPTORS)
def hours_above_80(view: OutputView) -> Found:
    return view.curve.hours_above(0.8), None


@metric(
    "unblocked_hours",
    f"hours with blockade under {100 * FREE_BELOW:g} %",
    "h",
    kinds=("blockade",),
    label="unblocked",
)
def unblocked_hours(view: OutputView) -> Found:
    return view.curve.hours_below(FREE_BELOW), None
