"""Parts put together: one flat system of equations with every name qualified by its slot.

`compose` is where private names end: a need becomes the export that another slot provides, assignments are put in the
order in which they can be computed, and each output learns which parts and parameters it rests on.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from ldnsim.errors import Fault, LdnsimError, nearest
from ldnsim.expressions import BUILT_IN, Expression, infer, names_in, rename
from ldnsim.model import weakest
from ldnsim.units import Dimension, Quantity, coherent, parse_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ldnsim.model import Evidence, Model, Part

__all__ = ["System", "compose", "computing_order", "molar_mass", "part_dimensions"]


@dataclass(frozen=True)
class System:
    """Equations with qualified names (`slot.name`), in coherent units (h, nmol, L, kg).

    `assignments` are in computing order; `derivatives` match `states`. `exports` maps an exported name to its
    qualified one. `rests_on` gives, for each exported name, all qualified names that it depends on.
    """

    states: tuple[str, ...]
    initial: tuple[float, ...]
    scale: tuple[float, ...]
    parameters: tuple[str, ...]
    assignments: tuple[tuple[str, Expression], ...]
    derivatives: tuple[Expression, ...]
    exports: dict[str, str]
    evidence: dict[str, Evidence]
    rests_on: dict[str, frozenset[str]]


def molar_mass(model: Model, drug: str | None) -> float | None:
    """Molar mass of a drug in g/mol; None for no drug."""
    if drug is None:
        return None
    mass = model.drugs[drug].molar_mass
    return coherent(mass) / coherent(Quantity(1.0, "g/mol"))


def compose(model: Model, parts: Mapping[str, Part]) -> System:
    """The system of the given parts (slot -> part).

    Raises LdnsimError for a need that no slot exports, an export that two slots give, units that disagree between an
    export and a need, and an algebraic cycle (with its chain).
    """
    providers = _providers(parts)
    expressions: dict[str, Expression] = {}
    derivatives: dict[str, Expression] = {}
    for slot, part in parts.items():
        names = {name: f"{slot}.{name}" for name in (*part.parameters, *part.states, *(e.target for e in part.parsed))}
        names.update({need: providers[need] for need in part.needs})
        for equation in part.parsed:
            target = derivatives if equation.is_derivative else expressions
            target[f"{slot}.{equation.target}"] = rename(equation.expression, names)
    order = computing_order(expressions)
    _agree_on_units(parts)
    dependencies = {name: names_in(expression) for name, expression in expressions.items()}
    for name, expression in derivatives.items():
        dependencies[name] = names_in(expression)
    rests_on = {name: _closure(qualified, dependencies) for name, qualified in providers.items()}
    states = tuple(derivatives)
    declared = {f"{slot}.{name}": state for slot, part in parts.items() for name, state in part.states.items()}
    masses = {name: molar_mass(model, declared[name].of) for name in states}
    return System(
        states=states,
        initial=tuple(coherent(declared[name].initial, masses[name]) for name in states),
        scale=tuple(coherent(declared[name].scale, masses[name]) for name in states),
        parameters=tuple(f"{slot}.{name}" for slot, part in parts.items() for name in part.parameters),
        assignments=tuple((name, expressions[name]) for name in order),
        derivatives=tuple(derivatives.values()),
        exports=providers,
        evidence=_evidence(parts, providers, dependencies),
        rests_on=rests_on,
    )


def part_dimensions(part: Part) -> tuple[dict[str, Dimension], list[Fault]]:
    """The dimension of every name of a part, and each place where the equations' units disagree.

    Assignments get theirs from their expression; names in a cycle or behind a fault are left out.
    """
    known: dict[str, Dimension] = dict(BUILT_IN)
    known.update({name: parse_unit(unit).dimension for name, unit in part.needs.items()})
    known.update({name: parameter.dimension for name, parameter in part.parameters.items()})
    known.update({name: state.dimension for name, state in part.states.items()})
    faults: list[Fault] = []
    waiting = [equation for equation in part.parsed if not equation.is_derivative]
    while ready := [equation for equation in waiting if not names_in(equation.expression) & {w.target for w in waiting}]:
        for equation in ready:
            dimension, found = infer(equation.expression, known)
            faults.extend(found)
            if dimension is not None:
                known[equation.target] = dimension
            waiting.remove(equation)
    for equation in part.parsed:
        if not equation.is_derivative:
            continue
        dimension, found = infer(equation.expression, known)
        faults.extend(found)
        state = part.states.get(equation.target)
        if state and dimension is not None and dimension != (wanted := state.dimension.times(BUILT_IN["t"], -1)):
            faults.append(Fault(f"the change of {equation.target} has the unit {dimension}", offset=equation.at, expected=str(wanted)))
    return known, [fault.under("equations") for fault in faults]


def _providers(parts: Mapping[str, Part]) -> dict[str, str]:
    providers: dict[str, str] = {}
    faults = []
    for slot, part in parts.items():
        for export in part.exports:
            if export in providers:
                other = providers[export].split(".")[0]
                faults.append(Fault(f"{export!r} is exported by {slot} ({part.name}) and by {other}", expected="one of them"))
            providers[export] = f"{slot}.{export}"
    for slot, part in parts.items():
        for need in part.needs:
            if need not in providers:
                hint = nearest(need, providers)
                faults.append(Fault(f"{slot} ({part.name}) needs {need!r}, which no slot exports", ("slots", slot), nearest=hint))
    if faults:
        raise LdnsimError(faults)
    return providers


def _agree_on_units(parts: Mapping[str, Part]) -> None:
    """Each need against the export that it becomes, both as declared by their own parts."""
    dimensions = {part.name: part_dimensions(part)[0] for part in parts.values()}
    faults = []
    for slot, part in parts.items():
        for need, unit in part.needs.items():
            giver = next(other for other in parts.values() if need in other.exports)
            given, wanted = dimensions[giver.name].get(need), parse_unit(unit).dimension
            if given is not None and given != wanted:
                message = f"{slot} ({part.name}) needs {need} in {unit}, but {giver.name} exports it in {given}"
                faults.append(Fault(message, ("slots", slot), expected=str(wanted)))
    if faults:
        raise LdnsimError(faults)


def computing_order(expressions: Mapping[str, Expression]) -> list[str]:
    """Names in an order in which each is computed from earlier ones; a cycle is told as its chain."""
    graph = {name: sorted(names_in(expression) & expressions.keys()) for name, expression in expressions.items()}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as caught:
        chain = " -> ".join(reversed(caught.args[1]))
        message = f"algebraic cycle: {chain} (each needs the next)"
        raise LdnsimError(Fault(message, expected="at least one state (d/dt) in every loop")) from None


def _evidence(
    parts: Mapping[str, Part], providers: Mapping[str, str], dependencies: Mapping[str, frozenset[str]]
) -> dict[str, Evidence]:
    """The tag of each export: the weakest of all that it rests on, up to exports that have a tag of their own."""
    own: dict[str, Evidence] = {}
    for name, qualified in providers.items():
        evidence = parts[qualified.split(".")[0]].exports[name].evidence
        if evidence is not None:
            own[qualified] = evidence
    beyond = {name: frozenset() if name in own else found for name, found in dependencies.items()}
    return {
        name: weakest(tuple(own.get(q) or parts[q.split(".")[0]].evidence for q in _closure(qualified, beyond)))
        for name, qualified in providers.items()
    }


def _closure(name: str, dependencies: Mapping[str, frozenset[str]]) -> frozenset[str]:
    reached, waiting = {name}, [name]
    while waiting:
        for found in dependencies.get(waiting.pop(), frozenset()):
            if found not in reached and found not in BUILT_IN:
                reached.add(found)
                waiting.append(found)
    return frozenset(reached)

