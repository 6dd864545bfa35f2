"""An arm's dose calendar in words: planned doses, equal days together, and what is drawn for each person."""

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
MAX_LINES = 40
MAX_DAYS = 12  # listed one by one
MISSED = "missed"


def calendar_lines(resolved: Resolved, name: str, start_day: str) -> Iterator[str]:
    """The calendar of one arm as Markdown list items of at most 80 columns, by planned day.

    Days count from 1; days without a dose are left out. Then follows, for each regimen line, what is drawn for each
    person, and which doses the first person misses.
    """
    arm, duration = resolved.arms[name], hours(resolved.duration)
    planned = [text for _, text in sorted(_planned_items(arm, duration, start_day), key=lambda item: item[0])]
    more = f"... and {len(planned) - MAX_LINES} more lines" if len(planned) > MAX_LINES else ""
    drawn = [
        f"line {number}, drawn for each person: {', '.join(words)}"
        for number, line in enumerate(arm.regimen, start=1)
        if (words := list(_drawn(line)))
    ]
    decay = [
        f"line {number}: potency 90 % at {line.bottle.t90} after the first dose from each bottle of {line.bottle.holds}"
        for number, line in enumerate(arm.regimen, start=1)
        if line.bottle and line.bottle.t90
    ]
    seed = resolved.population.seed if resolved.population else 1
    items = [*planned[:MAX_LINES], *([more] if more else []), *decay, *drawn, *_misses(arm, duration, start_day, seed)]
    for item in items or ["no dose"]:
        yield from textwrap.wrap(
            f"- {item}", WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )


def _planned_items(arm: Arm, duration: float, start_day: str) -> Iterator[tuple[int, str]]:
    """(first day, text) of each series of days of one regimen line."""
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
    """When a late dose is taken: `3 h late, day 8 at 01:00`."""
    return f"{lateness_text(dose.late)}, day {day_of(dose.time)} at {clock_text(dose.time)}"


def _drawn(line: RegimenLine) -> Iterator[str]:
    """What of a regimen line varies between people."""
    if line.miss:
        yield f"each dose missed with probability {line.miss}"
    if line.jitter:
        yield f"dose times with SD {line.jitter}"
    if line.split:
        yield f"split tablets ({line.split.pieces} pieces each) with CV {line.split.cv}"
    if line.potency:
        each = "tablet" if line.split else "dose"
        yield f"content of each {each} {line.potency[0]} to {line.potency[1]} of the label"
    if line.bottle and line.bottle.potency:
        low, high = line.bottle.potency
        yield f"content of each bottle of {line.bottle.holds} doses {low} to {high} of the label"


def _misses(arm: Arm, duration: float, start_day: str, seed: int) -> Iterator[str]:
    """The doses that the first person (the only one without a population) misses by chance."""
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
        yield f"person 1 misses none of {of} doses"
        return
    days = ", ".join(map(str, left[:MAX_DAYS])) + (" ..." if len(left) > MAX_DAYS else "")
    yield f"person 1 misses {len(left)} of {of} doses: day {days}"
