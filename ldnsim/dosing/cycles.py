"""Regimens that repeat for ever: how long their cycle is, or why they have none."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from ldnsim.dosing.regimen import DAY, RegimenLine, planned_doses
from ldnsim.foundation.errors import Fault
from ldnsim.foundation.fields import hours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ldnsim.dosing.regimen import Arm

__all__ = ["cycle_of", "repeat_faults"]

REPEATING = ("input", "dose", "at", "days", "every", "infuse")  # what a line may say, and still be the same for ever
WEEK = 7 * DAY
LONGEST = 366 * DAY


def cycle_of(arm: Arm) -> float:
    """Hours after which all lines of a regimen that repeats start anew at the same clock time."""
    cycle = Fraction(int(DAY))
    for line in arm.regimen:
        lengths = [Fraction(hours(line.every)).limit_denominator(3600)] if line.every else []
        lengths += [Fraction(int(WEEK))] if line.days else []
        for length in lengths:
            cycle = Fraction(
                math.lcm(cycle.numerator * length.denominator, length.numerator * cycle.denominator),
                cycle.denominator * length.denominator,
            )
    return float(cycle)


def repeat_faults(arms: Mapping[str, Arm]) -> Iterator[Fault]:
    """Why arms cannot start in their steady state. Paths start at the scenario."""
    for name, arm in arms.items():
        odd = False
        for number, line in enumerate(arm.regimen):
            for field, info in RegimenLine.model_fields.items():
                if field not in REPEATING and getattr(line, field) != info.get_default(call_default_factory=True):
                    odd = True
                    key = info.alias or field
                    message = f"a line with `{key}` does not repeat, and has no steady state to start in"
                    expected = f"no {key}, or start: drug_free"
                    yield Fault(message, ("arms", name, "regimen", number, key), expected, at_key=True)
        cycle = cycle_of(arm)
        if not odd and cycle > LONGEST:
            message = f"its lines meet again after {cycle / DAY:,.0f} days only"
            yield Fault(message, ("arms", name), "a cycle of at most 366 days, or start: drug_free", at_key=True)
        elif not odd and _doses(arm, 0, cycle) != _doses(arm, cycle, 2 * cycle):
            message = "its first doses are not those that go on for ever after"
            expected = "a clock time on day 1 within the first interval"
            yield Fault(message, ("arms", name), expected, at_key=True)


def _doses(arm: Arm, start: float, end: float) -> list[tuple[float, str, str]]:
    """The doses of a stretch, told so that two stretches can be compared."""
    planned = [dose for dose in planned_doses(arm, end) if dose.time >= start]
    return [(round(dose.time - start, 6), dose.input, str(dose.amount)) for dose in planned]
