"""Metrics of a concentration: exposure over the window and after the last dose.

Areas are those under the curve itself, terminal slopes those of standard non-compartmental analysis (`nca`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ldnsim.metrics import nca
from ldnsim.metrics.registry import Found, metric
from ldnsim.metrics.view import OutputView, reason_where

CONCENTRATION = ("concentration",)


@metric("Cmax", "highest concentration", "{}", kinds=CONCENTRATION, comparison="ratio")
def cmax(view: OutputView) -> Found:
    top = view.curve.highest()
    return top, reason_where(np.zeros(top.shape, bool), "")


@metric(
    "Tmax",
    "time of the highest concentration after the dose before it",
    "h",
    kinds=CONCENTRATION,
    comparison="ratio",
)
def tmax(view: OutputView) -> Found:
    top, peak_time = view.curve.highest(), view.curve.time_of_highest()
    dose = nca.latest_dose(view.doses, peak_time)
    zero = reason_where(top <= 0, "the concentration is zero")
    undosed = reason_where((top > 0) & np.isnan(dose), "no dose was taken at or before the peak")
    return peak_time - dose, zero + undosed


@metric("AUC_tau", "area under the curve over the window", "{}*h", kinds=CONCENTRATION, label="AUC", comparison="ratio")
def auc_tau(view: OutputView) -> Found:
    area = view.curve.area()
    return area, reason_where(np.zeros(area.shape, bool), "")


def _after_last_dose(name: str) -> Callable[[OutputView], Found]:
    def read(view: OutputView) -> Found:
        found, reason = view.after_last_dose
        return found[name], reason

    return read


metric(
    "AUC_inf",
    "area under the curve from the last dose on, earlier doses' remainder included",
    "{}*h",
    kinds=CONCENTRATION,
    comparison="ratio",
    past_window=True,
)(_after_last_dose("AUC_inf"))
metric(
    "AUC_inf_extrapolated", "share of AUC_inf beyond the run", "1", kinds=CONCENTRATION, style="share", past_window=True
)(_after_last_dose("AUC_inf_extrapolated"))
metric(
    "t_half",
    "terminal half-life after the last dose",
    "h",
    kinds=CONCENTRATION,
    label="half-life",
    comparison="ratio",
    past_window=True,
)(_after_last_dose("t_half"))
metric(
    "t_half_span",
    "half-lives that the terminal slope was seen for; under 2 is little",
    "1",
    kinds=CONCENTRATION,
    past_window=True,
)(_after_last_dose("t_half_span"))
