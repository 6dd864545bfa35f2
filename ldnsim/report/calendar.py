"""An arm's dose calendar in words: what is planned, equal days run together, and what is drawn for each person."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ldnsim.dosing.adherence import missed_doses
from ldnsim.dosing.regimen import WEEK, line_doses, missed_on
from ldnsim.foundation.clock import clock_text, day_of
from ldnsim.foundation.fields import WEEKDAYS, hours

if TYPE_CHECKING:
    from ldnsim.dosing.regimen import Arm, Dose, RegimenLine
    from ldnsim.scenario.changes import Resolved

__all__ = ["calendar_lines"]

WIDTH = 80
MOST_LINES = 40
LONGEST_CYCLE = 28  # days
MOST_DAYS = 12  # listed one by one
MISSED = "missed"


class _Run(NamedTuple):
    """Days from `first` to `last` on which the same comes again every `step` days."""

    first: int
    last: int
    step: int


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
        for run in _runs(days):
            yield from _run_words(run, days, WEEKDAYS.index(start_day))


def _days(line: RegimenLine, duration: float, start_day: str) -> dict[int, str]:
    """Planned day -> the line's doses in words; those that differ by their clock time only are told together."""
    found: dict[int, dict[tuple[str, str], list[float]]] = defaultdict(lambda: defaultdict(list))
    entries = [(dose.time - dose.late, dose, _after(dose)) for _, dose in line_doses(line, duration, start_day)]
    entries += [(dose.time, dose, MISSED) for _, dose in missed_on(line, duration, start_day)]
    for time, dose, after in sorted(entries, key=lambda entry: entry[0]):
        over = f" over {dose.infuse:g} h" if dose.infuse else ""
        found[day_of(time)][f"{dose.amount} {dose.input}", f"{over}{after and f', {after}'}"].append(time)
    return {
        day: "; ".join(
            f"{what} at {_and(clock_text(time) for time in times)}{how}" for (what, how), times in kinds.items()
        )
        for day, kinds in sorted(found.items())
    }


def _after(dose: Dose) -> str:
    """What became of a dose that is late: `taken 3 h late, day 8 at 01:00`."""
    if not dose.late:
        return ""
    return f"taken {dose.late:.4g} h late, day {day_of(dose.time)} at {clock_text(dose.time)}"


def _runs(days: dict[int, str]) -> Iterator[_Run]:
    """The days in runs, each as long as can be: the shortest cycle that goes farthest, whole twice at least."""
    todo = sorted(days)
    place, end = 0, todo[-1] if todo else 0
    while place < len(todo):
        first = todo[place]
        best = _Run(first, first, 1)
        for step in range(1, LONGEST_CYCLE + 1):
            last = first + step - 1
            while last < end and days.get(last + 1) == days.get(last + 1 - step):
                last += 1
            if last - first + 1 >= 2 * step and last > best.last:
                best = _Run(first, last, step)
        yield best
        while place < len(todo) and todo[place] <= best.last:
            place += 1


def _run_words(run: _Run, days: dict[int, str], first_weekday: int) -> Iterator[tuple[int, str]]:
    """(first day, words) of each thing that the run repeats."""
    starts: dict[str, list[int]] = defaultdict(list)
    for day in range(run.first, min(run.first + run.step, run.last + 1)):
        if day in days:
            starts[days[day]].append(day)
    for text, firsts in starts.items():
        last = max(day for first in firsts for day in range(first, run.last + 1, run.step))
        span = f"day {firsts[0]} to {last}"
        weekdays = [WEEKDAYS[(first_weekday + day - 1) % WEEK] for day in firsts]
        when, weeks = span, run.step // WEEK
        if last == firsts[0]:
            when = f"day {last} ({weekdays[0]})"
        elif run.step > 1 and run.step % WEEK == 0 and firsts[-1] - firsts[0] < WEEK:
            when += f", every {_and(weekdays)}" if weeks == 1 else f", every {weeks} weeks on {_and(weekdays)}"
        elif run.step > 1:
            when += f", every {run.step} days"
            when += f" from day {_and(map(str, firsts))} on" if len(firsts) > 1 else ""
        yield firsts[0], f"{when}: {text}"


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
        round(dose.time * 60) // 1440 + 1
        for dose in missed_doses(arm, duration, start_day, seed, [1])[0]
        if (dose.time, dose.input) not in planned
    ]
    of = sum(1 for line in arm.regimen for _ in line_doses(line, duration, start_day))
    if not left:
        yield f"so person 1 misses none of {of} doses"
        return
    days = ", ".join(map(str, left[:MOST_DAYS])) + (" ..." if len(left) > MOST_DAYS else "")
    yield f"so person 1 misses {len(left)} of {of} doses: day {days}"


def _and(words: Iterator[str] | list[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
