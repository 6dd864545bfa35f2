"""Metrics of any output: extremes, mean, and when."""

from __future__ import annotations

import numpy as np

from ldnsim.metrics.registry import Found, metric
from ldnsim.metrics.view import OutputView, reason_where

FLAT = 1e-6  # a relative change below this is the solver's, not the output's


@metric("peak", "highest value", "{}", style="output")
def peak(view: OutputView) -> Found:
    return view.curve.highest(), None


@metric("trough", "lowest value", "{}", style="output")
def trough(view: OutputView) -> Found:
    return view.curve.lowest(), None


@metric("mean", "mean over time", "{}", style="output")
def mean(view: OutputView) -> Found:
    return view.curve.area() / view.curve.mesh.length, None


@metric(
    "time_of_peak",
    "clock time of the highest value",
    "h",
    comparison="clock",
    style="clock",
)
def time_of_peak(view: OutputView) -> Found:
    top, bottom = view.curve.highest(), view.curve.lowest()
    flat = top - bottom <= FLAT * np.maximum(np.abs(top), np.abs(bottom))
    return view.curve.time_of_highest() % 24.0, reason_where(flat, "the output does not change")


@metric(
    "time_of_trough",
    "clock time of the lowest value",
    "h",
    comparison="clock",
    style="clock",
    in_tables=False,
)
def time_of_trough(view: OutputView) -> Found:
    return view.curve.time_of_lowest() % 24.0, time_of_peak(view)[1]
