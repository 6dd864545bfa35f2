"""The prediction of a datum from a curve: a value at a time, a ratio of two values, or a metric of the registry.

Each prediction is a smooth function of the curve, so that finite differences give its slope in a parameter.
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

__all__ = ["predict"]


def predict(datum: Datum, times: Floats, curves: Floats, doses: Floats, estimated_times: dict[str, Floats]) -> Floats:
    """The prediction (rows,) of a datum from curves (rows, times), in the output's unit.

    `doses` are the dose times of the arm, h; `estimated_times` has the estimated times by name, each (rows,), h.
    """
    if datum.at is not None:
        value = value_at(times, curves, _time(datum.at, estimated_times, len(curves)))
        if datum.over is None:
            return value
        return _ratio(value, value_at(times, curves, _time(datum.over, estimated_times, len(curves))))
    start, end = map(hours, datum.window) if datum.window else (times[0], times[-1])
    metric = metric_named(datum.metric)
    assert metric is not None  # checked when the file was read
    return read_metric(metric, times, curves, (start, end), doses)


def _time(moment: float | str, estimated_times: dict[str, Floats], rows: int) -> Floats:
    return estimated_times[moment] if isinstance(moment, str) else np.full(rows, moment)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0))
