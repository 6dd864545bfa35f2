"""The time axis: hours since midnight of day 1, labelled as days and clock times at every zoom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TimeAxis", "nights"]

Floats = NDArray[np.float64]

DAY = 24.0
NIGHT_START, NIGHT_END = 22.0, 30.0  # 22:00 to 06:00, h after midnight
# Day 1 is drawn as 1 January 2000: plotly's date axis then shows the day of the year (%j) and the clock time,
# in more detail on zooming in. The year is not shown; it has 366 days, and longer results use an axis of days.
DAY_1 = datetime(2000, 1, 1)
EPOCH_MS = (DAY_1 - datetime(1970, 1, 1)) / timedelta(milliseconds=1)
LONGEST = 366 * DAY


@dataclass(frozen=True)
class TimeAxis:
    """The x axis of a figure from `start` to `end`, h since midnight of day 1.

    `clock_only` leaves the day out, for figures of a single day.
    """

    start: float
    end: float
    clock_only: bool = False

    @property
    def dated(self) -> bool:
        return self.end <= LONGEST

    def x(self, hours: Floats) -> Floats:
        """Positions on the axis, same shape: milliseconds of a date axis, or days."""
        return EPOCH_MS + hours * 3.6e6 if self.dated else hours / DAY + 1

    def point(self, hours: float) -> str | float:
        """One position, in the form that shapes take."""
        if not self.dated:
            return hours / DAY + 1
        # most shapes are on the minute, and pages get smaller without the seconds
        when = DAY_1 + timedelta(milliseconds=round(hours * 3.6e6))
        return when.isoformat(sep=" ", timespec="milliseconds" if when.second or when.microsecond else "minutes")

    def in_path(self, hours: float) -> str:
        """One position, in the form that the SVG path of a shape takes."""
        return str(self.point(hours)).replace(" ", "_")

    def layout(self) -> dict[str, Any]:
        """Settings of the x axis."""
        ends = [self.point(self.start), self.point(self.end)]
        if not self.dated:
            return {"range": ends, "title": {"text": "Time (days; day 1 starts at 1)"}, "hoverformat": ".3f"}
        clock = {"type": "date", "range": ends, "tickangle": 0}
        if self.clock_only:
            ticks = {"dtick": 3 * 3.6e6, "tick0": self.point(0.0)} if self.end - self.start > 12 else {}
            return {
                **clock,
                **ticks,
                "tickformat": "%H:%M",
                "hoverformat": "%H:%M",
                "title": {"text": "Clock time (h:min)"},
            }
        stops = [
            {"dtickrange": [None, 43_200_000], "value": "%H:%M\nday %-j"},
            {"dtickrange": [43_200_000, None], "value": "day %-j"},
        ]
        return {
            **clock,
            **self._day_ticks(),
            "tickformatstops": stops,
            "hoverformat": "day %-j, %H:%M",
            "title": {"text": "Time (days, clock time)"},
        }

    def _day_ticks(self) -> dict[str, Any]:
        """Ticks at whole weeks for long courses; the default would be months."""
        days = (self.end - self.start) / DAY
        if days <= 10:
            return {}
        weeks = next(step for step in (7, 14, 28, 56, 112) if days / step <= 9 or step == 112)
        return {"dtick": weeks * 86_400_000, "tick0": self.point(0.0)}


def nights(start: float, end: float) -> list[tuple[float, float]]:
    """The nights (22:00 to 06:00) between `start` and `end`, h, cut to them."""
    found = []
    for day in range(int(start // DAY) - 1, int(end // DAY) + 1):
        dusk, dawn = max(start, day * DAY + NIGHT_START), min(end, day * DAY + NIGHT_END)
        if dusk < dawn:
            found.append((dusk, dawn))
    return found
