"""What an address reaches: why it names nothing, or moves nothing, in any of the accounts compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, listed, nearest, shown
from ldnsim.model.output_kinds import kind_named
from ldnsim.model.settings import RIVALS
from ldnsim.model.system import composed
from ldnsim.scenario.changes.plan import LINE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ldnsim.dosing.regimen import Arm
    from ldnsim.foundation.fields import Change
    from ldnsim.model.settings import Setting
    from ldnsim.scenario.record import ScenarioRecord

__all__ = ["address_faults", "delivery_faults"]

MOST_NUMBERS = 8  # lines of an arm whose fields are among the names known
GRAMMAR = "slot.parameter, slot, slot.rivals, arm.field, population.size or duration"


def address_faults(
    scenario: ScenarioRecord,
    arms: Mapping[str, Arm],
    settings: Sequence[Setting],
    addresses: Mapping[str, tuple[str, Change]],
) -> Iterator[Fault]:
    """Faults of addresses (as written -> qualified, value) that reach nothing. Paths start at the scenario."""
    behind: set[str] | None = None
    for address, (found, value) in addresses.items():
        slots = {
            slot: None for setting in settings for slot, part in setting.parts.items() if address in part.parameters
        }
        if len(slots) > 1:
            which = " or ".join(f"{slot}.{address}" for slot in slots)
            message = f"{address!r} is a parameter of several slots"
            yield Fault(message, ("changes", address), which, at_key=True)
            continue
        moved = _moved(settings, found, value)
        if not moved:
            yield _address_fault(scenario, settings, address, found, value)
            continue
        behind = _behind_outputs(scenario, arms, settings) if behind is None else behind
        if behind.isdisjoint(moved):
            expected = (
                f"a parameter that the reported outputs ({listed(scenario.report or scenario.model.outputs)}) rest on"
            )
            yield Fault(f"{address} moves nothing", ("changes", address), expected, at_key=True)


def _moved(settings: Sequence[Setting], found: str, value: Change) -> set[str]:
    """The parameters that a qualified address changes in any of the accounts."""
    slot, _, name = found.partition(".")
    if name != RIVALS:
        return {found} if any(found in setting.values for setting in settings) else set()
    sets = [setting.parts[slot].rivals for setting in settings if slot in setting.parts]
    return {f"{slot}.{key}" for rivals in sets if value in rivals for key in rivals[str(value)].values}


def _address_fault(
    scenario: ScenarioRecord, settings: Sequence[Setting], address: str, found: str, value: Change
) -> Fault:
    """Why an address changes nothing in any of the accounts."""
    path = ("changes", address)
    slot, _, name = found.partition(".")
    parts = scenario.model.slots.get(slot, ())
    unused = [part.name for part in parts if name in part.parameters or (name == RIVALS and value in part.rivals)]
    if unused:
        return Fault(f"{address} moves nothing", path, f"an account that uses {' or '.join(unused)}", at_key=True)
    if name == RIVALS and parts:
        used = {known: None for setting in settings for known in setting.parts[slot].rivals}
        expected = listed(used) or "none: its parts have no sets"
        return Fault(f"slot {slot} has no rival set {shown(value)}", path, expected, nearest(str(value), used))
    return Fault(
        f"{shown(address)} names nothing", path, GRAMMAR, nearest(address, _known(scenario, settings)), at_key=True
    )


def delivery_faults(scenario: ScenarioRecord, arms: Mapping[str, Arm], settings: Sequence[Setting]) -> Iterator[Fault]:
    """Doses that go to states which an account lacks."""
    inputs = {line.input for arm in arms.values() for line in arm.regimen}
    lacking: dict[str, str] = {}  # input -> what the first account that cannot take it lacks
    for setting in settings:
        states = {f"{slot}.{state}" for slot, part in setting.parts.items() for state in part.states}
        for name, product in scenario.model.inputs.items():
            missing = [needed for needed in product.to if needed not in states]
            missing += [needed for needed in product.delivery_parameters if needed not in setting.values]
            if missing and name in inputs:
                message = f"account {setting.account} has no {listed(missing)}, which input {name} needs"
                lacking.setdefault(name, message)
    for arm, regimen in arms.items():
        for index, line in enumerate(regimen.regimen):
            if line.input in lacking:
                path = ("arms", arm, "regimen", index, "input")
                yield Fault(lacking[line.input], path, "an input that all accounts compared can take")


def _known(scenario: ScenarioRecord, settings: Sequence[Setting]) -> list[str]:
    arms = []
    for name, arm in scenario.arms.items():
        numbers = range(1, min(len(arm.regimen), MOST_NUMBERS) + 1)
        leads = [name] if len(arm.regimen) == 1 else [f"{name}.{number}" for number in numbers]
        arms += [f"{lead}.{field}" for lead in leads for field in LINE_FIELDS]
    slots = scenario.model.slots
    own = ["population.size", "population.seed", "duration", *slots, *(f"{slot}.{RIVALS}" for slot in slots)]
    values = {name: None for setting in settings for name in setting.values}
    bare = {name.split(".")[1]: None for name in values}
    return [*values, *own, *arms, *bare]


def _behind_outputs(scenario: ScenarioRecord, arms: Mapping[str, Arm], settings: Sequence[Setting]) -> set[str]:
    """Every qualified name that a reported output, or the delivery of a dose to it, depends on in any account."""
    model = scenario.model
    blockades = [name for name, output in model.outputs.items() if kind_named(output.kind).is_blockade]  # always shown
    inputs = {line.input for arm in arms.values() for line in arm.regimen}
    structures = {tuple(part.name for part in setting.parts.values()): setting.parts for setting in settings}
    behind: set[str] = set()
    for parts in structures.values():
        rests_on = composed(model, parts).rests_on
        here = {
            name for output in (*(scenario.report or model.outputs), *blockades) for name in rests_on.get(output, ())
        }
        for name, product in model.inputs.items():
            given = name in inputs or not inputs <= model.inputs.keys()  # an input that is misspelt may be any of them
            if given and here & set(product.to):
                here |= set(product.delivery_parameters)
        behind |= here
    return behind
