"""The sliders of a scenario: address, range, and the change that a position means."""

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

__all__ = ["SliderSpec", "parameter_sliders", "scenario_sliders"]

SliderKind = Literal["amount", "clock", "factor", "switch", "whole"]

STEPS = 100  # of a slider from end to end
CLOCK_STEP = 0.25  # h
DOSES = 10.0  # the slider of a dose reaches to this multiple of the dose of the file
UNKNOWN = 4.0  # the slider of a value without a range reaches by this factor up and down
LONGEST, MAX_PEOPLE = 56, 1000


@dataclass(frozen=True)
class SliderSpec:
    """A slider or switch for one address, from `low` to `high`, both included.

    Positions are numbers in `unit`; h after midnight for a clock; a multiple of each account's value for a factor;
    1 (unchanged) or 0 for a switch.
    """

    address: str
    title: str
    kind: SliderKind
    start: float
    low: float
    high: float
    step: float
    unit: str = ""

    def change(self, position: float) -> str | float:
        """The value of a position for `Scenario.with_changes`."""
        if self.kind == "clock":
            return clock_text(position)
        if self.kind == "factor":
            return f"x {position:.6g}"
        number = f"{position:.6g}"
        return f"{number} {self.unit}" if self.unit else float(number)


def scenario_sliders(scenario: Scenario) -> list[SliderSpec]:
    """The sliders of doses and clock times of the arms, of the duration and of the population size.

    Lines with a dose ladder have no slider for the dose, and lines with several clock times none for the time.
    """
    resolved = resolve(scenario)
    specs = [spec for name, arm in resolved.arms.items() for spec in _of_arm(name, arm)]
    days = hours(resolved.duration) / 24
    specs.append(SliderSpec("duration", "days", "whole", days, 1, max(LONGEST, 2 * math.ceil(days)), 1, "d"))
    if resolved.population:
        size = resolved.population.size
        specs.append(SliderSpec("population.size", "people", "whole", size, 1, max(MAX_PEOPLE, size), 1))
    return specs


def _of_arm(name: str, arm: Arm) -> Iterator[SliderSpec]:
    for number, line in enumerate(arm.regimen, start=1):
        head = f"{name}.{number}" if len(arm.regimen) > 1 else name
        if line.dose is not None and not line.ladder:
            yield _of_dose(f"{head}.dose", line)
        if len(line.at) == 1:
            yield SliderSpec(f"{head}.at", "at", "clock", line.at[0], 0, 24 - CLOCK_STEP, CLOCK_STEP)


def _of_dose(address: str, line: RegimenLine) -> SliderSpec:
    dose = line.dose or Quantity(0.0)
    high = _round_up(DOSES * (dose.value or 1.0))
    return SliderSpec(
        address, "dose", "amount", dose.value, 0, high, high / STEPS, dose.unit if dose.unit != "1" else ""
    )


def parameter_sliders(scenario: Scenario) -> list[SliderSpec]:
    """The sliders of all parameters that affect a reported output, in the order of the model.

    If accounts have different values of a parameter, its slider is a factor on each: one value for all would remove the
    difference. A parameter for which zero has a meaning has a switch as well.
    """
    structure = {address: value for address, value in scenario.changes.items() if address in scenario.model.slots}
    plain = resolve(scenario.model_copy(update={"changes": structure}))
    specs: dict[str, list[SliderSpec]] = {}
    for now, own in zip(resolve(scenario).settings, plain.settings, strict=True):
        for address, record in now.parameters.items():
            value = now.values[address]
            if address in specs:
                first = specs[address][0]
                if (first.start, first.unit) != (value.value, _unit(value)) and first.kind == "amount":
                    specs[address][0] = _factor(address, record, value, own.values[address])
            elif _moves(scenario, address):
                switch = SliderSpec(address, record.at_zero, "switch", 1, 0, 1, 1, _unit(value))
                both = record.at_zero and value.value
                specs[address] = [_of_parameter(address, record, value), *([switch] if both else [])]
    return [spec for found in specs.values() for spec in found]


def _of_parameter(address: str, record: Parameter, value: Quantity) -> SliderSpec:
    low, high = min(value.value / UNKNOWN, value.value * UNKNOWN), abs(value.value) * UNKNOWN or 1.0
    kinds = {end.dimension for end in (*(record.range or ()), value)}
    if record.range and len(kinds) == 1:  # a drug's mass and its amount would need its molar mass
        one = declared(value.unit)
        low, high = (coherent(end) / one for end in record.range)
    low, high = min(low, value.value), max(high, value.value)
    return SliderSpec(address, record.description, "amount", value.value, low, high, _step(low, high), _unit(value))


def _factor(address: str, record: Parameter, value: Quantity, own: Quantity) -> SliderSpec:
    start = value.value / own.value if own.value and own.unit == value.unit else 1.0
    return SliderSpec(address, record.description, "factor", start, min(1 / UNKNOWN, start), max(UNKNOWN, start), 0.05)


def _moves(scenario: Scenario, address: str) -> bool:
    try:
        scenario.with_changes({address: "x 1"})
    except LdnsimError:
        return False
    return True


def _unit(quantity: Quantity) -> str:
    return "" if quantity.unit == "1" else quantity.unit


def _step(low: float, high: float) -> float:
    """About a hundredth of the range, with one digit: 1, 2 or 5."""
    return _round_up((high - low) / STEPS / 2) if high > low else 1.0


def _round_up(value: float) -> float:
    """The next number of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= value * (1 - 1e-9))
