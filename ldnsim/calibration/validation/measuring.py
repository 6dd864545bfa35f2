"""What is read off a course: a value, a peak, a half-life in a window. Plain arrays in, floats out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnsim.dosing.regimen import DAY
from ldnsim.foundation.fields import hours
from ldnsim.metrics import nca

if TYPE_CHECKING:
    from ldnsim.library.predictions import Measure

__all__ = ["Course", "read_off", "read_words"]

Floats = NDArray[np.float64]
WORDS = {
    "peak": "peak from {} to {} h",
    "time_of_peak": "time of the peak within {} to {} h",
    "half_life": "half-life by the slope from {} to {} h",
    "area": "area from {} to {} h",
    "time_to_half": "time from the peak to half of it, within {} to {} h",
    "clock_of_peak": "clock time of the peak",
    "clock_of_trough": "clock time of the trough",
    "amplitude": "first harmonic of a day over its mean",
    "acrophase": "peak of the first harmonic of a day",
    "dose": "dose",
    "parameter": "the parameter itself",
}


@dataclass(frozen=True)
class Course:
    """A curve on its times (n,), h, and the times of the doses before it."""

    time: Floats
    values: Floats
    doses: Floats


def read_off(course: Course, measure: Measure, at: float | None = None) -> float:
    """The number that a measure is of a course, in the curve's unit, h, or that times h; NaN where it has none.

    `at` (h) takes the place of the measure's own time.
    """
    if measure.take == "value":
        moment = at if at is not None else hours(measure.at) if measure.at is not None else np.nan
        return float(np.interp(moment, course.time, course.values))
    if measure.take in ("amplitude", "acrophase"):
        first, mean = _harmonic(course)
        return float(abs(first) / mean if measure.take == "amplitude" else -np.angle(first) * DAY / (2 * np.pi) % DAY)
    assert measure.window is not None  # checked when the file was read
    start, end = (hours(edge) for edge in measure.window)
    if measure.take == "half_life":
        return _half_life(course, start, end)
    grid = nca.times_between(course.time, start, end)
    values = nca.read_at(course.time, course.values, grid)
    match measure.take:
        case "peak":
            return float(values.max())
        case "time_of_peak":
            before = course.doses[course.doses <= start]
            return float(grid[values.argmax()] - (before[-1] if before.size else start))
        case "clock_of_peak":
            return float(grid[values.argmax()] % DAY)
        case "clock_of_trough":
            return float(grid[values.argmin()] % DAY)
        case "area":
            return float(nca.auc(grid, values))
        case _:
            return _time_to_half(grid, values)


def read_words(measure: Measure) -> str:
    """The measure in words, with its window or time."""
    if measure.take == "value":
        when = f"at {hours(measure.at):.3g} h" if measure.at is not None else ""
    else:
        edges = [f"{hours(edge):g}" for edge in measure.window or ()]
        when = WORDS[measure.take].format(*edges)
    return when + (" over the drug-free twin" if measure.relative else "")


def _half_life(course: Course, start: float, end: float) -> float:
    """By least squares through the logarithm; every hour counts once, however densely the curve is sampled."""
    grid = np.arange(start, end + 0.5)
    values = np.interp(grid, course.time, course.values)
    if np.any(values <= 0) or grid.size < 3:
        return float("nan")
    slope = float(np.polyfit(grid, np.log(values), 1)[0])
    return -float(np.log(2)) / slope if slope < 0 else float("nan")


def _time_to_half(grid: Floats, values: Floats) -> float:
    top = int(values.argmax())
    below = np.flatnonzero(values[top:] <= values[top] / 2)
    if not below.size or below[0] == 0:
        return float("nan")
    after = top + int(below[0])
    share = (values[after - 1] - values[top] / 2) / (values[after - 1] - values[after])
    return float(grid[after - 1] + share * (grid[after] - grid[after - 1]) - grid[top])


def _harmonic(course: Course) -> tuple[complex, float]:
    """First harmonic (complex amplitude) and mean of the first day."""
    day = np.interp(np.arange(0.0, DAY), course.time, course.values)
    return complex(np.fft.rfft(day)[1] * 2 / DAY), float(day.mean())
