"""Metrics of the body's own opioids: rebound and suppression, by the ratio to the drug-free twin at the same time."""

from __future__ import annotations

import numpy as np

from ldnsim.metrics.registry import Found, Texts, metric
from ldnsim.metrics.signal import Signal
from ldnsim.metrics.view import OutputView, reason_where
from ldnsim.model.output_kinds import FREE_BELOW

ENDOGENOUS = ("endogenous",)
REBOUND = 0.02  # a ratio to the drug-free twin above 1 + this is a rebound
RISE = f"+{100 * REBOUND:g} %"


@metric(
    "rebound_peak",
    "highest excess over the drug-free twin, 0 if never above it",
    "1",
    kinds=ENDOGENOUS,
    label="rebound peak",
    style="rise",
)
def rebound_peak(view: OutputView) -> Found:
    return np.maximum(view.ratio.highest() - 1.0, 0.0), _alone(view)


@metric(
    "rebound_clock_time",
    "clock time of the highest ratio to the drug-free twin",
    "h",
    kinds=ENDOGENOUS,
    label="peak at",
    comparison="clock",
    style="clock",
)
def rebound_clock_time(view: OutputView) -> Found:
    level = 1.0 + REBOUND
    never = reason_where(view.ratio.highest() <= level, f"the ratio to the drug-free twin never exceeds {level:g}")
    return view.ratio.time_of_highest() % 24.0, _alone(view) + never


@metric(
    "rebound_hours",
    f"hours more than {100 * REBOUND:g} % above the drug-free twin",
    "h",
    kinds=ENDOGENOUS,
    label=f"above {RISE}",
)
def rebound_hours(view: OutputView) -> Found:
    return view.ratio.hours_above(1.0 + REBOUND), _alone(view)


@metric("rebound_area", "area of the ratio to the drug-free twin above 1", "h", kinds=ENDOGENOUS)
def rebound_area(view: OutputView) -> Found:
    return view.ratio.area_above(1.0), _alone(view)


@metric("suppressed_area", "area of the ratio to the drug-free twin below 1", "h", kinds=ENDOGENOUS)
def suppressed_area(view: OutputView) -> Found:
    return view.ratio.area_below(1.0), _alone(view)


@metric(
    "net_area",
    "area of the ratio to the drug-free twin above 1 less that below",
    "h",
    kinds=ENDOGENOUS,
    label="net area",
)
def net_area(view: OutputView) -> Found:
    return view.ratio.plus(-1.0).area(), _alone(view)


@metric(
    "mean_while_unblocked",
    f"mean ratio to the drug-free twin while blockade is under {100 * FREE_BELOW:g} %",
    "1",
    kinds=ENDOGENOUS,
    rests_on_blockade=True,
)
def mean_while_unblocked(view: OutputView) -> Found:
    alone, gate = _alone(view), view.blockade
    if gate is None:
        gate = Signal(view.ratio.mesh, np.full_like(view.ratio.values, np.nan))
    unknown = reason_where(np.full(view.rows, view.blockade is None), "the result holds no blockade of receptors")
    blocked = reason_where(gate.lowest() >= FREE_BELOW, f"blockade never falls under {100 * FREE_BELOW:g} %")
    reason = np.where(alone != "", alone, unknown + blocked)
    return view.ratio.mean_while_below(gate, FREE_BELOW), reason


def _alone(view: OutputView) -> Texts:
    return reason_where(np.full(view.rows, view.twin is None), "the result holds no drug-free twin of this output")
