"""Regimens by the clock: what is taken, when. Records, and their expansion to a list of doses.

t = 0 is local midnight of day 1; all days have 24 h. Lag, bioavailability and salts belong to the model's inputs and
are applied later (`schedule`).
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from ldnsim.draws import generator
from ldnsim.fields import (
    WEEKDAYS,
    Clocks,
    Day,
    Days,
    Duration,
    NotNegative,
    NotNegativePair,
    Record,
    Share,
    Weekday,
    Weekdays,
    by_day,
    hours,
)
from ldnsim.units import Quantity, coherent

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DAY", "Arm", "Dose", "RegimenLine", "count_doses", "given_doses", "line_doses", "planned_doses"]

MOST_DOSES = 20_000
DAY = 24.0


class RegimenLine(Record):
    """One line of a regimen: an input, a dose (or a ladder of doses), and when it is taken."""

    input: str
    dose: NotNegative | None = None
    ladder: Annotated[dict[Day, NotNegative], by_day] = Field(default_factory=dict)
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

    @property
    def amounts(self) -> tuple[Quantity, ...]:
        return tuple(self.ladder.values()) or ((self.dose,) if self.dose else ())


class Arm(Record):
    """One way of taking the drug, to be compared with others."""

    title: str = ""
    regimen: tuple[RegimenLine, ...]


class Dose(NamedTuple):
    """A dose as it is taken: hours since midnight of day 1, the amount on the label, hours of infusion (0: at once)."""

    time: float
    amount: Quantity
    input: str
    infuse: float = 0.0
    potency: float = 1.0


def planned_doses(arm: Arm, duration: float, start_day: Weekday = "mon") -> tuple[Dose, ...]:
    """The doses of the plan before `duration` (h), ascending in time: missed days left out, late ones moved."""
    doses = [dose for line in arm.regimen for _, dose in line_doses(line, duration, start_day)]
    return tuple(sorted(doses, key=lambda dose: dose.time))


def given_doses(arm: Arm, duration: float, start_day: Weekday, seed: int, subject: int) -> tuple[Dose, ...]:
    """The doses that one person takes: the plan with this person's misses, jitter and potency drawn.

    The draws belong to the line's number and to the occasion (the first, second, ... clock time of the line, whether a
    dose is taken then or not), not to the arm: two arms miss the same doses, even where one leaves out a day.
    """
    doses = []
    for number, line in enumerate(arm.regimen, start=1):
        miss, jitter, potency = (_draws(line, number, name, seed, subject) for name in ("miss", "jitter", "potency"))
        drawn = 0
        for occasion, dose in line_doses(line, duration, start_day):
            for _ in range(drawn, occasion):  # draw for the occasions that the plan leaves out, too
                next(miss), next(jitter), next(potency)
            drawn = occasion + 1
            missed, shift, strength = next(miss), next(jitter), next(potency)
            taken = dose._replace(time=max(0.0, dose.time + shift), potency=strength)
            if not missed and taken.time < duration:
                doses.append(taken)
    return tuple(sorted(doses, key=lambda dose: dose.time))


def count_doses(line: RegimenLine, duration: float) -> float:
    """An upper bound on the doses of a line, without listing them."""
    interval = hours(line.every) if line.every else DAY
    end = min(duration, line.until * DAY if line.until else duration)
    return (max(0.0, end - (line.from_ - 1) * DAY) / interval + 1) * len(line.at)


def line_doses(line: RegimenLine, duration: float, start_day: str) -> Iterator[tuple[int, Dose]]:
    """(occasion, dose) of one line; occasions count every clock time of the line from 0, taken or not."""
    infuse = hours(line.infuse) if line.infuse else 0.0
    first_weekday = WEEKDAYS.index(start_day)
    for occasion, time in _times(line, duration):
        day = int(time // DAY) + 1
        amount = _amount(line, day)
        weekday = WEEKDAYS[(first_weekday + day - 1) % 7]
        if amount is None or day in line.missed or (line.days and weekday not in line.days):
            continue
        taken = time + (hours(line.late[day]) if day in line.late else 0.0)
        if taken < duration:
            yield occasion, Dose(taken, amount, line.input, infuse)


def _times(line: RegimenLine, duration: float) -> Iterator[tuple[int, float]]:
    end = min(duration, line.until * DAY if line.until else duration)
    interval = hours(line.every) if line.every else DAY
    first = (line.from_ - 1) * DAY
    for step in range(max(0, int((end - first) / interval) + 2)):
        for index, clock in enumerate(line.at):
            time = first + clock + step * interval
            if time < end:
                yield step * len(line.at) + index, time


def _amount(line: RegimenLine, day: int) -> Quantity | None:
    rungs = [first for first in line.ladder if first <= day]
    return line.ladder[max(rungs)] if rungs else None if line.ladder else line.dose


def _draws(line: RegimenLine, number: int, name: str, seed: int, subject: int) -> Iterator[float]:
    """What happens at the line's occasions, one by one: missed (1 or 0), hours of shift, or factor on the dose."""
    field = getattr(line, name)
    if field is None:
        yield from repeat(1.0 if name == "potency" else 0.0)
    stream = generator(seed, f"regimen.{number}.{name}", subject)
    while True:
        match name:
            case "miss":
                yield float(stream.random() < coherent(field))
            case "jitter":
                yield hours(field) * min(3.0, max(-3.0, float(stream.standard_normal())))
            case _:
                low, high = map(coherent, field)
                yield float(stream.uniform(low, high))
