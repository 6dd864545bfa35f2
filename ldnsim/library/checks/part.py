"""Checks of one part's page: names, equations, units, sources."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import MOST_FAULTS, Fault, listed, nearest
from ldnsim.foundation.expressions import BUILT_IN, FUNCTIONS, Name, names_in, read_equations, walk
from ldnsim.foundation.units import DIMENSIONLESS, coherent, drug_dimension
from ldnsim.library.checks.sources import NEEDS_SOURCE, source_faults
from ldnsim.library.checks.variability import correlation_faults, variability_faults
from ldnsim.model.records import ASSUMED, weakest
from ldnsim.model.system import cycle_fault, cycles_in, part_dimensions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ldnsim.foundation.expressions.reading import ReadEquations
    from ldnsim.model.records import Parameter, Part, State

__all__ = ["part_faults", "range_faults"]

ROUNDING = 1e-12  # of units: the value may be an end of its range, written in another unit
DECLARED = ("parameters", "states", "needs", "gathers")  # where names are declared that equations may use
TAKEN = ("rivals", "source", "note")  # words that stand beside parameters in addresses and in rival sets


def part_faults(part: Part, sources: Collection[str]) -> list[Fault]:
    """Faults of one part."""
    checks = [_parameter_faults(part, sources), _state_faults(part), _published_set_faults(part, sources)]
    checks += [_tag_faults(part), correlation_faults(part, sources), _equation_faults(part)]
    return list(islice(chain.from_iterable(checks), MOST_FAULTS))


def _parameter_faults(part: Part, sources: Collection[str]) -> Iterator[Fault]:
    for name, parameter in part.parameters.items():
        path = ("parameters", name)
        if name in TAKEN:
            yield Fault(
                f"{name!r} has a meaning of its own in addresses and rival sets", path, "another name", at_key=True
            )
        if not parameter.source:
            yield Fault(f"{name} has no source", path, NEEDS_SOURCE, at_key=True)
        elif ASSUMED in parameter.source and not parameter.note.strip():
            yield Fault(f"{name} is assumed but says not why", path, "note: why this value", at_key=True)
        yield from source_faults(parameter.source, sources, (*path, "source"))
        yield from (fault.under(*path) for fault in range_faults(parameter, None))
        yield from (fault.under(*path) for fault in variability_faults(parameter))


def range_faults(parameter: Parameter, molar_mass: float | None) -> Iterator[Fault]:
    """A range in the value's unit that holds the value.

    A drug's mass and its amount compare by molar mass, which only the model knows: where both stand in a range, nothing
    is said without it. Paths start at the parameter.
    """
    if parameter.range is None:
        return
    of_drug = parameter.of is not None
    unlike = [
        index
        for index, end in enumerate(parameter.range)
        if drug_dimension(end.dimension, of_drug) != parameter.dimension
    ]
    for index in unlike:
        yield Fault(
            f"{parameter.range[index]} has another unit than the value",
            ("range", index),
            f"a value in {parameter.value.unit}",
        )
    if unlike or (
        molar_mass is None and len({quantity.dimension for quantity in (parameter.value, *parameter.range)}) > 1
    ):
        return
    low, value, high = (
        coherent(quantity, molar_mass) for quantity in (parameter.range[0], parameter.value, parameter.range[1])
    )
    if low > high:
        yield Fault("the range begins above its end", ("range",), f"[{parameter.range[1]}, {parameter.range[0]}]")
    elif not low * (1 - ROUNDING) <= value <= high * (1 + ROUNDING):
        yield Fault(
            f"the range excludes the value {parameter.value}", ("range",), f"a range that holds {parameter.value}"
        )


def _state_faults(part: Part) -> Iterator[Fault]:
    for name, state in part.states.items():
        for field in ("initial", "scale"):
            yield from _state_unit_faults(state, name, field)
        yield from (fault.under("states", name) for fault in _dose_faults(part, state))


def _dose_faults(part: Part, state: State) -> Iterator[Fault]:
    """The delivery parameters of a state."""
    hour = BUILT_IN["t"]
    wanted = {"lag": hour, "bioavailability": DIMENSIONLESS, "duration": hour}
    wanted["rate"] = state.dimension.times(hour, -1)
    for field, dimension in wanted.items():
        name = getattr(state, field)
        if name is None:
            continue
        if name not in part.parameters:
            yield Fault(f"{name!r} is no parameter", (field,), listed(part.parameters), nearest(name, part.parameters))
        elif part.parameters[name].dimension != dimension:
            unit = "without unit" if dimension == DIMENSIONLESS else f"in {dimension}"
            yield Fault(f"{name} is in {part.parameters[name].value.unit}", (field,), f"a parameter {unit}")


def _state_unit_faults(state: State, name: str, field: str) -> Iterator[Fault]:
    quantity = state.initial if field == "initial" else state.scale
    found = drug_dimension(quantity.dimension, state.of is not None)
    zero = field == "initial" and quantity.value == 0 and quantity.unit == "1"  # 0 needs no unit
    if found != state.dimension and not zero:
        yield Fault(
            f"{field} {quantity} has another unit than the state", ("states", name, field), f"a value in {state.unit}"
        )


def _published_set_faults(part: Part, sources: Collection[str]) -> Iterator[Fault]:
    for name, rival in part.rivals.items():
        path = ("rivals", name)
        if not rival.source or (ASSUMED in rival.source and not rival.note.strip()):
            yield Fault(f"the set {name} has no source", path, NEEDS_SOURCE, at_key=True)
        yield from source_faults(rival.source, sources, (*path, "source"))
        if not rival.values:
            yield Fault(f"the set {name} holds no value", path, "parameter: value", at_key=True)
        for key, value in rival.values.items():
            if key not in part.parameters:
                yield Fault(
                    f"unknown parameter {key!r}",
                    (*path, key),
                    listed(part.parameters),
                    nearest(key, part.parameters),
                    at_key=True,
                )
                continue
            parameter = part.parameters[key]
            if drug_dimension(value.dimension, parameter.of is not None) != parameter.dimension:
                yield Fault(f"{value} has another unit than {key}", (*path, key), f"a value in {parameter.value.unit}")


def _tag_faults(part: Part) -> Iterator[Fault]:
    """Exports with a tag of their own: weaker than that of their part, and with a reason."""
    for name, export in part.exports.items():
        path = ("exports", name, "evidence")
        if export.evidence is None:
            continue
        if weakest((export.evidence, part.evidence)) != export.evidence:
            yield Fault(f"{name} is called {export.evidence}, its part only {part.evidence}", path, part.evidence)
        if not export.because.strip():
            yield Fault(f"{name} has a tag of its own but says not why", path, "because: what it was held against")


def _equation_faults(part: Part) -> Iterator[Fault]:
    """Each name declared once and defined once; nothing used that is not there; units that agree; no cycle."""
    reading = read_equations(part.equations)
    yield from (fault.under("equations") for fault in reading.faults)
    declared = [name for field in DECLARED for name in getattr(part, field)]
    twice = [name for name, count in Counter(declared).items() if count > 1]
    yield from _declaration_faults(part)
    yield from _target_faults(part, reading, declared)
    yield from _unknown_name_faults(reading, declared)
    for state in part.states:
        if state not in reading.lost and not any(e.is_derivative and e.target == state for e in reading.equations):
            yield Fault(f"the state {state} has no equation", ("states", state), f"d/dt({state}) = ...", at_key=True)
    used = {name for equation in reading.equations for name in names_in(equation.expression)}
    assigned = {equation.target for equation in reading.equations if not equation.is_derivative}
    for field, verb in (("needs", "needed"), ("gathers", "gathered")):
        for name in getattr(part, field):
            if name not in used and not reading.faults:
                message = f"{name} is {verb} but no equation uses it"
                yield Fault(message, (field, name), f"an equation that uses it, or no entry in {field}", at_key=True)
    own = [*part.parameters, *part.states, *sorted(assigned)]
    for export in part.exports:
        if export not in own and export not in reading.lost:
            yield Fault(
                f"{export!r} is exported but not defined",
                ("exports", export),
                listed(own),
                nearest(export, own),
                at_key=True,
            )
    yield from part_dimensions(part, twice, reading.equations)[1]
    places = {equation.target: equation.at for equation in reading.equations if not equation.is_derivative}
    for cycle in cycles_in({e.target: e.expression for e in reading.equations if not e.is_derivative}):
        fault = cycle_fault(cycle)
        yield replace(fault, path=("equations",), offset=places[cycle[0]])


def _declaration_faults(part: Part) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for field in DECLARED:
        for name in getattr(part, field):
            if name in seen:
                yield Fault(f"{name!r} is already among the {seen[name]}", (field, name), "each name once", at_key=True)
            seen.setdefault(name, field)


def _target_faults(part: Part, reading: ReadEquations, declared: Collection[str]) -> Iterator[Fault]:
    defined: Counter[str] = Counter()
    for equation in reading.equations:
        target = equation.target
        what = f"d/dt({target})" if equation.is_derivative else target
        defined[what] += 1
        if defined[what] > 1:
            yield Fault(f"{what} is defined twice", ("equations",), "one equation", offset=equation.at)
        elif equation.is_derivative and target not in part.states:
            near = nearest(target, part.states)
            yield Fault(
                f"{target!r} is no state",
                ("equations",),
                listed(part.states) or "an entry in states",
                near,
                equation.at,
            )
        elif not equation.is_derivative and target in declared and target not in reading.lost:
            yield Fault(
                f"{target!r} is declared above and cannot be assigned",
                ("equations",),
                "another name",
                offset=equation.at,
            )


def _unknown_name_faults(reading: ReadEquations, declared: Collection[str]) -> Iterator[Fault]:
    """Each unknown name where it is first used."""
    assigned = [equation.target for equation in reading.equations if not equation.is_derivative]
    known = {*declared, *assigned, *reading.lost, *BUILT_IN}
    for equation in reading.equations:
        for node in walk(equation.expression):
            if not isinstance(node, Name) or node.name in known:
                continue
            known.add(node.name)
            if node.name in FUNCTIONS:
                yield Fault(f"{node.name!r} is a function", ("equations",), f"{node.name}(...)", offset=node.at)
            else:
                near = nearest(node.name, [*declared, *assigned, *BUILT_IN])
                yield Fault(
                    f"unknown name {node.name!r}",
                    ("equations",),
                    "a parameter, state, need, sum or assignment of this part",
                    near,
                    node.at,
                )
