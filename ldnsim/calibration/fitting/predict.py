"""The prediction of a datum from a curve: a value at a time, a ratio of two values, or a metric of the registry.

Each prediction is a smooth function of the curve, so that finite differences give its slope in a parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.fields import hours
from ldnsim.metrics.catalogue import metric_named
from ldnsim.metrics.measuring import read_metric

if TYPE_CHECKING:
    from ldnsim.library.fit_file import Datum
    from ldnsim.metrics.nca import Floats
    from ldnsim.metrics.signal import Signal

__all__ = ["predict"]


def predict(
    datum: Datum, times: Floats, values: Floats, curve: Signal, doses: Floats, estimated_times: dict[str, Floats]
) -> Floats:
    """The prediction (rows,) of a datum, in the output's unit.

    `values` (rows, times) are those at `times`, h, and `curve` those over the spans of the data; `doses` are the dose
    times of the arm, h; `estimated_times` has the estimated times by name, each (rows,), h.
    """

    def at(time: float | str) -> Floats:
        if isinstance(time, str):
            return curve.at(estimated_times[time][:, None])[:, 0]
        return np.asarray(values[:, np.searchsorted(times, time)])

    if datum.at is not None:
        return at(datum.at) if datum.over is None else _ratio(at(datum.at), at(datum.over))
    start, end = map(hours, datum.window) if datum.window else (times[0], times[-1])
    metric = metric_named(datum.metric)
    assert metric is not None  # checked when the file was read
    return read_metric(metric, curve, (start, end), doses)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0))
