"""Checks of a scenario against its model: names, arms, changes, axes of a sweep."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import MOST_FAULTS, Fault, listed, nearest
from ldnsim.scenario.changes import RESERVED, axis_faults, examine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ldnsim.scenario.scenario import Scenario

__all__ = ["scenario_faults"]


def scenario_faults(scenario: Scenario) -> list[Fault]:
    """Faults of a scenario against its model."""
    checks: list[Iterable[Fault]] = [_name_faults(scenario)]
    if not scenario.arms:
        checks.append([Fault("a scenario without arms", ("arms",), "at least one arm", at_key=True)])
    checks += [examine(scenario)[1], axis_faults(scenario)]
    return list(islice(chain.from_iterable(checks), MOST_FAULTS))


def _name_faults(scenario: Scenario) -> Iterator[Fault]:
    model = scenario.model
    yield from _listed_faults(scenario, "accounts", "account", tuple(model.accounts) or (model.name,))
    yield from _listed_faults(scenario, "report", "output", tuple(model.outputs))
    for name in scenario.arms:
        if name in {*model.slots, *RESERVED}:
            what = "has the name of a slot" if name in model.slots else "has a reserved word for its name"
            yield Fault(f"the arm {name!r} {what}", ("arms", name), "another name", at_key=True)


def _listed_faults(scenario: Scenario, field: str, what: str, known: Collection[str]) -> Iterator[Fault]:
    """Names in a list of the scenario that its model does not have, or that occur twice."""
    names = getattr(scenario, field)
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Fault(f"{name!r} stands here twice", (field, index), f"each {what} once")
        elif name not in known:
            message = f"model {scenario.model.name} has no {what} {name!r}"
            yield Fault(message, (field, index), listed(known), nearest(name, known))
