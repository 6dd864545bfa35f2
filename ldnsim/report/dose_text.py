"""A dose calendar in words: `4.5 mg oral at 22:00 every day, day 1 to 28 (28 doses)`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from ldnsim.foundation.clock import clock_text, day_of

__all__ = ["TakenDose", "dose_words", "missed_words"]

DAY = 24.0
MOST_LINES = 8  # more kinds of dose than this are told together
MOST_DAYS = 8  # days listed one by one
MOST_GAPS = 3  # days left out that are listed


class TakenDose(NamedTuple):
    """One dose: when (h since midnight of day 1), how much (in the unit of the result), and as what."""

    time: float
    amount: float
    way: str


def dose_words(doses: Iterable[TakenDose], unit: str) -> list[str]:
    """A phrase for each kind of dose (amount, way, clock time), in order of their first; one phrase for very many."""
    taken = sorted(doses)
    kinds: dict[tuple[float, str, str], list[int]] = {}
    for dose in taken:
        kinds.setdefault((dose.amount, dose.way, clock_text(dose.time)), []).append(day_of(dose.time))
    if not taken:
        return ["no dose"]
    if len(kinds) > MOST_LINES:
        return [_together(taken, unit)]
    return [f"{amount:g} {unit} {way} at {at}{_days(days)}" for (amount, way, at), days in kinds.items()]


def missed_words(times: Iterable[float]) -> list[str]:
    """A phrase for the doses missed, h since midnight of day 1; none where there is none."""
    days = [day_of(time) for time in sorted(times)]
    if not days:
        return []
    listed = ", ".join(map(str, dict.fromkeys(days[:MOST_DAYS])))
    more = f" and later, until day {days[-1]}" if len(days) > MOST_DAYS else ""
    return [f"{len(days)} dose{'s' * (len(days) > 1)} missed: day {listed}{more}"]


def _days(days: list[int]) -> str:
    if len(days) == 1:
        return f", day {days[0]}"
    count = f" ({len(days)} doses)"
    span = f", day {days[0]} to {days[-1]}"
    steps = {later - earlier for earlier, later in pairwise(days)}
    if len(steps) == 1 and steps != {0} and len(days) > 2:
        step = steps.pop()
        return f" every {'day' if step == 1 else f'{step} days'}{span}{count}"
    if steps == {1}:
        return f"{span}{count}"
    gaps = sorted(set(range(days[0], days[-1] + 1)) - set(days))
    if 0 not in steps and len(gaps) <= MOST_GAPS and len(days) > 2 * len(gaps):
        return f" every day but {', '.join(map(str, gaps))}{span}{count}"
    listed = ", ".join(map(str, days[:MOST_DAYS]))
    more = f" and {len(days) - MOST_DAYS} more until day {days[-1]}" if len(days) > MOST_DAYS else ""
    return f", days {listed}{more}{count}"


def _together(taken: list[TakenDose], unit: str) -> str:
    """Doses at many times or of many sizes, such as those of a person who forgets and is late."""
    amounts = sorted({dose.amount for dose in taken})
    size = f"{amounts[0]:g} {unit}" if len(amounts) == 1 else f"{amounts[0]:g} to {amounts[-1]:g} {unit}"
    ways = " or ".join(dict.fromkeys(dose.way for dose in taken))
    return (
        f"{len(taken)} doses of {size} {ways} at varying times, day {day_of(taken[0].time)} to {day_of(taken[-1].time)}"
    )
