"""Accounts made concrete: which part is in each slot, and the value of each parameter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest, shown
from ldnsim.foundation.units import coherent
from ldnsim.model.records import Account
from ldnsim.model.values import new_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ldnsim.foundation.fields import Change
    from ldnsim.foundation.units import Quantity
    from ldnsim.model.records import Model, Parameter, Part
    from ldnsim.model.variability import Correlation

__all__ = [
    "RESERVED",
    "RIVALS",
    "Setting",
    "choice_faults",
    "qualified",
    "setting_faults",
    "setting_of",
    "with_alternatives",
]

RESERVED = ("population", "duration", "rivals")
RIVALS = "rivals"


@dataclass(frozen=True)
class Setting:
    """One account made concrete: the part in each slot, and the value of each parameter (`slot.parameter`)."""

    account: str
    title: str
    parts: dict[str, Part]
    values: dict[str, Quantity]

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """`slot.parameter` -> its record."""
        return {
            f"{slot}.{name}": parameter
            for slot, part in self.parts.items()
            for name, parameter in part.parameters.items()
        }

    def correlations(self, of_scenario: Sequence[Correlation] = ()) -> list[tuple[str, str, float]]:
        """Qualified names and their correlation: those of the scenario, then those of the parts. The first of a pair
        counts, and the order is the same in all accounts as far as they have the same names."""
        found = {frozenset(one.between): (*one.between, coherent(one.value)) for one in of_scenario}
        for slot, part in self.parts.items():
            for one in part.correlations:
                a, b = (f"{slot}.{name}" for name in one.between)
                found.setdefault(frozenset((a, b)), (a, b, coherent(one.value)))
        return list(found.values())


def setting_of(model: Model, name: str, changes: Mapping[str, Change] | None = None) -> Setting:
    """An account of the model (or its default parts, where it names no accounts) with single values changed.

    `changes` holds qualified addresses (`slot.parameter`, `slot.rivals`); those that this account lacks are passed
    over. Raises LdnsimError for values that do not fit.
    """
    before, stated = _as_stated(model, name)
    setting = Setting(name, before.title, before.parts, dict(before.values))
    faults = [*stated, *_changed(setting, changes or {}, "changes")]
    if faults:
        raise LdnsimError(faults)
    return setting


# what a model's accounts say never changes: it is worked out once for as many cells as there may be. The model is held,
# so that its id stays its own.
_stated: dict[tuple[int, str], tuple[Model, Setting, tuple[Fault, ...]]] = {}
MOST_STATED = 256


def _as_stated(model: Model, name: str) -> tuple[Setting, tuple[Fault, ...]]:
    """An account as its model states it, and what is wrong with that."""
    found = _stated.get((id(model), name))
    if found is None:
        account = model.accounts.get(name) or Account(title=model.title)
        parts = model.parts(account.choices)
        values = {
            f"{slot}.{key}": record.value for slot, part in parts.items() for key, record in part.parameters.items()
        }
        setting = Setting(name, account.title, parts, values)
        found = model, setting, tuple(_changed(setting, account.values, "values"))
        if len(_stated) >= MOST_STATED:
            _stated.clear()
        _stated[id(model), name] = found
    return found[1], found[2]


def _changed(setting: Setting, changes: Mapping[str, Change], where: Literal["values", "changes"]) -> Iterator[Fault]:
    """Changes a new setting's values; yields what cannot be changed."""
    in_order = sorted(changes, key=lambda address: not address.endswith("." + RIVALS))  # sets first, single values last
    for address in in_order:
        try:
            setting.values.update(_new_values(setting, address, changes[address], strict=where == "values"))
        except LdnsimError as caught:
            yield from (fault.under(where, address) for fault in caught.faults)


def choice_faults(model: Model, slot: str, value: Change) -> Iterator[Fault]:
    """Why a value is no alternative of a slot."""
    names = [part.name for part in model.slots[slot]]
    if value not in names:
        yield Fault(
            f"slot {slot} has no alternative {shown(value)}", (), listed(names), nearest(str(value)[:60], names)
        )


def with_alternatives(model: Model, chosen: Mapping[str, str]) -> Model:
    """The model with the chosen alternatives in all its accounts."""
    if not chosen:
        return model
    accounts = model.accounts or {model.name: Account(title=model.title)}
    return model.model_copy(
        update={"accounts": {name: model.rebuilt(account, chosen) for name, account in accounts.items()}}
    )


def qualified(address: str, settings: Sequence[Setting]) -> str:
    """`EC50` as `occupancy.EC50` where only one slot has it; everything else as it is."""
    slots = {slot for setting in settings for slot, part in setting.parts.items() if address in part.parameters}
    return f"{slots.pop()}.{address}" if len(slots) == 1 else address


def setting_faults(settings: Sequence[Setting], address: str, value: Change) -> Iterator[Fault]:
    """Why a value does not fit a qualified address, in the settings that have it."""
    told: set[str] = set()
    for setting in settings:
        try:
            _new_values(setting, address, value, strict=False)
        except LdnsimError as caught:
            yield from (fault for fault in caught.faults if fault.message not in told)
            told.update(fault.message for fault in caught.faults)


def _new_values(setting: Setting, address: str, value: Change, *, strict: bool) -> dict[str, Quantity]:
    """What one address does to the values: one parameter, or all of a rival set."""
    slot, _, name = address.partition(".")
    if name == RIVALS and slot in setting.parts:
        rivals = setting.parts[slot].rivals
        if value in rivals:
            return {f"{slot}.{key}": quantity for key, quantity in rivals[str(value)].values.items()}
        if not strict:
            return {}
        message = f"{setting.parts[slot].name} has no rival set {value!r}"
        raise LdnsimError(
            Fault(message, expected=listed(rivals) or "none: it has no sets", nearest=nearest(str(value), rivals))
        )
    if address in setting.values:
        return {address: new_value(value, setting.values[address], setting.parameters[address])}
    if not strict:
        return {}
    message = f"{address!r} names no parameter of this account"
    raise LdnsimError(
        Fault(message, expected="slot.parameter or slot.rivals", nearest=nearest(address, setting.values), at_key=True)
    )
