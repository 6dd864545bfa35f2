"""Metrics of any output that only a stated window gives a meaning: read for fits and predictions, not for tables."""

from __future__ import annotations

import numpy as np

from ldnsim.metrics import nca
from ldnsim.metrics.registry import Floats, Found, metric
from ldnsim.metrics.view import OutputView, reason_where

DAY = 24  # h


@metric(
    "half_life",
    "half-life by the slope of the logarithm",
    "h",
    comparison="ratio",
    in_tables=False,
)
def half_life(view: OutputView) -> Found:
    found = nca.half_life_over(view.curve)
    return found, reason_where(np.isnan(found), "the curve touches zero or does not fall over the window")


@metric(
    "time_to_half",
    "time from the peak to half of it, within the window",
    "h",
    comparison="ratio",
    in_tables=False,
)
def time_to_half(view: OutputView) -> Found:
    found = nca.time_to_half(view.curve)
    return found, reason_where(np.isnan(found), "the curve does not fall to half of its peak")


@metric(
    "daily_amplitude", "first harmonic of a day over its mean", "1", comparison="ratio", style="share", in_tables=False
)
def daily_amplitude(view: OutputView) -> Found:
    first, mean = _harmonic(view)
    return np.abs(first) / mean, reason_where(mean == 0, "the mean of the day is zero")


@metric(
    "daily_acrophase",
    "clock time of the peak of the first harmonic of a day",
    "h",
    comparison="clock",
    style="clock",
    in_tables=False,
)
def daily_acrophase(view: OutputView) -> Found:
    first, _ = _harmonic(view)
    phase = (view.curve.mesh.begins - np.angle(first) * DAY / (2 * np.pi)) % DAY
    return phase, reason_where(first == 0, "the output does not change")


def _harmonic(view: OutputView) -> tuple[np.ndarray, Floats]:
    """First harmonic (complex amplitude) and mean of the first day of the window, each (rows,)."""
    day = view.curve.at(view.curve.mesh.begins[:, None] + np.arange(float(DAY)))
    return np.fft.rfft(day, axis=-1)[:, 1] * 2 / DAY, day.mean(axis=-1)
