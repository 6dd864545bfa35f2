"""What is read off a course: a value, or a metric of the registry over a window. Plain arrays in, floats out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnsim.foundation.fields import hours
from ldnsim.metrics.catalogue import metric_named
from ldnsim.metrics.measuring import read_metric
from ldnsim.metrics.nca import value_at

if TYPE_CHECKING:
    from ldnsim.library.predictions import Measure

__all__ = ["DosedCurve", "read_off", "read_words"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DosedCurve:
    """A curve on its times (n,), h, and the times of the doses before it."""

    time: Floats
    values: Floats
    doses: Floats


def read_off(course: DosedCurve, measure: Measure, at: float | None = None) -> float:
    """The number that a measure is of a course, in the curve's unit, h, or that times h; NaN where it has none.

    `at` (h) takes the place of the measure's own time.
    """
    curve = course.values[None]
    if measure.take == "value":
        moment = at if at is not None else hours(measure.at) if measure.at is not None else np.nan
        return float(value_at(course.time, curve, np.array([moment]))[0])
    metric = metric_named(measure.take)
    assert metric is not None  # checked, as the window was, when the file was read
    assert measure.window is not None
    start, end = (hours(edge) for edge in measure.window)
    return float(read_metric(metric, course.time, curve, (start, end), course.doses)[0])


def read_words(measure: Measure) -> str:
    """The measure in words, with its window or time."""
    metric = metric_named(measure.take)
    if metric is None:
        when = f"at {hours(measure.at):.3g} h" if measure.at is not None else measure.take
    else:
        edges = "{:g} to {:g} h".format(*map(hours, measure.window)) if measure.window else "the run"
        when = f"{metric.title}, {edges}"
    return when + (" over the drug-free twin" if measure.relative else "")
