"""The axes of a sweep: each value must fit, and each axis move something in some cell."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ldnsim.dosing.limits import line_faults
from ldnsim.foundation.errors import Fault, LdnsimError, shown
from ldnsim.model.settings import RIVALS, choice_faults, qualified, setting_faults
from ldnsim.scenario.changes.plan import plan_of
from ldnsim.scenario.changes.resolve import examine
from ldnsim.scenario.design import MOST_CELLS, SAMPLED, Range, ends_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ldnsim.foundation.fields import Change
    from ldnsim.scenario.record import ScenarioRecord

__all__ = ["axis_faults"]

MOST_AXES = 20
MOST_VALUES = 2_000  # of all axes together


def axis_faults(scenario: ScenarioRecord) -> Iterator[Fault]:
    """What is wrong with the axes alone, and with the design; paths start at the scenario."""
    swept = scenario.sweep
    yield from _design_faults(scenario)
    if len(swept) > MOST_AXES:
        yield Fault(f"{len(swept)} axes", ("sweep",), f"at most {MOST_AXES}", at_key=True)
    elif sum(2 if isinstance(axis, Range) else len(axis) for axis in swept.values()) > MOST_VALUES:
        yield Fault("too many values on the axes", ("sweep",), f"at most {MOST_VALUES} on all of them", at_key=True)
    elif swept:
        axes = _Axes(scenario)
        for address, axis in swept.items():
            if isinstance(axis, Range):
                yield from axes.range_faults(address, axis)
            else:
                yield from axes.faults(address, axis)


def _design_faults(scenario: ScenarioRecord) -> Iterator[Fault]:
    """Axes and design that do not make cells."""
    swept, design = scenario.sweep, scenario.design
    ranges = {address: axis for address, axis in swept.items() if isinstance(axis, Range)}
    lists = {address: axis for address, axis in swept.items() if not isinstance(axis, Range)}
    if not swept:
        if design.kind != "grid" or design.cells:
            yield Fault("a design without a sweep", ("design",), "sweep: {address: [value, value]}", at_key=True)
        return
    if design.kind in SAMPLED:
        if design.cells is None:
            message = f"a {design.kind} design of how many cells?"
            yield Fault(message, ("design",), "cells: 256", at_key=True)
        elif design.kind == "sobol" and design.cells & (design.cells - 1):
            low = 1 << (design.cells.bit_length() - 1)
            message = f"{design.cells} cells of a Sobol sequence are not spread evenly"
            yield Fault(message, ("design", "cells"), f"a power of 2, such as {low} or {2 * low}")
        for address, axis in ranges.items():
            if axis.points is not None:
                message = f"points say nothing in a {design.kind} design"
                yield Fault(message, ("sweep", address, "points"), "the number of cells in the design", at_key=True)
        return
    if design.cells is not None:
        message = f"the axes say how many cells a {design.kind} has"
        yield Fault(message, ("design", "cells"), f"one of {', '.join(SAMPLED)}", at_key=True)
    for address, axis in ranges.items():
        if axis.points is None:
            message = f"a {design.kind} needs single values"
            expected = f"a list, points: 9, or a design of kind {', '.join(SAMPLED)}"
            yield Fault(message, ("sweep", address), expected, at_key=True)
    lengths = {address: len(axis) for address, axis in lists.items()}
    lengths |= {address: axis.points for address, axis in ranges.items() if axis.points}
    if design.kind == "list" and len(set(lengths.values())) > 1:
        counts = ", ".join(f"{address} has {length}" for address, length in lengths.items())
        yield Fault(f"lists side by side are not of one length: {counts}", ("sweep",), "as many values on each")
    if design.kind == "grid" and math.prod(lengths.values()) > MOST_CELLS:
        yield Fault(f"{math.prod(lengths.values()):,} cells", ("sweep",), f"at most {MOST_CELLS:,}", at_key=True)


class _Axes:
    """The scenario as it is without its sweep, against which each value is held."""

    def __init__(self, scenario: ScenarioRecord) -> None:
        self.scenario = scenario
        resolved, found = examine(scenario)
        self.settings = resolved.settings
        self.faults_before = {fault.message for fault in found}

    def range_faults(self, address: str, given: Range) -> Iterator[Fault]:
        """A range is valid where its ends are."""
        path = ("sweep", address)
        name = qualified(address, self.settings)
        if name in self.scenario.model.slots or name.endswith("." + RIVALS):
            yield Fault(f"{address} has names, and no range", path, "a list of names")
            return
        try:
            ends = ends_of(address, given)
        except LdnsimError as caught:
            yield from (fault.under(*path) for fault in caught.faults)
            return
        for fault in self.faults(address, (ends.text(ends.start), ends.text(ends.stop))):
            end = (("from",), ("to",))[int(fault.path[-1])] if len(fault.path) > len(path) else ()
            yield replace(fault, path=(*path, *end))

    def faults(self, address: str, values: tuple[Change, ...]) -> Iterator[Fault]:
        path = ("sweep", address)
        if not values:
            yield Fault("an axis without values", path, "a list of values")
            return
        of_address = [fault for fault in self.changed(address, values[0]) if fault.at_key]
        if of_address and not self.reached_elsewhere(address):
            yield from (Fault(f.message, path, f.expected, f.nearest, at_key=True) for f in of_address)
            return
        repeated = self.scenario.design.kind == "list"  # side by side, a value may well stand twice
        for index, value in enumerate(values):
            if value in values[:index]:
                if not repeated:
                    yield Fault(f"{shown(value)} stands here twice", (*path, index), "each value once")
            else:
                yield from (Fault(f.message, (*path, index), f.expected, f.nearest) for f in self.unfit(address, value))

    def changed(self, address: str, value: Change) -> list[Fault]:
        """What is wrong once one address is changed, and was not wrong before: with the address, or with its value."""
        faults = examine(self.with_change(address, value))[1]
        return [
            fault
            for fault in faults
            if fault.path[:2] == ("changes", address) and fault.message not in self.faults_before
        ]

    def with_change(self, address: str, value: Change) -> ScenarioRecord:
        return self.scenario.model_copy(update={"changes": {**self.scenario.changes, address: value}})

    def unfit(self, address: str, value: Change) -> Iterator[Fault]:
        """What is wrong with a value. Quick: only what the address names is looked at, not the whole scenario."""
        plan = plan_of(self.with_change(address, value))
        yield from (f for f in plan.faults if f.path == ("changes", address) and not f.at_key)
        for (arm, number), fields in plan.changed.items():
            if address in fields.values():
                line = plan.arms[arm].regimen[number]
                faults = line_faults(line, self.scenario.model, plan.duration, self.scenario.start_day)
                yield from (fault for fault in faults if fault.message not in self.faults_before)
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
                alternatives = scenario.sweep[other]
                if isinstance(alternatives, Range) or part.name not in alternatives:
                    continue
                if name in part.parameters or (name == RIVALS and part.rivals):
                    return True
        there = any(f"{slot}.{name}" in setting.values for setting in self.settings)
        return there and bool(swept)
