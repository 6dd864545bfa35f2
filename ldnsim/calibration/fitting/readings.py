"""The prediction of a datum, read off a curve: a value at a time, a ratio of two values, or a metric of the registry.

Each reading moves smoothly with the curve, so that finite differences give its slope in a parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.fields import hours
from ldnsim.metrics.catalogue import metric_named
from ldnsim.metrics.measuring import read_metric
from ldnsim.metrics.nca import value_at

if TYPE_CHECKING:
    from ldnsim.library.fit_file import Datum
    from ldnsim.metrics.nca import Floats

__all__ = ["reading"]


def reading(fact: Datum, times: Floats, curves: Floats, doses: Floats, moments: dict[str, Floats]) -> Floats:
    """What each of the curves (lanes, times) says of a fact, shape (lanes,), in the output's unit.

    `doses` are the times, h, of what the arm takes; `moments` the estimated times by name, each (lanes,).
    """
    if fact.at is not None:
        value = value_at(times, curves, _moment(fact.at, moments, len(curves)))
        if fact.over is None:
            return value
        return _ratio(value, value_at(times, curves, _moment(fact.over, moments, len(curves))))
    start, end = map(hours, fact.window) if fact.window else (times[0], times[-1])
    metric = metric_named(fact.metric)
    assert metric is not None  # checked when the file was read
    return read_metric(metric, times, curves, (start, end), doses)


def _moment(moment: float | str, moments: dict[str, Floats], lanes: int) -> Floats:
    return moments[moment] if isinstance(moment, str) else np.full(lanes, moment)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0))
