"""Checks of a scenario against its model: names, arms, changes, axes of a sweep."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import MOST_FAULTS, Fault, Lost, listed, nearest
from ldnsim.scenario.changes import RESERVED, axis_faults, examine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ldnsim.scenario.scenario import Scenario

__all__ = ["scenario_faults"]


def scenario_faults(scenario: Scenario, lost: Lost, *, model_stands: bool = True) -> list[Fault]:
    """Faults of a scenario, as far as it could be read. `model_stands` says that its model is without fault."""
    has_model = ("model",) not in lost
    checks: list[Iterator[Fault]] = []
    if has_model:
        checks.append(_name_faults(scenario, lost))
    if not scenario.arms and not lost.touches("arms"):
        checks.append(iter([Fault("a scenario without arms", ("arms",), "at least one arm", at_key=True)]))
    checks.append(iter(examine(scenario, lost, model_stands=model_stands)[1]))
    if model_stands:
        checks.append(axis_faults(scenario, lost))
    return list(islice(chain.from_iterable(checks), MOST_FAULTS))


def _name_faults(scenario: Scenario, lost: Lost) -> Iterator[Fault]:
    model = scenario.model
    accounts = [*(model.accounts or (model.name,)), *lost.names("model", "accounts")]
    for index, name in enumerate(scenario.accounts):
        if name in scenario.accounts[:index]:
            yield Fault(f"{name!r} stands here twice", ("accounts", index), "each account once")
        elif name not in accounts and not lost.touches("model", "accounts"):
            yield Fault(
                f"model {model.name} has no account {name!r}",
                ("accounts", index),
                listed(accounts),
                nearest(name, accounts),
            )
    outputs = [*model.outputs, *lost.names("model", "outputs")]
    for index, name in enumerate(scenario.report):
        if name in scenario.report[:index]:
            yield Fault(f"{name!r} stands here twice", ("report", index), "each output once")
        elif name not in outputs and ("model", "outputs") not in lost:
            yield Fault(
                f"model {model.name} has no output {name!r}", ("report", index), listed(outputs), nearest(name, outputs)
            )
    for name in scenario.arms:
        if name in {*model.slots, *RESERVED}:
            what = "has the name of a slot" if name in model.slots else "has a reserved word for its name"
            yield Fault(f"the arm {name!r} {what}", ("arms", name), "another name", at_key=True)
