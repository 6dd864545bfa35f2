"""Regimens by the clock: what is taken, when. Records, and their expansion to a list of doses.

t = 0 is local midnight of day 1; all days have 24 h. Lag, bioavailability and salts belong to the model's inputs and
are applied later (`schedule`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from ldnsim.draws import generator
from ldnsim.fields import (
    WEEKDAYS,
    Clocks,
    Day,
    Duration,
    NotNegative,
    Record,
    Share,
    Weekday,
    Weekdays,
    hours,
)
from ldnsim.units import Quantity, coherent

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Arm", "Dose", "RegimenLine", "given_doses", "planned_doses"]

MOST_DOSES = 20_000
DAY = 24.0


class RegimenLine(Record):
    """One line of a regimen: an input, a dose (or a ladder of doses), and when it is taken."""

    input: str
    dose: NotNegative | None = None
    ladder: dict[Day, NotNegative] = {}
    at: Clocks = Field(min_length=1)
    days: Weekdays = ()
    from_: Day = Field(1, alias="from")
    until: Day | None = None
    every: Duration | None = None
    infuse: Duration | None = None
    miss: Share | None = None
    missed: tuple[Day, ...] = ()
    late: dict[Day, Duration] = {}
    jitter: Duration | None = None
    potency: tuple[NotNegative, NotNegative] | None = None

    @property
    def amounts(self) -> tuple[Quantity, ...]:
        return tuple(self.ladder.values()) or ((self.dose,) if self.dose else ())


class Arm(Record):
    """One way of taking the drug, to be compared with others."""

    title: str = ""
    regimen: tuple[RegimenLine, ...]


class Dose(NamedTuple):
    """A dose as it is taken: hours since midnight of day 1, the amount on the label, and hours of infusion (0: at once)."""

    time: float
    amount: Quantity
    input: str
    infuse: float = 0.0
    potency: float = 1.0


def planned_doses(arm: Arm, duration: float, start_day: Weekday = "mon") -> tuple[Dose, ...]:
    """The doses of the plan before `duration` (h), ascending in time: missed days left out, late ones moved."""
    doses = [dose for line in arm.regimen for _, dose in _planned(line, duration, start_day)]
    return tuple(sorted(doses, key=lambda dose: dose.time))


def given_doses(arm: Arm, duration: float, start_day: Weekday, seed: int, subject: int) -> tuple[Dose, ...]:
    """The doses that one person takes: the plan with this person's misses, jitter and potency drawn.

    The draws are keyed by line and dose, not by arm: two arms of the same plan miss the same doses.
    """
    doses = []
    for number, line in enumerate(arm.regimen, start=1):
        draws = {
            name: generator(seed, f"regimen.{number}.{name}", subject) for name in ("miss", "jitter", "potency") if getattr(line, name)
        }
        for _, dose in _planned(line, duration, start_day):
            missed = line.miss is not None and draws["miss"].random() < coherent(line.miss)
            if line.jitter is not None:
                shift = hours(line.jitter) * float(np.clip(draws["jitter"].standard_normal(), -3, 3))
                dose = dose._replace(time=max(0.0, dose.time + shift))
            if line.potency is not None:
                dose = dose._replace(potency=float(draws["potency"].uniform(*map(coherent, line.potency))))
            if not missed and dose.time < duration:
                doses.append(dose)
    return tuple(sorted(doses, key=lambda dose: dose.time))


def count_doses(line: RegimenLine, duration: float) -> float:
    """An upper bound on the doses of a line, without listing them."""
    interval = hours(line.every) if line.every else DAY
    return duration / interval * len(line.at) + 1


def _planned(line: RegimenLine, duration: float, start_day: str) -> Iterator[tuple[int, Dose]]:
    infuse = hours(line.infuse) if line.infuse else 0.0
    for time in _times(line, duration):
        day = int(time // DAY) + 1
        amount = _amount(line, day)
        weekday = WEEKDAYS[(WEEKDAYS.index(start_day) + day - 1) % 7]
        if amount is None or day in line.missed or (line.days and weekday not in line.days):
            continue
        taken = time + (hours(line.late[day]) if day in line.late else 0.0)
        if taken < duration:
            yield day, Dose(taken, amount, line.input, infuse)


def _times(line: RegimenLine, duration: float) -> Iterator[float]:
    end = min(duration, line.until * DAY if line.until else duration)
    interval = hours(line.every) if line.every else DAY
    first = (line.from_ - 1) * DAY
    for step in range(max(0, int((end - first) / interval) + 2)):
        for clock in line.at:
            time = first + clock + step * interval
            if time < end:
                yield time


def _amount(line: RegimenLine, day: int) -> Quantity | None:
    rungs = [first for first in line.ladder if first <= day]
    return line.ladder[max(rungs)] if rungs else None if line.ladder else line.dose
