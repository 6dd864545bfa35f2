"""Parts put together: one flat system of equations with every name qualified by its slot.

`compose` is where private names end: a need becomes the export that another slot provides, assignments are put in the
order in which they can be computed, and each output learns which parts and parameters it rests on. What a part gathers
becomes an assignment of its own slot: the sum of the exports that add to it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import reduce
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, LdnsimError, nearest
from ldnsim.foundation.expressions import BUILT_IN, Call, Equation, Expression, Name, Number, infer, names_in, rename
from ldnsim.foundation.units import Dimension, Quantity, coherent, parse_unit
from ldnsim.model.records import weakest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ldnsim.model.records import Evidence, Model, Part

__all__ = [
    "System",
    "compose",
    "composed",
    "computing_order",
    "cycle_fault",
    "cycles_in",
    "molar_mass",
    "part_dimensions",
]

LONGEST_CHAIN = 12  # names of a cycle that are shown
MOST_SYSTEMS = 64  # remembered


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

    Raises LdnsimError for a need that no slot exports, an export that two slots give, and an algebraic cycle (with its
    chain). That units agree between exports and needs is checked once, when the model is read.
    """
    providers = _providers(parts)
    expressions: dict[str, Expression] = {}
    derivatives: dict[str, Expression] = {}
    for slot, part in parts.items():
        names = {name: f"{slot}.{name}" for name in (*part.parameters, *part.states, *(e.target for e in part.parsed))}
        names.update({need: providers[need] for need in part.needs})
        for gathered in part.gathers:
            names[gathered] = f"{slot}.{gathered}"
            expressions[names[gathered]] = _sum_of(gathered, parts)
        for equation in part.parsed:
            target = derivatives if equation.is_derivative else expressions
            target[f"{slot}.{equation.target}"] = rename(equation.expression, names)
    order = computing_order(expressions)
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


def _sum_of(gathered: str, parts: Mapping[str, Part]) -> Expression:
    """The sum of all exports that add to a gathered name; 0 without any."""
    terms: list[Expression] = [
        Name(f"{slot}.{name}")
        for slot, part in parts.items()
        for name, export in part.exports.items()
        if gathered in export.adds_to
    ]
    return reduce(lambda left, right: Call("+", (left, right)), terms) if terms else Number(0.0)


_one_at_a_time = threading.Lock()
# the records are held with their system, so that their ids stay theirs
_systems: dict[tuple[int | str, ...], tuple[Model, Mapping[str, Part], System]] = {}


def composed(model: Model, parts: Mapping[str, Part]) -> System:
    """`compose`, remembered for parts that are the same objects: a slider or a cell changes values, not equations."""
    key: tuple[int | str, ...] = (
        id(model.drugs),
        *parts,
        *map(id, parts.values()),
    )  # a model with other accounts has the same drugs
    with _one_at_a_time:
        if key not in _systems:
            while len(_systems) >= MOST_SYSTEMS:
                del _systems[next(iter(_systems))]
            _systems[key] = model, parts, compose(model, parts)
        return _systems[key][2]


def part_dimensions(
    part: Part, unknown: Collection[str] = (), equations: Sequence[Equation] | None = None
) -> tuple[dict[str, Dimension], list[Fault]]:
    """The dimension of every name of a part, and each place where the equations' units disagree.

    Assignments get theirs from their expression; names in a cycle or behind a fault are left out, and so are `unknown`
    ones, whose declaration could not be read. `equations` stand for those of the part where not all can be read.
    """
    equations = part.parsed if equations is None else equations
    known: dict[str, Dimension] = dict(BUILT_IN)
    known.update({name: parse_unit(unit).dimension for name, unit in {**part.needs, **part.gathers}.items()})
    known.update({name: parameter.dimension for name, parameter in part.parameters.items()})
    known.update({name: state.dimension for name, state in part.states.items()})
    known = {name: dimension for name, dimension in known.items() if name not in unknown}
    faults: list[Fault] = []
    declared = {*part.needs, *part.gathers, *part.parameters, *part.states}
    assigned = {e.target: e.expression for e in equations if not e.is_derivative and e.target not in declared}
    for name in _in_order(assigned, {name for cycle in cycles_in(assigned) for name in cycle}):
        dimension, found = infer(assigned[name], known)
        faults.extend(found)
        if dimension is not None:
            known[name] = dimension
    for equation in equations:
        if equation.is_derivative:
            state = part.states.get(equation.target)
            known_state = state is not None and equation.target not in unknown
            wanted = (
                (state.dimension.times(BUILT_IN["t"], -1), f"as d/dt({equation.target}) has")
                if state and known_state
                else None
            )
            faults.extend(infer(equation.expression, known, wanted)[1])
    return known, [fault.under("equations") for fault in faults]


def cycles_in(expressions: Mapping[str, Expression]) -> list[list[str]]:
    """Chains of names of which each needs the next, and the last one the first; one for each loop that stands alone."""
    graph = _needs(expressions)
    rank = {name: index for index, name in enumerate(expressions)}
    cycles: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as caught:
            chain = list(reversed(caught.args[1][1:]))
            first = chain.index(min(chain, key=rank.__getitem__))
            cycles.append(chain[first:] + chain[:first])
            graph = {
                name: [need for need in needs if need not in chain]
                for name, needs in graph.items()
                if name not in chain
            }
        else:
            return cycles


def cycle_fault(chain: Sequence[str]) -> Fault:
    """What a cycle is told as; the place is up to those who know it."""
    names = [*chain, chain[0]]
    if len(names) > LONGEST_CHAIN:
        names = [*names[: LONGEST_CHAIN - 1], f"... ({len(chain)} names in all)", names[-1]]
    return Fault(
        f"algebraic cycle: {' -> '.join(names)} (each needs the next)",
        expected="at least one state (d/dt) in every loop",
    )


def computing_order(expressions: Mapping[str, Expression]) -> list[str]:
    """Names in an order in which each is computed from earlier ones; each cycle is told as its chain."""
    cycles = cycles_in(expressions)
    if cycles:
        raise LdnsimError(cycle_fault(cycle) for cycle in cycles)
    return _in_order(expressions, ())


def _needs(expressions: Mapping[str, Expression]) -> dict[str, list[str]]:
    return {name: sorted(names_in(expression) & expressions.keys()) for name, expression in expressions.items()}


def _in_order(expressions: Mapping[str, Expression], left_out: Collection[str]) -> list[str]:
    """Names that rest on nothing left out, in computing order."""
    graph, out, order = _needs(expressions), set(left_out), []
    loose = {name: [need for need in needs if need not in out] for name, needs in graph.items() if name not in out}
    for name in TopologicalSorter(loose).static_order():
        if out.isdisjoint(graph[name]):
            order.append(name)
        else:
            out.add(name)
    return order


def _providers(parts: Mapping[str, Part]) -> dict[str, str]:
    providers: dict[str, str] = {}
    faults = []
    for slot, part in parts.items():
        for export in part.exports:
            if export in providers:
                other = providers[export].split(".")[0]
                faults.append(
                    Fault(
                        f"{export!r} is exported by {slot} ({part.name}) and by {other}", ("slots", slot), "one of them"
                    )
                )
            providers[export] = f"{slot}.{export}"
    for slot, part in parts.items():
        for need in part.needs:
            if need not in providers:
                hint = nearest(need, providers)
                faults.append(
                    Fault(f"{slot} ({part.name}) needs {need!r}, which no slot exports", ("slots", slot), nearest=hint)
                )
    if faults:
        raise LdnsimError(faults)
    return providers


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
