"""Doses in words: `day 1 to 28: 4.5 mg oral at 22:00`. Pages, descriptions and figures all take them from here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ldnsim.dosing.regimen import WEEK
from ldnsim.foundation.clock import clock_text, day_of
from ldnsim.foundation.fields import WEEKDAYS

__all__ = [
    "DoseEntry",
    "dose_text",
    "dose_words",
    "doses_by_day",
    "joined",
    "lateness_text",
    "missed_words",
    "repeated_days",
]

MOST_LINES = 8  # more kinds of dose than this are told together
MOST_DAYS = 8  # days listed one by one
MOST_GAPS = 3  # days left out that are listed
LONGEST_CYCLE = 28  # days


class DoseEntry(NamedTuple):
    """A dose: time (h since midnight of day 1), amount (in `unit`), input, hours of infusion (0: at once), and a note
    on what became of it."""

    time: float
    amount: float
    input: str
    infuse: float = 0.0
    note: str = ""
    unit: str = "mg"


class _Run(NamedTuple):
    """Days from `first` to `last` on which the same comes again every `step` days."""

    first: int
    last: int
    step: int


def dose_text(amount: float, unit: str, input: str, at: Sequence[float] = (), infuse: float = 0.0) -> str:
    """One kind of dose: amount, input, clock times (h since any midnight) and hours of infusion.

    Examples
    --------
    >>> dose_text(4.5, "mg", "oral", at=[8, 22])
    '4.5 mg oral at 08:00 and 22:00'
    >>> dose_text(1, "mg", "intravenous", infuse=1.5)
    '1 mg intravenous over 1.5 h'
    """
    times = f" at {joined([clock_text(time) for time in at])}" if len(at) else ""
    return f"{amount:.6g} {unit} {input}{times}{f' over {infuse:.4g} h' if infuse > 0 else ''}"


def lateness_text(late: float) -> str:
    """How far a dose (h) is from its planned time.

    Examples
    --------
    >>> lateness_text(3.0), lateness_text(-0.5)
    ('3 h late', '0.5 h early')
    """
    return f"{abs(late):.4g} h {'late' if late > 0 else 'early'}"


def doses_by_day(entries: Iterable[DoseEntry]) -> dict[int, str]:
    """Day -> its doses in words; those that differ by their clock time only are told together.

    Examples
    --------
    >>> doses_by_day([DoseEntry(22, 4.5, "oral"), DoseEntry(32, 3, "oral"), DoseEntry(46, 3, "oral")])
    {1: '4.5 mg oral at 22:00', 2: '3 mg oral at 08:00 and 22:00'}
    """
    found: dict[int, dict[DoseEntry, list[float]]] = defaultdict(lambda: defaultdict(list))
    for entry in sorted(entries, key=lambda entry: entry.time):
        found[day_of(entry.time)][entry._replace(time=0.0)].append(entry.time)
    return {
        day: "; ".join(
            dose_text(kind.amount, kind.unit, kind.input, times, kind.infuse) + (kind.note and f", {kind.note}")
            for kind, times in kinds.items()
        )
        for day, kinds in sorted(found.items())
    }


def repeated_days(days: Mapping[int, str], first_weekday: int | None) -> Iterator[tuple[int, str, str]]:
    """(first day, days in words, what) for each thing that comes again. Every day is told once.

    Parameters
    ----------
    days : mapping of int to str
        What is told of each day, days ascending from 1.
    first_weekday : int, optional
        The weekday of day 1 (0: Monday); with it days are told by their weekday where they go by weeks.

    Examples
    --------
    >>> list(repeated_days({1: "x", 3: "x", 5: "x", 6: "y"}, 0))
    [(1, 'day 1 to 5, every 2 days', 'x'), (6, 'day 6 (sat)', 'y')]
    """
    for run in _runs(days):
        starts: dict[str, list[int]] = defaultdict(list)
        for day in range(run.first, min(run.first + run.step, run.last + 1)):
            if day in days:
                starts[days[day]].append(day)
        for text, firsts in starts.items():
            yield firsts[0], _when(run, firsts, first_weekday), text


def _runs(days: Mapping[int, str]) -> Iterator[_Run]:
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


def _when(run: _Run, firsts: list[int], first_weekday: int | None) -> str:
    """The days of a run that come again from each of `firsts` on."""
    last = max(day for first in firsts for day in range(first, run.last + 1, run.step))
    weekdays = [] if first_weekday is None else [WEEKDAYS[(first_weekday + day - 1) % WEEK] for day in firsts]
    if last == firsts[0]:
        return f"day {last} ({weekdays[0]})" if weekdays else f"day {last}"
    span, weeks = f"day {firsts[0]} to {last}", run.step // WEEK
    if run.step == 1:
        return span
    if weekdays and run.step % WEEK == 0 and firsts[-1] - firsts[0] < WEEK:
        return (
            f"{span}, every {joined(weekdays)}" if weeks == 1 else f"{span}, every {weeks} weeks on {joined(weekdays)}"
        )
    return f"{span}, every {run.step} days" + (
        f" from day {joined([str(day) for day in firsts])} on" if len(firsts) > 1 else ""
    )


def dose_words(doses: Iterable[DoseEntry], first_weekday: int | None = None) -> list[str]:
    """A phrase for each kind of day, in order of their first; one phrase for very many.

    Examples
    --------
    >>> dose_words(DoseEntry(24 * day + 22, 4.5, "oral") for day in range(28))
    ['day 1 to 28: 4.5 mg oral at 22:00 (28 doses)']
    """
    taken = sorted(doses)
    if not taken:
        return ["no dose"]
    kinds: dict[str, list[int]] = defaultdict(list)
    for day, text in doses_by_day(taken).items():
        kinds[text].append(day)
    if len(kinds) > MOST_LINES:
        return [_together(taken)]
    counts: dict[int, int] = defaultdict(int)
    for dose in taken:
        counts[day_of(dose.time)] += 1
    phrases = []
    for text, days in kinds.items():
        count = sum(counts[day] for day in days)
        phrases.append(f"{_days(days, first_weekday)}: {text}{f' ({count} doses)' if count > 1 else ''}")
    return phrases


def missed_words(times: Iterable[float], first_weekday: int | None = None) -> list[str]:
    """A phrase for the doses missed, h since midnight of day 1; none where there is none.

    Examples
    --------
    >>> missed_words([22.0, 94.0, 190.0])
    ['3 doses missed: days 1, 4 and 8']
    """
    times = list(times)
    if not times:
        return []
    days = sorted({day_of(time) for time in times})
    return [f"{len(times)} dose{'s' * (len(times) > 1)} missed: {_days(days, first_weekday)}"]


def _days(days: list[int], first_weekday: int | None) -> str:
    """Days of one kind: as a run, as all but a few, or one by one."""
    repeated = list(repeated_days(dict.fromkeys(days, ""), first_weekday))
    if len(repeated) == 1:
        return repeated[0][1]
    gaps = [str(day) for day in sorted(set(range(days[0], days[-1] + 1)) - set(days))]
    if len(gaps) <= MOST_GAPS and len(days) > 2 * len(gaps):
        return f"day {days[0]} to {days[-1]} but {joined(gaps)}"
    if len(days) <= MOST_DAYS:
        return f"days {joined([str(day) for day in days])}"
    return f"days {', '.join(map(str, days[:MOST_DAYS]))} and {len(days) - MOST_DAYS} more until day {days[-1]}"


def _together(taken: list[DoseEntry]) -> str:
    """Doses at many times or of many sizes, such as those of a person who forgets and is late."""
    low, high = min(taken, key=lambda dose: dose.amount), max(taken, key=lambda dose: dose.amount)
    size = f"{low.amount:.6g} " + (f"to {high.amount:.6g} " if high.amount > low.amount else "") + low.unit
    inputs = " or ".join(dict.fromkeys(dose.input for dose in taken))
    return (
        f"day {day_of(taken[0].time)} to {day_of(taken[-1].time)}: {len(taken)} doses of {size} {inputs} at varying "
        "times"
    )


def joined(words: Sequence[str]) -> str:
    """Words with commas between, and "and" before the last.

    Examples
    --------
    >>> joined(["mon", "wed", "fri"])
    'mon, wed and fri'
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
