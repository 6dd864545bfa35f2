"""An arm's dose calendar in words: what is planned, equal days run together, and what is drawn for each person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ldnsim.dosing.adherence import missed_doses
from ldnsim.dosing.dose_text import DoseEntry, doses_by_day, lateness_text, repeated_days
from ldnsim.dosing.regimen import line_doses, missed_on
from ldnsim.foundation.clock import clock_text, day_of
from ldnsim.foundation.fields import WEEKDAYS, hours

if TYPE_CHECKING:
    from ldnsim.dosing.regimen import Arm, Dose, RegimenLine
    from ldnsim.scenario.changes import Resolved

__all__ = ["calendar_lines"]

WIDTH = 80
MOST_LINES = 40
MOST_DAYS = 12  # listed one by one
MISSED = "missed"


def calendar_lines(resolved: Resolved, name: str, start_day: str) -> Iterator[str]:
    """The calendar of one arm as Markdown list items of at most 80 columns, by planned day.

    Days count from 1; days without a dose are not told. Then, for each regimen line, what is drawn of it, and what the
    first person misses.
    """
    arm, duration = resolved.arms[name], hours(resolved.duration)
    told = [text for _, text in sorted(_told(arm, duration, start_day), key=lambda item: item[0])]
    more = f"... and {len(told) - MOST_LINES} more lines" if len(told) > MOST_LINES else ""
    drawn = [
        f"line {number}, drawn for each person: {', '.join(words)}"
        for number, line in enumerate(arm.regimen, start=1)
        if (words := list(_drawn(line)))
    ]
    kept = [
        f"line {number}: 90 % of it left {line.bottle.t90} after the first dose of each bottle of {line.bottle.holds}"
        for number, line in enumerate(arm.regimen, start=1)
        if line.bottle and line.bottle.t90
    ]
    seed = resolved.population.seed if resolved.population else 1
    items = [*told[:MOST_LINES], *([more] if more else []), *kept, *drawn, *_misses(arm, duration, start_day, seed)]
    for item in items or ["no dose"]:
        yield from textwrap.wrap(
            f"- {item}", WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )


def _told(arm: Arm, duration: float, start_day: str) -> Iterator[tuple[int, str]]:
    """(first day, words) of each run of days that one regimen line gives."""
    for line in arm.regimen:
        days = _days(line, duration, start_day)
        for first, when, what in repeated_days(days, WEEKDAYS.index(start_day)):
            yield first, f"{when}: {what}"


def _days(line: RegimenLine, duration: float, start_day: str) -> dict[int, str]:
    """Planned day -> the line's doses in words."""
    planned = [
        _entry(dose, dose.time - dose.late, f"taken {_after(dose)}" if dose.late else "")
        for _, dose in line_doses(line, duration, start_day)
    ]
    missed = [_entry(dose, dose.time, MISSED) for _, dose in missed_on(line, duration, start_day)]
    return doses_by_day([*planned, *missed])


def _entry(dose: Dose, time: float, note: str) -> DoseEntry:
    return DoseEntry(time, dose.amount.value, dose.input, dose.infuse, note, dose.amount.unit)


def _after(dose: Dose) -> str:
    """When a dose is taken that is late: `3 h late, day 8 at 01:00`."""
    return f"{lateness_text(dose.late)}, day {day_of(dose.time)} at {clock_text(dose.time)}"


def _drawn(line: RegimenLine) -> Iterator[str]:
    """What of a regimen line differs from person to person."""
    if line.miss:
        yield f"each dose missed with a chance of {line.miss}"
    if line.jitter:
        yield f"times moved with a standard deviation of {line.jitter}"
    if line.split:
        yield f"pieces of tablets ({line.split.pieces} of each), with a CV of {line.split.cv}"
    if line.potency:
        each = "tablet" if line.split else "dose"
        yield f"each {each} holding {line.potency[0]} to {line.potency[1]} of its label"
    if line.bottle and line.bottle.potency:
        low, high = line.bottle.potency
        yield f"each bottle of {line.bottle.holds} doses holding {low} to {high} of its label"


def _misses(arm: Arm, duration: float, start_day: str, seed: int) -> Iterator[str]:
    """The draws of the first person, who stands for all where there is no population."""
    if not any(line.miss for line in arm.regimen):
        return
    planned = {(dose.time, dose.input) for line in arm.regimen for _, dose in missed_on(line, duration, start_day)}
    left = [
        day_of(dose.time)
        for dose in missed_doses(arm, duration, start_day, seed, [1])[0]
        if (dose.time, dose.input) not in planned
    ]
    of = sum(1 for line in arm.regimen for _ in line_doses(line, duration, start_day))
    if not left:
        yield f"so person 1 misses none of {of} doses"
        return
    days = ", ".join(map(str, left[:MOST_DAYS])) + (" ..." if len(left) > MOST_DAYS else "")
    yield f"so person 1 misses {len(left)} of {of} doses: day {days}"
