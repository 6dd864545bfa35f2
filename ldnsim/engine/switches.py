"""Equations that jump or bend at a time: their conditions on the time become parameters that a solver's events set.

A solver steps over what it does not look at, and at a jump it must not see both sides at once. So each comparison, and
each min, max and abs, on the time (with parameters and constants, without states) is replaced by a parameter that is 1
where the condition holds and 0 elsewhere. It changes by an event (`stops`): a step ends there, and within a step every
condition has one value. Comparisons on states stay what they are: see `guard`.

Equations without such a condition are returned as they are.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ldnsim.engine.compiler.derivative import TIME, gradients
from ldnsim.engine.compiler.graph import COMPARISONS, ON_STATES, ON_TIME, Graph, Node, named_nodes
from ldnsim.engine.rhythm import drifting
from ldnsim.foundation.expressions import Call, Expression, Name, Number

if TYPE_CHECKING:
    from ldnsim.model.system import System

__all__ = ["Condition", "Switched", "switched"]

HALF = Number(0.5)
MOST_KNOWN = 64


class Condition(NamedTuple):
    """`difference` compared with 0 by `operation` (lt, le, gt, ge); `slope` is its change with time. Nodes of a graph
    in which earlier conditions are parameters. `equation`: the name of what it stands in.
    """

    operation: str
    difference: Node
    slope: Node
    equation: str


class Switched(NamedTuple):
    """A system whose last parameters are the conditions, in an order in which each rests on earlier ones only.

    parameters: places of the original parameters that conditions look at. daily: whether all conditions repeat every
    24 h.
    """

    system: System
    graph: Graph
    conditions: tuple[Condition, ...]
    parameters: tuple[int, ...]
    daily: bool


_known: dict[int, tuple[System, Switched | None]] = {}  # the system is held, so that its id stays its own
_one_at_a_time = threading.Lock()


def switched(system: System) -> Switched | None:
    """The system with its conditions on the time as parameters; None where it has none."""
    with _one_at_a_time:
        if id(system) not in _known:
            while len(_known) >= MOST_KNOWN:
                del _known[next(iter(_known))]
            _known[id(system)] = system, _looked_at(system)
        return _known[id(system)][1]


def _looked_at(system: System) -> Switched | None:
    rewriting = _Rewriting(system)
    assignments = tuple((name, rewriting.equation(name, tree)) for name, tree in system.assignments)
    derivatives = tuple(
        rewriting.equation(f"d/dt({state})", tree)
        for state, tree in zip(system.states, system.derivatives, strict=True)
    )
    if not rewriting.found:
        return None
    parameters = (*system.parameters, *rewriting.found.values())
    made = replace(system, assignments=assignments, derivatives=derivatives, parameters=parameters)
    graph, names = named_nodes(made)
    conditions = tuple(
        _condition(graph, names, operation, left, right, rewriting.equations[switch])
        for (operation, left, right), switch in rewriting.found.items()
    )
    reached = graph.reached([condition.difference for condition in conditions])
    used = {graph.nodes[node][1] for node in reached if graph.nodes[node][0] == "p"}
    drifts = drifting(graph, [condition.difference for condition in conditions])
    own = tuple(sorted(place for place in used if place < len(system.parameters)))
    return Switched(made, graph, conditions, own, daily=not any(drifts[c.difference] for c in conditions))


def _condition(
    graph: Graph, names: dict[str, Node], operation: str, left: Expression, right: Expression, equation: str
) -> Condition:
    difference = graph.sub(graph.expression(left, names), graph.expression(right, names))
    slope = gradients(graph, [difference])[0].get(TIME, graph.num(0))
    return Condition(COMPARISONS[operation], difference, slope, equation)


class _Rewriting:
    """Trees with their conditions on the time replaced. found: (operation, left, right) -> the new parameter's name."""

    def __init__(self, system: System) -> None:
        self.rests_on = dict.fromkeys(system.states, ON_STATES) | {"t": ON_TIME}
        self.found: dict[tuple[str, Expression, Expression], str] = {}
        self.equations: dict[str, str] = {}

    def equation(self, name: str, tree: Expression) -> Expression:
        tree, self.rests_on[name] = self.rewritten(tree, name)
        return tree

    def rewritten(self, tree: Expression, equation: str) -> tuple[Expression, int]:
        """The tree, and what it rests on, as bits."""
        if not isinstance(tree, Call):
            return tree, self.rests_on.get(tree.name, 0) if isinstance(tree, Name) else 0
        pairs = [self.rewritten(argument, equation) for argument in tree.arguments]
        arguments, bits = tuple(argument for argument, _ in pairs), 0
        for _, of_argument in pairs:
            bits |= of_argument
        if bits == ON_TIME:
            if tree.operation in COMPARISONS:
                return self.holds(tree.operation, arguments[0], arguments[1], equation), bits
            if tree.operation == "abs":
                negative = self.holds("<", arguments[0], Number(0.0), equation)
                return Call("*", (Call("ifelse", (negative, Number(-1.0), Number(1.0))), arguments[0])), bits
            if tree.operation in ("min", "max"):
                return self.extreme("<" if tree.operation == "min" else ">", arguments, equation), bits
        return Call(tree.operation, arguments, tree.at), bits

    def extreme(self, operation: str, arguments: tuple[Expression, ...], equation: str) -> Expression:
        """min or max, the first of equals. Pairs of constants have conditions of their own: they never change."""
        result = arguments[0]
        for other in arguments[1:]:
            result = Call("ifelse", (self.holds(operation, other, result, equation), other, result))
        return result

    def holds(self, operation: str, left: Expression, right: Expression, equation: str) -> Expression:
        """Whether a condition holds: a comparison of its parameter with a half."""
        key = operation, left, right
        if key not in self.found:
            switch = f"condition {len(self.found) + 1}"
            self.found[key], self.equations[switch], self.rests_on[switch] = switch, equation, ON_TIME
        return Call(">", (Name(self.found[key]), HALF))
