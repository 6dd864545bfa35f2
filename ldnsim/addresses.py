"""One grammar for every number that can be changed, and the one place where changes are applied.

`slot.parameter`, `slot` (which alternative), `slot.rivals` (which published set), `arm.field` or `arm.line.field`,
`population.size`, `population.seed`, `duration`. A bare parameter name is accepted where only one slot of the accounts
compared has it. `x 0.5` multiplies what was there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from ldnsim.dosing import Arm, RegimenLine
from ldnsim.errors import Fault, LdnsimError, nearest
from ldnsim.fields import Duration, faults_of
from ldnsim.model import Account
from ldnsim.population import Population
from ldnsim.system import compose
from ldnsim.units import Quantity, drug_dimension, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ldnsim.model import Model, Parameter, Part
    from ldnsim.scenario import Change, Scenario

__all__ = ["RESERVED", "Resolved", "Setting", "resolve", "setting_of"]

RESERVED = ("population", "duration", "rivals")
RIVALS = "rivals"
RELATIVE = re.compile(r"x\s*([0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?)\Z")
LINE_FIELDS = {field.alias or name: name for name, field in RegimenLine.model_fields.items()}


@dataclass(frozen=True)
class Setting:
    """One account made concrete: the part in each slot, and the value of each of their parameters (`slot.parameter`)."""

    account: str
    title: str
    parts: dict[str, Part]
    values: dict[str, Quantity]

    @property
    def parameters(self) -> dict[str, Parameter]:
        """`slot.parameter` -> its record."""
        return {f"{slot}.{name}": parameter for slot, part in self.parts.items() for name, parameter in part.parameters.items()}


@dataclass(frozen=True)
class Resolved:
    """A scenario with all its changes applied."""

    settings: tuple[Setting, ...]
    arms: dict[str, Arm]
    duration: Quantity
    population: Population | None


def resolve(scenario: Scenario) -> Resolved:
    """The scenario with its changes applied: alternatives first, then rival sets, then single values.

    Raises LdnsimError with a fault for every address that names nothing or moves nothing, and every unfit value.
    """
    faults: list[Fault] = []
    arms, duration, population = dict(scenario.arms), scenario.duration, scenario.population
    to_model: dict[str, Change] = {}
    for address, value in scenario.changes.items():
        head, _, rest = address.partition(".")
        try:
            if head in arms:
                arms[head] = _change_arm(arms[head], rest, value)
            elif address == "duration":
                duration = TypeAdapter(Duration).validate_python(_relative(value, duration))
            elif head == "population":
                population = _change_population(population, rest, value)
            else:
                to_model[address] = value
        except (LdnsimError, ValidationError) as caught:
            faults.extend(fault.under("changes", address) for fault in faults_of(caught))
    settings: tuple[Setting, ...] = ()
    try:
        settings = _settings(scenario, arms, to_model)
    except LdnsimError as caught:
        faults.extend(caught.faults)
    if faults:
        raise LdnsimError(faults)
    return Resolved(settings, arms, duration, population)


def setting_of(model: Model, name: str, changes: Mapping[str, Change] | None = None) -> Setting:
    """An account of the model (or its default parts, where it names no accounts) with single values changed.

    `changes` holds qualified addresses (`slot.parameter`, `slot.rivals`); those that this account lacks are passed over.
    Raises LdnsimError for values that do not fit.
    """
    account = model.accounts.get(name) or Account(title=model.title)
    parts = model.parts(account.choices)
    values = {f"{slot}.{key}": parameter.value for slot, part in parts.items() for key, parameter in part.parameters.items()}
    setting = Setting(name, account.title, parts, values)
    faults = []
    for where, source in (("values", account.values), ("changes", changes or {})):
        in_order = sorted(source, key=lambda address: not address.endswith("." + RIVALS))  # sets first, single values last
        for address in in_order:
            try:
                values.update(_new_values(setting, address, source[address], strict=where == "values"))
            except LdnsimError as caught:
                faults.extend(fault.under(where, address) for fault in caught.faults)
    if faults:
        raise LdnsimError(faults)
    return setting


def _settings(scenario: Scenario, arms: Mapping[str, Arm], changes: Mapping[str, Change]) -> tuple[Setting, ...]:
    """Each account with the changes that concern the model; every change must move something in one of them."""
    model, faults = scenario.model, []
    for address, value in changes.items():
        if address in model.slots and value not in (names := [part.name for part in model.slots[address]]):
            message = f"slot {address!r} has no alternative {value!r}"
            faults.append(Fault(message, ("changes", address), ", ".join(names), nearest(str(value), names)))
    if faults:
        raise LdnsimError(faults)
    model = _with_alternatives(model, {address: str(value) for address, value in changes.items() if address in model.slots})
    names = scenario.accounts or tuple(model.accounts) or (model.name,)
    plain = [setting_of(model, name) for name in names]
    addresses = {address: _qualified(address, plain) for address in changes if address not in model.slots}
    faults += [fault for address, found in addresses.items() for fault in _misses(scenario, arms, plain, address, found)]
    settings = []
    for name in names:
        try:
            settings.append(setting_of(model, name, {found: changes[address] for address, found in addresses.items()}))
        except LdnsimError as caught:
            faults.extend(caught.faults)
    if faults:
        raise LdnsimError(faults)
    return tuple(settings)


def _with_alternatives(model: Model, chosen: Mapping[str, str]) -> Model:
    """All accounts with the chosen alternatives. Values that an account sets for a slot go when its part is replaced."""
    accounts = {}
    for name, account in model.accounts.items():
        before = model.parts(account.choices)
        replaced = {slot for slot, part in chosen.items() if before[slot].name != part}
        kept = {address: value for address, value in account.values.items() if address.split(".")[0] not in replaced}
        accounts[name] = Account(title=account.title, note=account.note, values=kept, **{**account.choices, **chosen})
    if not accounts and chosen:
        accounts[model.name] = Account(title=model.title, **chosen)
    return model.model_copy(update={"accounts": accounts})


def _qualified(address: str, settings: list[Setting]) -> str:
    """`EC50` as `occupancy.EC50` where only one slot has it; everything else as it is."""
    slots = {slot for setting in settings for slot, part in setting.parts.items() if address in part.parameters}
    return f"{slots.pop()}.{address}" if len(slots) == 1 else address


def _misses(scenario: Scenario, arms: Mapping[str, Arm], settings: list[Setting], address: str, found: str) -> Iterator[Fault]:
    """Why an address names nothing, or moves nothing, in any of the accounts compared."""
    slots = {slot for setting in settings for slot, part in setting.parts.items() if address in part.parameters}
    if len(slots) > 1:
        which = " or ".join(f"{slot}.{address}" for slot in sorted(slots))
        yield Fault(f"{address!r} is a parameter of several slots", ("changes", address), which)
        return
    slot, _, name = found.partition(".")
    if name == RIVALS and slot in scenario.model.slots:
        return  # the value is the name of a set: `setting_of` looks for it
    if any(found in setting.values for setting in settings):
        if not any(found in _behind_outputs(scenario, arms, setting) for setting in settings):
            shown = ", ".join(scenario.report or scenario.model.outputs)
            yield Fault(f"{address} moves nothing", ("changes", address), f"a parameter that the reported outputs ({shown}) rest on")
        return
    unused = [part.name for part in scenario.model.slots.get(slot, ()) if name in part.parameters]
    if unused:
        yield Fault(f"{address} moves nothing", ("changes", address), f"an account that uses {' or '.join(unused)}")
        return
    yield Fault(f"{address!r} names nothing", ("changes", address), "slot.parameter, slot, slot.rivals, arm.field, population.size or duration",
                nearest(address, _known(scenario, settings)))  # fmt: skip


def _known(scenario: Scenario, settings: list[Setting]) -> list[str]:
    arms = [f"{arm}.{field}" for arm in scenario.arms for field in LINE_FIELDS]
    own = ["population.size", "population.seed", "duration", *(f"{slot}.{RIVALS}" for slot in scenario.model.slots)]
    return [*own, *arms, *scenario.model.slots, *(name for setting in settings for name in setting.values)]


def _behind_outputs(scenario: Scenario, arms: Mapping[str, Arm], setting: Setting) -> set[str]:
    """Every qualified name that a reported output, or the way of a dose to it, depends on."""
    model = scenario.model
    system = compose(model, setting.parts)
    shown = {*(scenario.report or model.outputs), *(name for name, output in model.outputs.items() if output.kind == "blockade")}
    behind = {name for output in shown for name in system.rests_on[output]}
    for line in (line for arm in arms.values() for line in arm.regimen):
        product = model.inputs[line.input]
        if behind & set(product.to):
            behind |= {str(way) for way in (product.lag, *product.to.values())}
    return behind


def _new_values(setting: Setting, address: str, value: Change, *, strict: bool) -> dict[str, Quantity]:
    """What one address does to the values: one parameter, or all of a rival set."""
    slot, _, name = address.partition(".")
    if name == RIVALS and slot in setting.parts:
        rivals = setting.parts[slot].rivals
        if value not in rivals:
            message = f"{setting.parts[slot].name} has no rival set {value!r}"
            raise LdnsimError(Fault(message, expected=", ".join(rivals) or "none: it has no sets", nearest=nearest(str(value), rivals)))
        return {f"{slot}.{key}": quantity for key, quantity in rivals[str(value)].values.items()}
    if address not in setting.values:
        if strict:
            raise LdnsimError(Fault(f"{address!r} names no parameter of this account", nearest=nearest(address, setting.values)))
        return {}
    parameter, old = setting.parameters[address], setting.values[address]
    new = parse_quantity(_relative(value, old))
    of_drug = parameter.of is not None
    if drug_dimension(new.dimension, of_drug) != drug_dimension(old.dimension, of_drug):
        raise LdnsimError(Fault(f"{new} has the unit of {new.dimension}", expected=f"a value in {old.unit}"))
    if new.value < 0 and parameter.range and parameter.range[0].value >= 0:
        raise LdnsimError(Fault(f"{new} is negative", expected=f"{parameter.range[0]} to {parameter.range[1]}"))
    return {address: new}


def _relative(value: object, old: Quantity | None) -> object:
    """`x 0.5` as half of the old value; anything else as it is."""
    match = RELATIVE.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        return value
    if old is None:
        raise LdnsimError(Fault(f"{value!r} has nothing to multiply", expected="a value with its unit"))
    return Quantity(old.value * float(match[1]), old.unit)


def _change_arm(arm: Arm, rest: str, value: Change) -> Arm:
    number, _, field = rest.rpartition(".")
    lines = list(arm.regimen)
    if not number and len(lines) > 1:
        raise LdnsimError(Fault(f"the arm has {len(lines)} lines", expected=" or ".join(f"{n}.{field}" for n in range(1, len(lines) + 1))))
    if number and (not number.isdigit() or not 1 <= int(number) <= len(lines)):
        raise LdnsimError(Fault(f"the arm has no line {number!r}", expected=f"1 to {len(lines)}"))
    if not lines:
        raise LdnsimError(Fault("the arm takes nothing: its regimen has no line"))
    if field not in LINE_FIELDS:
        raise LdnsimError(Fault(f"{field!r} is no field of a regimen line", expected=", ".join(LINE_FIELDS), nearest=nearest(field, LINE_FIELDS)))
    index = int(number or 1) - 1
    line = lines[index]
    if field == "dose" and line.ladder:
        raise LdnsimError(Fault("dose moves nothing: the line has a ladder", expected="ladder"))
    old = getattr(line, LINE_FIELDS[field])
    new = _relative(value, old if isinstance(old, Quantity) else None)
    kept = {alias: getattr(line, name) for alias, name in LINE_FIELDS.items()}
    lines[index] = RegimenLine.model_validate({**kept, field: new})
    return arm.model_copy(update={"regimen": tuple(lines)})


def _change_population(population: Population | None, field: str, value: Change) -> Population:
    if field not in Population.model_fields:
        raise LdnsimError(Fault(f"{field!r} is no field of a population", expected="size, seed", nearest=nearest(field, Population.model_fields)))
    return Population.model_validate({**(dict(population) if population else {"size": 1}), field: value})
