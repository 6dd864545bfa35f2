"""A scenario with all its changes applied, or everything that keeps them from being applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldnsim.dosing.cycles import repeat_faults
from ldnsim.dosing.limits import arm_faults, time_faults
from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.model.settings import Setting, choice_faults, qualified, setting_of, with_alternatives
from ldnsim.scenario.changes.draws import resolve_uncertainty
from ldnsim.scenario.changes.people import resolve_population
from ldnsim.scenario.changes.plan import plan_of
from ldnsim.scenario.changes.reach import address_faults, delivery_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ldnsim.dosing.regimen import Arm
    from ldnsim.foundation.fields import Change
    from ldnsim.foundation.units import Quantity
    from ldnsim.scenario.population import Population
    from ldnsim.scenario.record import ScenarioRecord
    from ldnsim.scenario.uncertainty import Uncertainty

__all__ = ["Resolved", "examine", "resolve"]


@dataclass(frozen=True)
class Resolved:
    """A scenario with all its changes applied; the addresses of population and uncertainty are qualified."""

    settings: tuple[Setting, ...]
    arms: dict[str, Arm]
    duration: Quantity
    population: Population | None
    uncertainty: Uncertainty | None = None


def resolve(scenario: ScenarioRecord) -> Resolved:
    """The scenario with its changes applied: alternatives first, then rival sets, then single values.

    Raises LdnsimError with a fault for every address that names nothing or moves nothing, every unfit value, and every
    dose or time that the changed scenario cannot have.
    """
    resolved, faults = examine(scenario)
    if faults:
        raise LdnsimError(faults)
    return resolved


def examine(scenario: ScenarioRecord) -> tuple[Resolved, list[Fault]]:
    """The scenario with its changes applied as far as possible, and all that is wrong; paths start at the scenario."""
    plan = plan_of(scenario)
    settings, found = _settings(scenario, plan.arms, plan.to_model)
    faults = [*plan.faults, *found]
    population = plan.population
    if population is not None:
        population, found = resolve_population(scenario.model, population, settings, plan.to_model)
        faults += found
    uncertainty = scenario.uncertainty
    if uncertainty is not None:
        uncertainty, settings, found = resolve_uncertainty(
            scenario.model, uncertainty, settings, population, plan.to_model
        )
        faults += found
    faults += time_faults(plan.duration, scenario.window, scenario.sample)
    found = _arm_faults(scenario, plan.arms, plan.duration, settings)
    before = set(_arm_faults(scenario, scenario.arms, plan.duration, settings)) if found and plan.changed else set()
    faults += (fault if fault in before else plan.at_change(fault) for fault in found)
    resolved = Resolved(settings, plan.arms, plan.duration, population, uncertainty)
    return resolved, list(dict.fromkeys(faults))


def _arm_faults(
    scenario: ScenarioRecord, arms: Mapping[str, Arm], duration: Quantity, settings: tuple[Setting, ...]
) -> list[Fault]:
    as_written = not scenario.changes
    faults = list(arm_faults(arms, scenario.model, duration, scenario.start_day, as_written=as_written))
    faults += repeat_faults(arms) if scenario.start == "steady_state" else []
    return faults + list(delivery_faults(scenario, arms, settings))


def _settings(
    scenario: ScenarioRecord, arms: Mapping[str, Arm], changes: Mapping[str, Change]
) -> tuple[tuple[Setting, ...], list[Fault]]:
    """Each account with the changes that concern the model; every change must move something in one of them."""
    model = scenario.model
    faults: list[Fault] = []
    chosen: dict[str, str] = {}
    for slot in (address for address in changes if address in model.slots):
        unfit = list(choice_faults(model, slot, changes[slot]))
        faults += (fault.under("changes", slot) for fault in unfit)
        if not unfit:
            chosen[slot] = str(changes[slot])
    model = with_alternatives(model, chosen)
    known = tuple(model.accounts) or (model.name,)
    accounts = tuple(dict.fromkeys(name for name in scenario.accounts if name in known)) or known
    plain = [setting_of(model, name) for name in accounts]
    rest = {address: value for address, value in changes.items() if address not in model.slots}
    addresses = {address: (qualified(address, plain), value) for address, value in rest.items()}
    faults += address_faults(scenario, arms, plain, addresses)
    unresolved = {fault.path[1] for fault in faults}
    valid = {found: (address, value) for address, (found, value) in addresses.items() if address not in unresolved}
    written = {found: address for found, (address, _) in valid.items()}
    settings = []
    for before in plain:
        try:
            settings.append(setting_of(model, before.account, {found: value for found, (_, value) in valid.items()}))
        except LdnsimError as caught:
            settings.append(before)
            for fault in caught.faults:
                path = ("changes", written[str(fault.path[1])])
                faults.append(Fault(fault.message, path, fault.expected, fault.nearest))
    return tuple(settings), faults
