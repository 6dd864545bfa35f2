"""What a record must satisfy beyond its schema. Each check yields faults with paths; `files` finds their lines."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from ldnsim.addresses import RESERVED, resolve, setting_of
from ldnsim.dosing import MOST_DOSES, count_doses, planned_doses
from ldnsim.errors import Fault, LdnsimError, nearest
from ldnsim.expressions import BUILT_IN, names_in, walk, Name
from ldnsim.fields import hours
from ldnsim.model import ASSUMED
from ldnsim.system import compose, computing_order, part_dimensions
from ldnsim.units import DIMENSIONLESS, coherent, drug_dimension, parse_unit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ldnsim.dosing import RegimenLine
    from ldnsim.model import Input, Model, Parameter, Part
    from ldnsim.scenario import Scenario
    from ldnsim.units import Quantity

__all__ = ["model_faults", "part_faults", "scenario_faults"]

MOST_SAMPLES = 200_000
AMOUNT = parse_unit("nmol").dimension
MASS = parse_unit("kg").dimension


# --- a part


def part_faults(part: Part, sources: Collection[str]) -> list[Fault]:
    """Faults of one part's page: names, equations, units, sources."""
    faults = [*_source_faults(part, sources), *_state_faults(part), *_rival_faults(part, sources)]
    try:
        equations = part.parsed
    except LdnsimError as caught:
        return faults + [fault.under("equations") for fault in caught.faults]
    names = [*_name_faults(part)]
    faults += names
    if not names:
        faults += part_dimensions(part)[1]
        try:
            computing_order({e.target: e.expression for e in equations if not e.is_derivative})
        except LdnsimError as caught:
            faults += [fault.under("equations") for fault in caught.faults]
    return faults


def _source_faults(part: Part, sources: Collection[str]) -> Iterator[Fault]:
    for name, parameter in part.parameters.items():
        path = ("parameters", name)
        if not parameter.source:
            yield Fault(f"{name} has no source", path, "source: a key of references.bib, or 'assumed' with a note")
        elif ASSUMED in parameter.source and not parameter.note:
            yield Fault(f"{name} is assumed but says not why", path, "note: why this value")
        yield from _unknown_sources(parameter.source, sources, (*path, "source"))
        yield from _range_faults(parameter, path)


def _range_faults(parameter: Parameter, path: tuple[str, ...]) -> Iterator[Fault]:
    if parameter.range is None:
        return
    of_drug = parameter.of is not None
    for index, end in enumerate(parameter.range):
        if drug_dimension(end.dimension, of_drug) != parameter.dimension:
            yield Fault(f"{end} has another unit than the value", (*path, "range", index), f"a value in {parameter.value.unit}")
            return
    low, high = (coherent(end, 1.0 if of_drug else None) for end in parameter.range)
    if not low <= coherent(parameter.value, 1.0 if of_drug else None) <= high:
        yield Fault(f"the value {parameter.value} is outside its range", (*path, "range"), f"a range that holds {parameter.value}")


def _unknown_sources(keys: Iterable[str], sources: Collection[str], path: tuple[str | int, ...]) -> Iterator[Fault]:
    for key in keys:
        if key != ASSUMED and key not in sources:
            yield Fault(f"unknown source {key!r}", path, "a key of references.bib, or 'assumed'", nearest(key, sources))


def _state_faults(part: Part) -> Iterator[Fault]:
    for name, state in part.states.items():
        for field in ("initial", "scale"):
            quantity: Quantity = getattr(state, field)
            found = drug_dimension(quantity.dimension, state.of is not None)
            if found != state.dimension and not (field == "initial" and quantity.value == 0):
                yield Fault(f"{field} {quantity} has another unit than the state", ("states", name, field), f"a value in {state.unit}")


def _rival_faults(part: Part, sources: Collection[str]) -> Iterator[Fault]:
    for name, rival in part.rivals.items():
        path = ("rivals", name)
        if not rival.source or (ASSUMED in rival.source and not rival.note):
            yield Fault(f"the set {name} has no source", path, "source: a key of references.bib, or 'assumed' with a note")
        yield from _unknown_sources(rival.source, sources, (*path, "source"))
        for key, value in rival.values.items():
            if key not in part.parameters:
                yield Fault(f"unknown parameter {key!r}", (*path, key), ", ".join(part.parameters), nearest(key, part.parameters), at_key=True)
            elif drug_dimension(value.dimension, part.parameters[key].of is not None) != part.parameters[key].dimension:
                yield Fault(f"{value} has another unit than {key}", (*path, key), f"a value in {part.parameters[key].value.unit}")


