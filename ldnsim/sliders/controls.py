"""What of a scenario can be moved, between which ends, and the change that a position stands for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ldnsim.foundation.clock import clock_text
from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import Quantity, coherent, declared
from ldnsim.scenario.changes import resolve

if TYPE_CHECKING:
    from ldnsim.dosing.regimen import Arm, RegimenLine
    from ldnsim.model.records import Parameter
    from ldnsim.scenario.scenario import Scenario

__all__ = ["Knob", "parameter_knobs", "scenario_knobs"]

KnobKind = Literal["amount", "clock", "factor", "switch", "whole"]

STEPS = 100  # of a slider from end to end
CLOCK_STEP = 0.25  # h
DOSES = 10.0  # a dose's slider reaches to so many times the dose of the file
UNKNOWN = 4.0  # and that of a value without a range this many times up and down
LONGEST, MOST_PEOPLE = 56, 1000


@dataclass(frozen=True)
class Knob:
    """One address that can be moved from `low` to `high`, both included.

    Positions are numbers in `unit`; h after midnight for a clock; a multiple of each account's own value for a factor;
    1 (as it is) or 0 for a switch.
    """

    address: str
    title: str
    kind: KnobKind
    start: float
    low: float
    high: float
    step: float
    unit: str = ""

    def change(self, position: float) -> str | float:
        """What `Scenario.with_changes` takes for a position."""
        if self.kind == "clock":
            return clock_text(position)
        if self.kind == "factor":
            return f"x {position:.6g}"
        number = f"{position:.6g}"
        return f"{number} {self.unit}" if self.unit else float(number)


def scenario_knobs(scenario: Scenario) -> list[Knob]:
    """What the scenario itself says: doses and clock times of its arms, its days, its people.

    Lines with a ladder have no dose to move, and lines with several clock times none of these.
    """
    resolved = resolve(scenario)
    knobs = [knob for name, arm in resolved.arms.items() for knob in _of_arm(name, arm)]
    days = hours(resolved.duration) / 24
    knobs.append(Knob("duration", "days", "whole", days, 1, max(LONGEST, 2 * math.ceil(days)), 1, "d"))
    if resolved.population:
        size = resolved.population.size
        knobs.append(Knob("population.size", "people", "whole", size, 1, max(MOST_PEOPLE, size), 1))
    return knobs


def _of_arm(name: str, arm: Arm) -> Iterator[Knob]:
    for number, line in enumerate(arm.regimen, start=1):
        head = f"{name}.{number}" if len(arm.regimen) > 1 else name
        if line.dose is not None and not line.ladder:
            yield _of_dose(f"{head}.dose", line)
        if len(line.at) == 1:
            yield Knob(f"{head}.at", "at", "clock", line.at[0], 0, 24 - CLOCK_STEP, CLOCK_STEP)


def _of_dose(address: str, line: RegimenLine) -> Knob:
    dose = line.dose or Quantity(0.0)
    high = _round_up(DOSES * (dose.value or 1.0))
    return Knob(address, "dose", "amount", dose.value, 0, high, high / STEPS, dose.unit if dose.unit != "1" else "")


def parameter_knobs(scenario: Scenario) -> list[Knob]:
    """The parameters that move something reported, in the order of the model's pages.

    Where the accounts compared have different values of their own the knob is a factor on each, because one value for
    all would take an account apart. A parameter whose zero has a meaning is a switch as well.
    """
    structure = {address: value for address, value in scenario.changes.items() if address in scenario.model.slots}
    plain = resolve(scenario.model_copy(update={"changes": structure}))
    knobs: dict[str, list[Knob]] = {}
    for now, own in zip(resolve(scenario).settings, plain.settings, strict=True):
        for address, record in now.parameters.items():
            value = now.values[address]
            if address in knobs:
                first = knobs[address][0]
                if (first.start, first.unit) != (value.value, _unit(value)) and first.kind == "amount":
                    knobs[address][0] = _factor(address, record, value, own.values[address])
            elif _moves(scenario, address):
                switch = Knob(address, record.at_zero, "switch", 1, 0, 1, 1, _unit(value))
                both = record.at_zero and value.value
                knobs[address] = [_of_parameter(address, record, value), *([switch] if both else [])]
    return [knob for found in knobs.values() for knob in found]


def _of_parameter(address: str, record: Parameter, value: Quantity) -> Knob:
    low, high = min(value.value / UNKNOWN, value.value * UNKNOWN), abs(value.value) * UNKNOWN or 1.0
    kinds = {end.dimension for end in (*(record.range or ()), value)}
    if record.range and len(kinds) == 1:  # a drug's mass and its amount would need its molar mass
        one = declared(value.unit)
        low, high = (coherent(end) / one for end in record.range)
    low, high = min(low, value.value), max(high, value.value)
    return Knob(address, record.description, "amount", value.value, low, high, _step(low, high), _unit(value))


def _factor(address: str, record: Parameter, value: Quantity, own: Quantity) -> Knob:
    start = value.value / own.value if own.value and own.unit == value.unit else 1.0
    return Knob(address, record.description, "factor", start, min(1 / UNKNOWN, start), max(UNKNOWN, start), 0.05)


def _moves(scenario: Scenario, address: str) -> bool:
    try:
        scenario.with_changes({address: "x 1"})
    except LdnsimError:
        return False
    return True


def _unit(quantity: Quantity) -> str:
    return "" if quantity.unit == "1" else quantity.unit


def _step(low: float, high: float) -> float:
    """About a hundredth of the way, with one digit: 1, 2 or 5."""
    return _round_up((high - low) / STEPS / 2) if high > low else 1.0


def _round_up(value: float) -> float:
    """The next number of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= value * (1 - 1e-9))
