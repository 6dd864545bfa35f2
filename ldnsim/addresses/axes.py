"""The axes of a sweep: each value must fit, and each axis move something in some cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.addresses.plan import plan_of
from ldnsim.addresses.resolving import examine
from ldnsim.addresses.settings import RIVALS, choice_faults, qualified, setting_faults
from ldnsim.errors import Fault, shown
from ldnsim.limits import line_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ldnsim.errors import Lost
    from ldnsim.fields import Change
    from ldnsim.scenario import Scenario

__all__ = ["axis_faults"]

MOST_AXES = 20
MOST_VALUES = 2_000  # of all axes together


def axis_faults(scenario: Scenario, lost: Lost) -> Iterator[Fault]:
    """What is wrong with the axes alone; paths start at the scenario."""
    if len(scenario.sweep) > MOST_AXES:
        yield Fault(f"{len(scenario.sweep)} axes", ("sweep",), f"at most {MOST_AXES}", at_key=True)
    elif sum(map(len, scenario.sweep.values())) > MOST_VALUES:
        yield Fault("too many values on the axes", ("sweep",), f"at most {MOST_VALUES} on all of them", at_key=True)
    elif scenario.sweep:
        axes = _Axes(scenario, lost)
        for address, values in scenario.sweep.items():
            yield from axes.faults(address, values)


class _Axes:
    """The scenario as it is without its sweep, against which each value is held."""

    def __init__(self, scenario: Scenario, lost: Lost) -> None:
        self.scenario, self.lost = scenario, lost
        resolved, found = examine(scenario, lost)
        self.settings = resolved.settings
        self.told = {fault.message for fault in found}

    def faults(self, address: str, values: tuple[Change, ...]) -> Iterator[Fault]:
        path = ("sweep", address)
        if not values:
            yield Fault("an axis without values", path, "a list of values")
            return
        of_address = [fault for fault in self.changed(address, values[0]) if fault.at_key]
        if of_address and not self.reached_elsewhere(address):
            yield from (Fault(f.message, path, f.expected, f.nearest, at_key=True) for f in of_address)
            return
        for index, value in enumerate(values):
            if value in values[:index]:
                yield Fault(f"{shown(value)} stands here twice", (*path, index), "each value once")
            else:
                yield from (Fault(f.message, (*path, index), f.expected, f.nearest) for f in self.unfit(address, value))

    def changed(self, address: str, value: Change) -> list[Fault]:
        """What is wrong once one address is changed, and was not wrong before: with the address, or with its value."""
        faults = examine(self.with_change(address, value), self.lost)[1]
        return [fault for fault in faults if fault.path[:2] == ("changes", address) and fault.message not in self.told]

    def with_change(self, address: str, value: Change) -> Scenario:
        return self.scenario.model_copy(update={"changes": {**self.scenario.changes, address: value}})

    def unfit(self, address: str, value: Change) -> Iterator[Fault]:
        """What is wrong with a value. Quick: only what the address names is looked at, not the whole scenario."""
        plan = plan_of(self.with_change(address, value), self.lost)
        yield from (f for f in plan.faults if f.path == ("changes", address) and not f.at_key)
        for (arm, number), fields in plan.changed.items():
            if address in fields.values():
                line = plan.arms[arm].regimen[number]
                faults = line_faults(line, self.scenario.model, plan.duration, self.scenario.start_day, self.lost)
                yield from (fault for fault in faults if fault.message not in self.told)
        if address in self.scenario.model.slots:
            yield from choice_faults(self.scenario.model, address, value)
        elif address in plan.to_model:
            yield from setting_faults(self.settings, qualified(address, self.settings), value)

    def reached_elsewhere(self, address: str) -> bool:
        """Whether an address may move something once another axis has put another part into a slot, or other people."""
        scenario = self.scenario
        if address == "population.seed":
            return "population.size" in scenario.sweep
        slot, _, name = qualified(address, self.settings).rpartition(".")
        swept = [other for other in scenario.sweep if other in scenario.model.slots and other != address]
        for other in swept if slot in ("", *swept) else ():
            for part in scenario.model.slots[other]:
                if part.name in scenario.sweep[other] and (name in part.parameters or (name == RIVALS and part.rivals)):
                    return True
        there = any(f"{slot}.{name}" in setting.values for setting in self.settings)
        return there and bool(swept)
