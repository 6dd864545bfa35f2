"""The value of a measure on a curve: at a time, or a metric of the registry over a window. Arrays in, floats out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnsim.foundation.fields import hours
from ldnsim.metrics.catalogue import metric_named
from ldnsim.metrics.measuring import read_metric

if TYPE_CHECKING:
    from ldnsim.library.predictions import Measure
    from ldnsim.metrics.signal import Signal

__all__ = ["DosedCurve", "measure_text", "measured_value"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DosedCurve:
    """A curve over its whole run, one row, and the times of its doses, h."""

    curve: Signal
    doses: Floats


def measured_value(curve: DosedCurve, measure: Measure, at: float | None = None) -> float:
    """The value of a measure on a curve, in the curve's unit, in h, or in that unit times h; NaN where undefined.

    `at` (h) replaces the measure's own time.
    """
    if measure.take == "value":
        moment = at if at is not None else hours(measure.at) if measure.at is not None else np.nan
        return float(curve.curve.at(np.array([[moment]]))[0, 0])
    metric = metric_named(measure.take)
    assert metric is not None  # checked, as the window was, when the file was read
    assert measure.window is not None
    start, end = (hours(edge) for edge in measure.window)
    return float(read_metric(metric, curve.curve, (start, end), curve.doses)[0])


def measure_text(measure: Measure) -> str:
    """The measure in words, with its window or time."""
    metric = metric_named(measure.take)
    if metric is None:
        when = f"at {hours(measure.at):.3g} h" if measure.at is not None else measure.take
    else:
        edges = "{:g} to {:g} h".format(*map(hours, measure.window)) if measure.window else "the run"
        when = f"{metric.title}, {edges}"
    return when + (" over the drug-free twin" if measure.relative else "")