def _name_faults(part: Part) -> Iterator[Fault]:
    """Each name declared once and defined once; nothing used that is not there; nothing declared that is not used."""
    declared = Counter([*part.parameters, *part.states, *part.needs])
    for name in (name for name, count in declared.items() if count > 1):
        yield Fault(f"{name!r} is declared more than once (parameters, states, needs)", ("equations",), "each name once")
    seen: set[str] = set()
    assigned = {equation.target for equation in part.parsed if not equation.is_derivative}
    for equation in part.parsed:
        what = f"d/dt({equation.target})" if equation.is_derivative else equation.target
        if what in seen:
            yield Fault(f"{what} is defined twice", ("equations",), "one equation", offset=equation.at)
        seen.add(what)
        if equation.is_derivative and equation.target not in part.states:
            yield Fault(f"{equation.target!r} is no state", ("equations",), ", ".join(part.states), nearest(equation.target, part.states), equation.at)
        if not equation.is_derivative and (equation.target in declared or equation.target in BUILT_IN):
            yield Fault(f"{equation.target!r} is declared above and cannot be assigned", ("equations",), "another name", offset=equation.at)
        for node in walk(equation.expression):
            if isinstance(node, Name) and node.name not in {*declared, *assigned, *BUILT_IN}:
                yield Fault(f"unknown name {node.name!r}", ("equations",), "a parameter, state, need or assignment of this part",
                            nearest(node.name, {*declared, *assigned}), node.at)  # fmt: skip
    for state in part.states:
        if f"d/dt({state})" not in seen:
            yield Fault(f"the state {state} has no equation", ("states", state), f"d/dt({state}) = ...")
    used = {name for equation in part.parsed for name in names_in(equation.expression)}
    for need in part.needs.keys() - used:
        yield Fault(f"{need} is needed but no equation uses it", ("needs", need), at_key=True)
    own = {*part.parameters, *part.states, *assigned}
    for export in part.exports.keys() - own:
        yield Fault(f"{export!r} is exported but not defined", ("exports", export), ", ".join(sorted(own)), nearest(export, own), at_key=True)


# --- a model


def model_faults(model: Model, sources: Collection[str]) -> list[Fault]:
    """Faults of a model: slots against each other, accounts, inputs, outputs."""
    faults = [*_slot_faults(model), *_drug_faults(model, sources), *_account_choice_faults(model)]
    if faults:
        return faults
    for name in model.accounts or (model.name,):
        path = ("accounts", name) if model.accounts else ("slots",)
        try:
            setting = setting_of(model, name)
            compose(model, setting.parts)
        except LdnsimError as caught:
            faults += [fault if fault.path[:1] == ("slots",) else fault.under(*path) for fault in caught.faults]
    faults = list(dict.fromkeys(faults))
    return faults + [*_input_faults(model), *_output_faults(model)]


def _slot_faults(model: Model) -> Iterator[Fault]:
    needed = {need for parts in model.slots.values() for part in parts for need in part.needs} | set(model.outputs)
    for slot, parts in model.slots.items():
        if slot in RESERVED or "__" in slot:
            yield Fault(f"{slot!r} is a reserved word", ("slots", slot), "another name", at_key=True)
        wanted = {export for part in parts for export in part.exports} & needed
        for index, part in enumerate(parts):
            for export in sorted(wanted - set(part.exports)):
                yield Fault(f"{part.name} does not export {export!r}, which slot {slot} gives to others", ("slots", slot, index),
                            f"exports: {', '.join(sorted(wanted))}", nearest(export, part.exports))  # fmt: skip


def _drug_faults(model: Model, sources: Collection[str]) -> Iterator[Fault]:
    molar = parse_unit("g/mol").dimension
    for name, drug in model.drugs.items():
        yield from _unknown_sources(drug.source, sources, ("drugs", name, "source"))
        masses = {("molar_mass",): drug.molar_mass, **{("salts", salt): mass for salt, mass in drug.salts.items()}}
        for path, mass in masses.items():
            if mass.dimension != molar:
                yield Fault(f"{mass} is no molar mass", ("drugs", name, *path), "a value in g/mol")
    for slot, parts in model.slots.items():
        for part in parts:
            drugs = {record.of for record in (*part.parameters.values(), *part.states.values()) if record.of}
            for drug_name in sorted(drugs - set(model.drugs)):
                yield Fault(f"{part.name} speaks of {drug_name!r}, which drugs lacks", ("slots", slot), ", ".join(model.drugs), nearest(drug_name, model.drugs))


