"""A scenario with all its changes applied, or everything that keeps them from being applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldnsim.addresses.plan import plan_of
from ldnsim.addresses.reach import miss_faults, way_faults
from ldnsim.addresses.settings import Setting, qualified, setting_of, with_alternatives
from ldnsim.errors import Fault, LdnsimError, Lost, listed, nearest
from ldnsim.limits import arm_faults, time_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ldnsim.dosing import Arm
    from ldnsim.fields import Change
    from ldnsim.population import Population
    from ldnsim.scenario import Scenario
    from ldnsim.units import Quantity

__all__ = ["Resolved", "axis_faults", "examine", "resolve"]

MOST_AXES = 20


@dataclass(frozen=True)
class Resolved:
    """A scenario with all its changes applied."""

    settings: tuple[Setting, ...]
    arms: dict[str, Arm]
    duration: Quantity
    population: Population | None


def resolve(scenario: Scenario) -> Resolved:
    """The scenario with its changes applied: alternatives first, then rival sets, then single values.

    Raises LdnsimError with a fault for every address that names nothing or moves nothing, every unfit value, and every
    dose or time that the changed scenario cannot have.
    """
    resolved, faults = examine(scenario)
    if faults:
        raise LdnsimError(faults)
    return resolved


def examine(scenario: Scenario, lost: Lost = Lost(), *, model_stands: bool = True) -> tuple[Resolved, list[Fault]]:  # noqa: B008 - frozen
    """The scenario with its changes applied as far as possible, and all that is wrong; paths start at the scenario.

    Without a model that stands, only what the scenario itself says is looked at.
    """
    plan = plan_of(scenario, lost)
    faults = plan.faults
    has_model = ("model",) not in lost
    settings: tuple[Setting, ...] = ()
    if model_stands and has_model:
        settings, found = _settings(scenario, plan.arms, plan.to_model)
        faults += found
    faults += time_faults(plan.duration, scenario.window, scenario.sample, lost)
    model = scenario.model if has_model else None
    as_written = not scenario.changes
    faults += map(
        plan.blamed, arm_faults(plan.arms, model, plan.duration, scenario.start_day, lost, as_written=as_written)
    )
    faults += map(plan.blamed, way_faults(scenario, plan.arms, settings))
    return Resolved(settings, plan.arms, plan.duration, plan.population), list(dict.fromkeys(faults))


def axis_faults(scenario: Scenario, lost: Lost = Lost()) -> Iterator[Fault]:  # noqa: B008 - frozen
    """Faults of the axes of a sweep: each value must fit, and each axis move something in some cell."""
    if len(scenario.sweep) > MOST_AXES:
        yield Fault(f"{len(scenario.sweep)} axes", ("sweep",), f"at most {MOST_AXES}", at_key=True)
        return
    told = {fault.message for fault in examine(scenario, lost)[1]}
    for address, values in scenario.sweep.items():
        path = ("sweep", address)
        if not values:
            yield Fault("an axis without values", path, "a list of values")
        for index, value in enumerate(values):
            if value in values[:index]:
                yield Fault(f"{str(value)[:60]!r} stands here twice", (*path, index), "each value once")
                continue
            faults = [
                fault
                for fault in _change_faults(scenario, {address: value}, address, lost)
                if fault.message not in told
            ]
            if any(fault.at_key for fault in faults) and not _reached_elsewhere(scenario, address, value, lost):
                yield from (
                    Fault(fault.message, path, fault.expected, fault.nearest, at_key=True)
                    for fault in faults
                    if fault.at_key
                )
                break
            yield from (
                Fault(fault.message, (*path, index), fault.expected, fault.nearest)
                for fault in faults
                if not fault.at_key
            )


def _change_faults(scenario: Scenario, changes: Mapping[str, Change], address: str, lost: Lost) -> list[Fault]:
    changed = scenario.model_copy(update={"changes": {**scenario.changes, **changes}})
    return [fault for fault in examine(changed, lost)[1] if fault.path[:2] == ("changes", address)]


def _reached_elsewhere(scenario: Scenario, address: str, value: Change, lost: Lost) -> bool:
    """Whether an address moves something once another axis has put another part into a slot, or other people."""
    for other, values in scenario.sweep.items():
        if other == address or (other not in scenario.model.slots and other != "population.size"):
            continue
        if any(not _change_faults(scenario, {other: choice, address: value}, address, lost) for choice in values):
            return True
    return False


def _settings(
    scenario: Scenario, arms: Mapping[str, Arm], changes: Mapping[str, Change]
) -> tuple[tuple[Setting, ...], list[Fault]]:
    """Each account with the changes that concern the model; every change must move something in one of them."""
    model = scenario.model
    faults: list[Fault] = []
    chosen: dict[str, str] = {}
    for slot in (address for address in changes if address in model.slots):
        names = [part.name for part in model.slots[slot]]
        if changes[slot] in names:
            chosen[slot] = str(changes[slot])
        else:
            message = f"slot {slot} has no alternative {str(changes[slot])[:60]!r}"
            faults.append(Fault(message, ("changes", slot), listed(names), nearest(str(changes[slot]), names)))
    model = with_alternatives(model, chosen)
    known = tuple(model.accounts) or (model.name,)
    names_ = [name for name in scenario.accounts if name in known] or known
    plain = [setting_of(model, name) for name in names_]
    rest = {address: value for address, value in changes.items() if address not in model.slots}
    addresses = {address: (qualified(address, plain), value) for address, value in rest.items()}
    faults += miss_faults(scenario, arms, plain, addresses)
    missed = {fault.path[1] for fault in faults}
    sound = {found: (address, value) for address, (found, value) in addresses.items() if address not in missed}
    settings = []
    for name in names_:
        try:
            settings.append(setting_of(model, name, {found: value for found, (_, value) in sound.items()}))
        except LdnsimError as caught:
            written = {found: address for found, (address, _) in sound.items()}
            faults += [
                Fault(fault.message, ("changes", written[str(fault.path[1])]), fault.expected, fault.nearest)
                for fault in caught.faults
            ]
    return tuple(settings), faults
