"""Clock times as text and back. One rounding rule: to the nearest minute, half a minute up."""

from __future__ import annotations

import math
import re

__all__ = ["clock_change_text", "clock_text", "day_of", "minute_of", "parse_clock"]

CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
MINUTES = 24 * 60  # of a day


def parse_clock(text: str) -> float | None:
    """Hours after midnight from `HH:MM`, 00:00 to 23:59; None for any other text.

    Examples
    --------
    >>> parse_clock("22:30")
    22.5
    >>> parse_clock("24:00") is None
    True
    """
    match = CLOCK.fullmatch(text.strip())
    return int(match[1]) + int(match[2]) / 60 if match else None


def minute_of(time: float) -> int:
    """The minute that a time (h) is nearest to, counted from the same midnight; half a minute counts up.

    Examples
    --------
    >>> minute_of(22 + 30 / 3600)
    1321
    """
    # a time that is half a minute but for its last bits is half a minute
    return math.floor(round(time * 60, 6) + 0.5)


def clock_text(time: float) -> str:
    """Hours since any midnight as `HH:MM`.

    Examples
    --------
    >>> clock_text(22 + 30 / 3600), clock_text(47.9999)
    ('22:01', '00:00')
    """
    minutes = minute_of(time) % MINUTES
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def day_of(time: float) -> int:
    """The day, from 1, on which `clock_text` puts a time (h since midnight of day 1).

    Examples
    --------
    >>> day_of(23.9999), day_of(23.9)
    (2, 1)
    """
    return minute_of(time) // MINUTES + 1


def clock_change_text(hours: float) -> str:
    """A signed change of clock time as `+H:MM`; `0` where it does not reach a minute.

    Examples
    --------
    >>> clock_change_text(9.25), clock_change_text(-0.001)
    ('+9:15', '0')
    """
    minutes = minute_of(abs(hours))
    sign = "+" if hours > 0 else "−"
    return f"{sign}{minutes // 60}:{minutes % 60:02d}" if minutes else "0"
