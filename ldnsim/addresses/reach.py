"""What an address reaches: why it names nothing, or moves nothing, in any of the accounts compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.addresses.plan import LINE_FIELDS
from ldnsim.addresses.settings import RIVALS
from ldnsim.errors import Fault, listed, nearest
from ldnsim.system import compose

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ldnsim.addresses.settings import Setting
    from ldnsim.dosing import Arm
    from ldnsim.fields import Change
    from ldnsim.scenario import Scenario

__all__ = ["Memory", "miss_faults", "way_faults"]

Memory = dict[tuple[str, ...], dict[str, frozenset[str]]]  # names of parts -> what each export rests on
GRAMMAR = "slot.parameter, slot, slot.rivals, arm.field, population.size or duration"


def miss_faults(
    scenario: Scenario,
    arms: Mapping[str, Arm],
    settings: Sequence[Setting],
    addresses: Mapping[str, tuple[str, Change]],
    memory: Memory,
) -> Iterator[Fault]:
    """Faults of addresses (as written -> qualified, value) that reach nothing. Paths start at the scenario."""
    behind: set[str] | None = None
    for address, (found, value) in addresses.items():
        path = ("changes", address)
        slot, _, name = found.partition(".")
        slots = sorted(
            {slot for setting in settings for slot, part in setting.parts.items() if address in part.parameters}
        )
        if len(slots) > 1:
            which = " or ".join(f"{slot}.{address}" for slot in slots)
            yield Fault(f"{address!r} is a parameter of several slots", path, which, at_key=True)
            continue
        moved = {found} if any(found in setting.values for setting in settings) else set()
        if name == RIVALS and slot in scenario.model.slots:
            moved = {
                f"{slot}.{key}"
                for setting in settings
                if value in (sets := setting.parts[slot].rivals)
                for key in sets[str(value)].values
            }
            if not moved:
                yield _no_such_set(scenario, settings, slot, value, path)
                continue
        if moved:
            behind = _behind_outputs(scenario, arms, settings, memory) if behind is None else behind
            if behind.isdisjoint(moved):
                shown = listed(scenario.report or scenario.model.outputs)
                yield Fault(
                    f"{address} moves nothing",
                    path,
                    f"a parameter that the reported outputs ({shown}) rest on",
                    at_key=True,
                )
            continue
        unused = [part.name for part in scenario.model.slots.get(slot, ()) if name in part.parameters]
        if unused:
            yield Fault(f"{address} moves nothing", path, f"an account that uses {' or '.join(unused)}", at_key=True)
        else:
            yield Fault(
                f"{address!r} names nothing", path, GRAMMAR, nearest(address, _known(scenario, settings)), at_key=True
            )


def way_faults(scenario: Scenario, arms: Mapping[str, Arm], settings: Sequence[Setting]) -> Iterator[Fault]:
    """Doses that go to states which an account lacks."""
    for arm, regimen in arms.items():
        for index, line in enumerate(regimen.regimen):
            product = scenario.model.inputs.get(line.input)
            if product is None:
                continue
            needed = [*product.to, *(way for way in (product.lag, *product.to.values()) if isinstance(way, str))]
            for setting in settings:
                there = {f"{slot}.{state}" for slot, part in setting.parts.items() for state in part.states} | set(
                    setting.values
                )
                missing = [name for name in needed if name not in there]
                if missing:
                    message = f"account {setting.account} has no {listed(missing)}, which input {line.input} needs"
                    yield Fault(
                        message,
                        ("arms", arm, "regimen", index, "input"),
                        "an input that all accounts compared can take",
                    )


def _no_such_set(
    scenario: Scenario, settings: Sequence[Setting], slot: str, value: Change, path: tuple[str, str]
) -> Fault:
    used = {name: None for setting in settings for name in setting.parts[slot].rivals}
    unused = [part.name for part in scenario.model.slots[slot] if value in part.rivals]
    if unused:
        return Fault(f"{slot}.{RIVALS} moves nothing", path, f"an account that uses {' or '.join(unused)}", at_key=True)
    return Fault(
        f"slot {slot} has no rival set {str(value)[:60]!r}",
        path,
        listed(used) or "none: its parts have no sets",
        nearest(str(value), used),
    )


def _known(scenario: Scenario, settings: Sequence[Setting]) -> list[str]:
    arms = []
    for name, arm in scenario.arms.items():
        leads = (
            [name]
            if len(arm.regimen) == 1
            else [f"{name}.{number}" for number in range(1, min(len(arm.regimen), 8) + 1)]
        )
        arms += [f"{lead}.{field}" for lead in leads for field in LINE_FIELDS]
    slots = scenario.model.slots
    own = ["population.size", "population.seed", "duration", *slots, *(f"{slot}.{RIVALS}" for slot in slots)]
    values = {name: None for setting in settings for name in setting.values}
    bare = {name.split(".")[1]: None for name in values}
    return [*values, *own, *arms, *bare]


def _behind_outputs(
    scenario: Scenario, arms: Mapping[str, Arm], settings: Sequence[Setting], memory: Memory
) -> set[str]:
    """Every qualified name that a reported output, or the way of a dose to it, depends on, in any of the accounts."""
    model = scenario.model
    blockades = [name for name, output in model.outputs.items() if output.kind == "blockade"]  # always shown
    inputs = {line.input for arm in arms.values() for line in arm.regimen}
    behind: set[str] = set()
    for setting in settings:
        structure = tuple(part.name for part in setting.parts.values())
        if structure not in memory:
            memory[structure] = compose(model, setting.parts).rests_on
        rests_on = memory[structure]
        here = {
            name for output in (*(scenario.report or model.outputs), *blockades) for name in rests_on.get(output, ())
        }
        for name, product in model.inputs.items():
            taken = name in inputs or not inputs <= model.inputs.keys()  # an input that is misspelt may be any of them
            if taken and here & set(product.to):
                here |= {way for way in (product.lag, *product.to.values()) if isinstance(way, str)}
        behind |= here
    return behind
