"""Regimens by the clock: what is planned, when. Records, and their expansion to a list of doses.

t = 0 is local midnight of day 1; all days have 24 h. What a person makes of the plan is drawn later (`taking`); lag,
bioavailability and salts belong to the model's inputs and are applied after that (`schedule`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, WithJsonSchema

from ldnsim.foundation.errors import nearest, shown
from ldnsim.foundation.fields import (
    WEEKDAYS,
    Clocks,
    Day,
    Days,
    Duration,
    NotNegative,
    NotNegativePair,
    Record,
    Rung,
    Share,
    Variability,
    Weekday,
    Weekdays,
    Whole,
    by_day,
    hours,
    wrong,
)
from ldnsim.foundation.units import Quantity, coherent

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "DAY",
    "WEEK",
    "Arm",
    "Bottle",
    "Dose",
    "RegimenLine",
    "Split",
    "count_doses",
    "line_doses",
    "missed_on",
    "planned_doses",
    "weeks_apart",
]

DAY = 24.0
WEEK = 7
# Published CVs of the weight of halves run from 1.5 to 17.4 %, those of quarters to about twice that (`splitting`).
# Which one is anybody's is not known: a name alone stands for the middle of them.
SPLITS = {"halves": {"pieces": 2, "cv": "9.5 %"}, "quarters": {"pieces": 4, "cv": "19 %"}}


class Bottle(Record):
    """What doses are taken from: so many of them (`holds`), of a strength of its own, weaker the longer it is open.

    `potency` is the range that a bottle's strength is drawn from. `t90` is the time from its first dose in which it
    falls to 90 % of that (loss of first order, as shelf lives are told).
    """

    holds: Annotated[Whole, Field(ge=1, le=10_000)]
    potency: NotNegativePair | None = None
    t90: Duration | None = None


class Split(Record):
    """Doses that are pieces of a tablet, taken one after the other. `cv` is that of a piece's weight; together the
    pieces weigh what the tablet does."""

    pieces: Annotated[Whole, Field(ge=2, le=8)]
    cv: Variability


def _split(found: object) -> object:
    if not isinstance(found, str):
        return found
    if found not in SPLITS:
        expected = "halves, quarters or {pieces: 2, cv: 10 %}"
        raise wrong(f"{shown(found)} is no way to split a tablet", expected, nearest(found, SPLITS))
    return SPLITS[found]


SplitField = Annotated[
    Split,
    BeforeValidator(_split),
    WithJsonSchema({"type": ["string", "object"], "examples": ["halves", {"pieces": 2, "cv": "10 %"}]}),
]


class RegimenLine(Record):
    """One line of a regimen: an input, a dose (or a ladder of doses), and when it is taken.

    `ladder` maps first days to doses; `stop` ends them. `days` are days of the week, with `every: 14 d` those of every
    second week. `missed` days are left out, `late` ones taken so much later. Drawn for each person: `miss`, the chance
    of missing a dose; `jitter`, the standard deviation of its time (within three of them); `potency`, what is in it as
    a share of the label, for each dose, or each tablet where tablets are `split`; and the strength of each `bottle`.
    """

    input: str
    dose: NotNegative | None = None
    ladder: Annotated[dict[Day, Rung], by_day] = Field(default_factory=dict)
    at: Clocks
    days: Weekdays = ()
    from_: Day = Field(1, alias="from")
    until: Day | None = None
    every: Duration | None = None
    infuse: Duration | None = None
    miss: Share | None = None
    missed: Days = ()
    late: Annotated[dict[Day, Duration], by_day] = Field(default_factory=dict)
    jitter: Duration | None = None
    potency: NotNegativePair | None = None
    bottle: Bottle | None = None
    split: SplitField | None = None

    @property
    def amounts(self) -> tuple[Quantity, ...]:
        return tuple(self.ladder.values()) or ((self.dose,) if self.dose else ())

    @property
    def drawn(self) -> bool:
        """Whether anything about its doses differs from person to person."""
        own: tuple[Any, ...] = (self.miss, self.jitter, self.potency, self.split, self.bottle and self.bottle.potency)
        return any(each is not None for each in own)


class Arm(Record):
    """One way of taking the drug, to be compared with others."""

    title: str = ""
    regimen: tuple[RegimenLine, ...]


class Dose(NamedTuple):
    """A dose as it is taken: hours since midnight of day 1, the amount on the label, hours of infusion (0: at once),
    what is in it as a share of the label, and by how many hours it is later than planned."""

    time: float
    amount: Quantity
    input: str
    infuse: float = 0.0
    potency: float = 1.0
    late: float = 0.0


def planned_doses(arm: Arm, duration: float, start_day: Weekday = "mon") -> tuple[Dose, ...]:
    """The doses of the plan before `duration` (h), ascending in time: missed days left out, late ones moved."""
    doses = [dose for line in arm.regimen for _, dose in line_doses(line, duration, start_day)]
    return tuple(sorted(doses, key=lambda dose: dose.time))


def count_doses(line: RegimenLine, duration: float) -> float:
    """An upper bound on the doses of a line, without listing them."""
    end = min(duration, line.until * DAY if line.until else duration)
    return (max(0.0, end - (line.from_ - 1) * DAY) / _interval(line) + 1) * len(line.at)


def line_doses(line: RegimenLine, duration: float, start_day: str) -> Iterator[tuple[int, Dose]]:
    """(occasion, dose) of one line; occasions count every clock time of the line from 0, taken or not."""
    for occasion, day, dose in _occasions(line, duration, start_day):
        if dose.time < duration and day not in line.missed:
            yield occasion, dose


def missed_on(line: RegimenLine, duration: float, start_day: str) -> Iterator[tuple[int, Dose]]:
    """(occasion, dose) of one line's doses on days that the plan itself leaves out."""
    if line.missed:
        plain = line.model_copy(update={"late": {}})
        for occasion, day, dose in _occasions(plain, duration, start_day):
            if day in line.missed:
                yield occasion, dose