def _account_choice_faults(model: Model) -> Iterator[Fault]:
    for name, account in model.accounts.items():
        for slot, choice in account.choices.items():
            path = ("accounts", name, slot)
            if slot not in model.slots:
                yield Fault(f"unknown key {slot!r}", path, f"title, note, values or a slot ({', '.join(model.slots)})",
                            nearest(slot, [*model.slots, "title", "note", "values"]), at_key=True)  # fmt: skip
            elif choice not in (names := [part.name for part in model.slots[slot]]):
                yield Fault(f"slot {slot} has no alternative {choice!r}", path, ", ".join(names), nearest(choice, names))


def _input_faults(model: Model) -> Iterator[Fault]:
    parameters = {f"{slot}.{name}": p for slot, parts in model.slots.items() for part in parts for name, p in part.parameters.items()}
    states = {f"{slot}.{name}": s for slot, parts in model.slots.items() for part in parts for name, s in part.states.items()}
    for name, product in model.inputs.items():
        path = ("inputs", name)
        if product.drug not in model.drugs:
            yield Fault(f"unknown drug {product.drug!r}", (*path, "drug"), ", ".join(model.drugs), nearest(product.drug, model.drugs))
        elif product.salt != "base" and product.salt not in (salts := model.drugs[product.drug].salts):
            yield Fault(f"{product.drug} has no salt {product.salt!r}", (*path, "salt"), ", ".join(["base", *salts]), nearest(product.salt, salts))
        if product.lag is not None:
            yield from _parameter_faults(product.lag, parameters, BUILT_IN["t"], (*path, "lag"))
        if not product.to:
            yield Fault("the dose goes nowhere", (*path, "to"), "slot.state: share")
        for target, share in product.to.items():
            if target not in states:
                yield Fault(f"a dose into {target!r}, which is no state", (*path, "to", target), "slot.state", nearest(target, states), at_key=True)
            elif states[target].dimension != AMOUNT:
                yield Fault(f"{target} is in {states[target].unit}, and a dose is an amount", (*path, "to", target), "a state in nmol", at_key=True)
            if isinstance(share, str):
                yield from _parameter_faults(share, parameters, DIMENSIONLESS, (*path, "to", target))
            elif not 0 <= share <= 1:
                yield Fault(f"{share} is not a share", (*path, "to", target), "0 to 1, or slot.parameter")


def _parameter_faults(address: str, parameters: dict[str, Parameter], wanted: object, path: tuple[str, ...]) -> Iterator[Fault]:
    if address not in parameters:
        yield Fault(f"{address!r} names no parameter", path, "slot.parameter", nearest(address, parameters))
    elif parameters[address].dimension != wanted:
        yield Fault(f"{address} is in {parameters[address].value.unit}", path, f"a parameter in {wanted}")


def _output_faults(model: Model) -> Iterator[Fault]:
    first = {slot: parts[0] for slot, parts in model.slots.items()}
    exporters = {export: part for part in first.values() for export in part.exports}
    for name, output in model.outputs.items():
        if name not in exporters:
            yield Fault(f"no slot exports {name!r}", ("outputs", name), ", ".join(exporters), nearest(name, exporters), at_key=True)
            continue
        if output.of is not None and output.of not in model.drugs:
            yield Fault(f"unknown drug {output.of!r}", ("outputs", name, "of"), ", ".join(model.drugs), nearest(output.of, model.drugs))
        wanted = part_dimensions(exporters[name])[0].get(name)
        found = drug_dimension(parse_unit(output.unit).dimension, output.of is not None)
        if output.relative_to is None and wanted is not None and found != wanted:
            yield Fault(f"{name} is exported in {wanted}, not in {output.unit}", ("outputs", name, "unit"), str(wanted))
        if output.relative_to is not None and found != DIMENSIONLESS:
            yield Fault(f"{name} is a ratio and has no unit", ("outputs", name, "unit"), "1")


# --- a scenario


def scenario_faults(scenario: Scenario) -> list[Fault]:
    """Faults of a scenario against its model: arms, doses, outputs, addresses."""
    faults = [*_scenario_name_faults(scenario), *_window_faults(scenario)]
    for arm_name, arm in scenario.arms.items():
        for index, line in enumerate(arm.regimen):
            faults += [fault.under("arms", arm_name, "regimen", index) for fault in _line_faults(line, scenario)]
    if faults:
        return faults
    try:
        resolve(scenario)
    except LdnsimError as caught:
        faults += caught.faults
    return faults + [*_sweep_faults(scenario)]


