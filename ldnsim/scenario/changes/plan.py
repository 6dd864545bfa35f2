"""Changes to what a scenario itself says: arms, duration, population. What is left concerns the model."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from pydantic import TypeAdapter, ValidationError

from ldnsim.dosing.regimen import RegimenLine
from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest, shown
from ldnsim.foundation.fields import Duration
from ldnsim.foundation.schema_faults import faults_of
from ldnsim.foundation.units import Quantity
from ldnsim.model.values import relative
from ldnsim.scenario.population import Population

if TYPE_CHECKING:
    from ldnsim.dosing.regimen import Arm
    from ldnsim.foundation.fields import Change
    from ldnsim.scenario.record import ScenarioRecord

__all__ = ["LINE_FIELDS", "ChangePlan", "plan_of"]

MANY = ("ladder", "late", "bottle")  # no single value: what they hold has addresses of its own
# field as it is written -> attribute
LINE_FIELDS = {info.alias or name: name for name, info in RegimenLine.model_fields.items() if name not in MANY}
HELD = re.compile(r"(?:(?P<number>[^.]*)\.)?(?P<about>ladder|late|bottle|split)\.(?P<key>.+)\Z", re.S)
# fields that hold one quantity, which a factor such as `x 0.5` multiplies
QUANTITIES = {
    name
    for name, info in RegimenLine.model_fields.items()
    if name not in MANY and any(getattr(kind, "__origin__", None) is Quantity for kind in get_args(info.annotation))
}
LINE_NUMBER = re.compile(r"[1-9][0-9]{0,3}\Z")
DURATION: TypeAdapter[Any] = TypeAdapter(Duration)
SEED = "population.seed"
PEOPLE = ("size", "seed")  # what of a population is one value


@dataclass
class ChangePlan:
    """The scenario's own part with its changes applied; `to_model` are the others.

    `changed` says which addresses changed a line of an arm, so that its faults are reported there.
    """

    arms: dict[str, Arm]
    duration: Quantity
    population: Population | None
    to_model: dict[str, Change] = field(default_factory=dict)
    changed: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def at_change(self, fault: Fault) -> Fault:
        """A fault that a changed line did not have before, at the address that changed it."""
        if fault.path[:1] != ("arms",) or len(fault.path) < 4:
            return fault
        addresses = self.changed.get((str(fault.path[1]), int(fault.path[3])), {})
        about = str(fault.path[4]) if len(fault.path) > 4 else ""
        address = addresses.get(about) or next(iter(addresses.values()), "")
        return Fault(fault.message, ("changes", address), fault.expected, fault.nearest) if address else fault


def plan_of(scenario: ScenarioRecord) -> ChangePlan:
    """The plan; its `faults` have paths that start at the scenario."""
    plan = ChangePlan(dict(scenario.arms), scenario.duration, scenario.population)
    people: dict[str, int] = {}
    for address, value in scenario.changes.items():
        head, _, rest = address.partition(".")
        try:
            if head in plan.arms:
                _change_arm(plan, address, head, rest, value)
            elif address == "duration":
                plan.duration = DURATION.validate_python(relative(value, plan.duration))
            elif head == "population":
                people.update(_people(rest, value, plan.population))
            else:
                plan.to_model[address] = value
        except (LdnsimError, ValidationError) as caught:
            plan.faults.extend(
                Fault(f.message, ("changes", address), f.expected, f.nearest, at_key=f.at_key)
                for f in faults_of(caught)
            )
    if people and plan.population is None and "size" not in people:
        message = "the scenario has one typical person: a seed moves nothing"
        plan.faults.append(Fault(message, ("changes", SEED), "population.size, too", at_key=True))
    elif people:
        plan.population = Population(**{**(dict(plan.population) if plan.population else {}), **people})
    return plan


def _change_arm(plan: ChangePlan, address: str, name: str, rest: str, value: Change) -> None:
    lines = list(plan.arms[name].regimen)
    held = HELD.match(rest)
    number, about = (held["number"] or "", held["about"]) if held else rest.rpartition(".")[::2]
    _refuse_wrong_line(name, number, about, lines, known={*LINE_FIELDS, *MANY} if held else LINE_FIELDS)
    index = int(number or 1) - 1
    line = lines[index]
    if about == "dose" and line.ladder:
        raise LdnsimError(Fault("dose moves nothing: the line has a ladder", at_key=True))
    if held:
        attribute = about
        new: object = _with_held(line, about, held["key"], value, address)
    else:
        attribute = LINE_FIELDS[about]
        old = getattr(line, attribute)
        new = relative(value, old if isinstance(old, Quantity) else None) if about in QUANTITIES else value
    alone = RegimenLine.model_validate({"input": "", "at": "00:00", about: new})  # the other values are valid
    lines[index] = line.model_copy(update={attribute: getattr(alone, attribute)})
    plan.arms[name] = plan.arms[name].model_copy(update={"regimen": tuple(lines)})
    plan.changed.setdefault((name, index), {})[about] = address


def _with_held(line: RegimenLine, about: str, key: str, value: Change, address: str) -> dict[str, object]:
    """What a field of many values holds with one of them changed; `ladder.day 8` names a rung that is there."""
    found = getattr(line, about)
    if not found:
        raise LdnsimError(Fault(f"{address} names nothing: the line has no {about}", at_key=True))
    if isinstance(found, Mapping):
        held: dict[str, object] = {f"day {day}": each for day, each in found.items()}
        key = f"day {key.strip()}" if key.strip().isdigit() else key
    else:
        held = {name: each for name, each in dict(found).items() if each is not None}
    known = held if isinstance(found, Mapping) else type(found).model_fields
    if key not in known:
        lead = address.removesuffix(address.rpartition(".")[2])
        near = nearest(key, known)
        expected = listed(f"{lead}{each}" for each in known)
        raise LdnsimError(Fault(f"{address} names nothing", (), expected, f"{lead}{near}" if near else "", at_key=True))
    old = held.get(key)
    return {**held, key: relative(value, old if isinstance(old, Quantity) else None)}


def _refuse_wrong_line(name: str, number: str, about: str, lines: list[RegimenLine], known: Collection[str]) -> None:
    """Raises LdnsimError where an address names no field of a line of its arm."""
    lead = f"{name}.{number}." if number else f"{name}."
    message = expected = near = ""
    if not lines:
        message = "the arm takes nothing: its regimen has no line"
    elif about not in known:
        message, near = f"{about!r} is no field of a regimen line", nearest(about, LINE_FIELDS)
        if not about:
            message = f"{name!r} is an arm, and not one value of it"
        elif about in RegimenLine.model_fields:
            message, near = f"{about} cannot be changed by an address: it is no single value", ""
        expected = ", ".join(f"{lead}{each}" for each in LINE_FIELDS)
    elif not number and len(lines) > 1:
        message = f"the arm has {len(lines)} lines"
        expected = listed(f"{name}.{index}.{about}" for index in range(1, len(lines) + 1))
    elif number and (not LINE_NUMBER.match(number) or int(number) > len(lines)):
        message = f"the arm has no line {shown(number)}"
        expected = f"a line from 1 to {len(lines)}" if len(lines) > 1 else f"{name}.{about}"
    if message:
        raise LdnsimError(Fault(message, (), expected, f"{lead}{near}" if near else "", at_key=True))


def _people(about: str, value: Change, population: Population | None) -> dict[str, int]:
    if about not in PEOPLE:
        message = f"{about!r} is no field of a population" if about else "'population' is not one value"
        if about.partition(".")[0] in Population.model_fields:
            message = f"population.{about} cannot be changed by an address: it is no single value"
        near = nearest(about, PEOPLE)
        expected = "population.size, population.seed"
        raise LdnsimError(Fault(message, (), expected, f"population.{near}" if near else "", at_key=True))
    if about == "size" and population is not None and population.table is not None:
        message = f"the table {population.table.file} has {population.size} people"
        raise LdnsimError(Fault(message, (), "no other size, or another table", at_key=True))
    old = getattr(population, about, None)
    new = relative(value, Quantity(old) if isinstance(old, int) else None)
    whole = new.value if isinstance(new, Quantity) else new
    return {about: getattr(Population.model_validate({"size": 1, about: whole}), about)}