def weeks_apart(line: RegimenLine) -> float:
    """With days of the week: the weeks from one week with doses to the next; 0 where `every` says no weeks."""
    return hours(line.every) / (WEEK * DAY) if line.days and line.every and hours(line.every) > DAY else 0.0


def _interval(line: RegimenLine) -> float:
    return DAY if weeks_apart(line) or not line.every else hours(line.every)


def _occasions(line: RegimenLine, duration: float, start_day: str) -> Iterator[tuple[int, int, Dose]]:
    """(occasion, day, dose) of all that the line plans before `duration`: on missed days too, late ones at their late
    time."""
    infuse = hours(line.infuse) if line.infuse else 0.0
    first_weekday, weeks = WEEKDAYS.index(start_day), round(weeks_apart(line))
    for occasion, time in _times(line, duration):
        day = int(time // DAY) + 1
        amount = _amount(line, day)
        weekday = WEEKDAYS[(first_weekday + day - 1) % WEEK]
        if amount is None or (line.days and weekday not in line.days):
            continue
        if weeks and (day - line.from_) // WEEK % weeks:
            continue
        late = hours(line.late[day]) if day in line.late else 0.0
        yield occasion, day, Dose(time + late, amount, line.input, infuse, late=late)


def _times(line: RegimenLine, duration: float) -> Iterator[tuple[int, float]]:
    end = min(duration, line.until * DAY if line.until else duration)
    interval, first = _interval(line), (line.from_ - 1) * DAY
    for step in range(max(0, int((end - first) / interval) + 2)):
        for index, clock in enumerate(line.at):
            time = first + clock + step * interval
            if time < end:
                yield step * len(line.at) + index, time


def _amount(line: RegimenLine, day: int) -> Quantity | None:
    """The dose of a day; None before a ladder's first rung, and where it says stop."""
    if not line.ladder:
        return line.dose
    rungs = [first for first in line.ladder if first <= day]
    amount = line.ladder[max(rungs)] if rungs else None
    return amount if amount is not None and coherent(amount) else None