def _scenario_name_faults(scenario: Scenario) -> Iterator[Fault]:
    model = scenario.model
    for index, name in enumerate(scenario.accounts):
        if name not in (known := model.accounts or {model.name: None}):
            yield Fault(f"model {model.name} has no account {name!r}", ("accounts", index), ", ".join(known), nearest(name, known))
        if name in scenario.accounts[:index]:
            yield Fault(f"{name!r} stands twice", ("accounts", index), "each account once")
    for index, name in enumerate(scenario.report):
        if name not in model.outputs:
            yield Fault(f"model {model.name} has no output {name!r}", ("report", index), ", ".join(model.outputs), nearest(name, model.outputs))
    for name in scenario.arms:
        if name in {*model.slots, *RESERVED}:
            yield Fault(f"the arm {name!r} has the name of a slot or a reserved word", ("arms", name), "another name", at_key=True)


def _window_faults(scenario: Scenario) -> Iterator[Fault]:
    duration = hours(scenario.duration)
    step = hours(scenario.sample) if scenario.sample else 1.0
    if duration / step > MOST_SAMPLES:
        yield Fault(f"{duration / step:.3g} samples", ("sample" if scenario.sample else "duration",), f"at most {MOST_SAMPLES}")
    if scenario.window is not None:
        start, end = (coherent(edge) for edge in scenario.window)
        if not 0 <= start < end <= duration:
            yield Fault(f"the window {start:g} to {end:g} h does not lie in the run", ("window",), f"start before end, within 0 and {duration:g} h")


def _line_faults(line: RegimenLine, scenario: Scenario) -> Iterator[Fault]:
    model, duration = scenario.model, hours(scenario.duration)
    if line.input not in model.inputs:
        yield Fault(f"model {model.name} has no input {line.input!r}", ("input",), ", ".join(model.inputs), nearest(line.input, model.inputs))
    if (line.dose is None) == (not line.ladder):
        yield Fault("a line takes either a dose or a ladder", (), "dose: 4.5 mg, or ladder: {day 1: 1.5 mg, day 8: 3 mg}")
    fields = {("dose",): line.dose} if line.dose else {("ladder",): amount for amount in line.ladder.values()}
    for path, amount in fields.items():
        if amount.dimension not in (MASS, AMOUNT):
            yield Fault(f"{amount} is not a dose", path, "a mass or an amount, such as 4.5 mg")
    if line.until is not None and line.until < line.from_:
        yield Fault(f"until day {line.until} is before from day {line.from_}", ("until",), f"day {line.from_} or later")
    if line.every and len(line.at) > 1 and not re.fullmatch(r"\d+(\.0+)?", f"{hours(line.every) / 24:.9f}".rstrip("0") + "0"):
        yield Fault(f"every {line.every} with several clock times", ("every",), "whole days, or one clock time")
    if line.potency is not None:
        low, high = line.potency
        if low.dimension != DIMENSIONLESS or high.dimension != DIMENSIONLESS or coherent(low) > coherent(high):
            yield Fault("potency is no range of shares", ("potency",), "[90 %, 110 %]")
    if count_doses(line, duration) > MOST_DOSES:
        yield Fault(f"{count_doses(line, duration):.3g} doses", ("every",), f"at most {MOST_DOSES}")
    elif not planned_doses_of(line, scenario):
        yield Fault("this line gives no dose within the run", (), f"a time within {scenario.duration}")


def planned_doses_of(line: RegimenLine, scenario: Scenario) -> bool:
    """Whether the line gives any dose at all."""
    from ldnsim.dosing import Arm

    return bool(planned_doses(Arm(regimen=(line,)), hours(scenario.duration), scenario.start_day))


def _sweep_faults(scenario: Scenario) -> Iterator[Fault]:
    for address, values in scenario.sweep.items():
        if not values:
            yield Fault("an axis without values", ("sweep", address), "a list of values")
        for index, value in enumerate(values):
            changed = scenario.model_copy(update={"changes": {**scenario.changes, address: value}})
            try:
                resolve(changed)
            except LdnsimError as caught:
                for fault in caught.faults:
                    yield Fault(fault.message, ("sweep", address, index), fault.expected, fault.nearest)
