"""The axes of a sweep: each value must fit, and each axis move something in some cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.addresses.resolving import examine
from ldnsim.errors import Fault, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ldnsim.addresses.reach import Memory
    from ldnsim.errors import Lost
    from ldnsim.fields import Change
    from ldnsim.scenario import Scenario

__all__ = ["axis_faults"]

MOST_VALUES = 2_000  # of all axes together


def axis_faults(scenario: Scenario, lost: Lost) -> Iterator[Fault]:
    """What is wrong with the axes alone; paths start at the scenario."""
    count = sum(map(len, scenario.sweep.values())) + len(scenario.sweep)
    if count > MOST_VALUES:
        yield Fault("too many values on the axes", ("sweep",), f"at most {MOST_VALUES} on all of them", at_key=True)
        return
    axes = _Axes(scenario, lost)
    for address, values in scenario.sweep.items():
        yield from axes.faults(address, values)


class _Axes:
    def __init__(self, scenario: Scenario, lost: Lost) -> None:
        self.scenario, self.lost = scenario, lost
        self.memory: Memory = {}
        self.told = {fault.message for fault in examine(scenario, lost, memory=self.memory)[1]}

    def faults(self, address: str, values: tuple[Change, ...]) -> Iterator[Fault]:
        path = ("sweep", address)
        if not values:
            yield Fault("an axis without values", path, "a list of values")
        for index, value in enumerate(values):
            if value in values[:index]:
                yield Fault(f"{shown(value)} stands here twice", (*path, index), "each value once")
                continue
            found = self.faults_of({address: value}, address)
            of_address = [fault for fault in found if fault.at_key]
            if of_address and not self.reached_elsewhere(address, value):
                yield from (Fault(f.message, path, f.expected, f.nearest, at_key=True) for f in of_address)
                return
            yield from (Fault(f.message, (*path, index), f.expected, f.nearest) for f in found if not f.at_key)

    def faults_of(self, changes: Mapping[str, Change], address: str) -> list[Fault]:
        """What is wrong with one address once the changes are made, and was not wrong before."""
        changed = self.scenario.model_copy(update={"changes": {**self.scenario.changes, **changes}})
        faults = examine(changed, self.lost, memory=self.memory)[1]
        return [fault for fault in faults if fault.path[:2] == ("changes", address) and fault.message not in self.told]

    def reached_elsewhere(self, address: str, value: Change) -> bool:
        """Whether an address moves something once another axis has put another part into a slot, or other people."""
        slots = self.scenario.model.slots
        for other, values in self.scenario.sweep.items():
            known = [part.name for part in slots.get(other, ())]
            choices = values[:1] if other == "population.size" else tuple(value for value in values if value in known)
            if other != address and any(
                not self.faults_of({other: choice, address: value}, address) for choice in choices
            ):
                return True
        return False
