"""Equations as one graph in which every expression stands once.

Trees become numbered nodes; the same operation on the same nodes is the same node, so common subexpressions are found
by construction. Only literals of the text are folded, never values: a person's bits do not depend on which numbers are
"constant" in a run. Division becomes multiplication with a reciprocal that all quotients share.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldnsim.foundation.expressions import Expression, Name, Number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ldnsim.model.system import System

__all__ = ["COMPARISONS", "ON_STATES", "ON_TIME", "Graph", "Node", "named_nodes", "system_graph"]

DAY = 24.0
LARGEST_EXPANDED_POWER = 32
ON_TIME, ON_STATES = 1, 2  # what a node depends on, as bits; 0: on parameters only

Node = int  # a place in Graph.nodes; arguments always stand before what uses them

UNARY = {"exp": math.exp, "log": math.log, "log10": math.log10, "sqrt": math.sqrt, "sin": math.sin, "cos": math.cos,
         "tanh": math.tanh, "abs": abs}  # fmt: skip
COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


class Graph:
    """Nodes are tuples: ("num", value), ("t",), ("p", i), ("y", i), ("row", name, i), or (operation, node, ...)."""

    def __init__(self) -> None:
        self.nodes: list[tuple] = []  # type: ignore[type-arg]
        self.depends: list[int] = []
        self._known: dict[tuple, Node] = {}  # type: ignore[type-arg]

    def node(self, *key: object) -> Node:
        # 0.0 and -0.0 are equal as keys but not as numbers
        look = ("num", repr(key[1])) if key[0] == "num" else key
        found = self._known.get(look)
        if found is None:
            found = self._known[look] = len(self.nodes)
            self.nodes.append(key)
            self.depends.append(self._dependence(key))
        return found

    def _dependence(self, key: tuple) -> int:  # type: ignore[type-arg]
        match key[0]:
            case "num" | "p":
                return 0
            case "t":
                return ON_TIME
            case "y" | "row":
                return ON_TIME | ON_STATES
        bits = 0
        for argument in key[1:]:
            bits |= self.depends[argument]
        return bits

    def arguments(self, node: Node) -> tuple[Node, ...]:
        key = self.nodes[node]
        return () if key[0] in ("num", "t", "p", "y", "row") else key[1:]

    def value(self, node: Node) -> float | None:
        """The number of a literal; None for anything else."""
        key = self.nodes[node]
        return key[1] if key[0] == "num" else None

    def reached(self, roots: Iterable[Node], known: Iterable[Node] = ()) -> list[Node]:
        """All nodes that the roots rest on, in computing order, without those already known and what only they need."""
        stop = set(known)
        wanted = {root for root in roots if root not in stop}
        for node in range(max(wanted, default=-1), -1, -1):
            if node in wanted:
                wanted.update(argument for argument in self.arguments(node) if argument not in stop)
        return sorted(wanted)

    # --- operations

    def num(self, value: float) -> Node:
        return self.node("num", float(value))

    def add(self, a: Node, b: Node) -> Node:
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.num(x + y)
        if x == 0:
            return b
        if y == 0:
            return a
        if self.nodes[b][0] == "neg":
            return self.sub(a, self.nodes[b][1])
        if self.nodes[a][0] == "neg":
            return self.sub(b, self.nodes[a][1])
        return self.node("add", min(a, b), max(a, b))

    def sub(self, a: Node, b: Node) -> Node:
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.num(x - y)
        if y == 0:
            return a
        if x == 0:
            return self.neg(b)
        if self.nodes[b][0] == "neg":
            return self.add(a, self.nodes[b][1])
        return self.node("sub", a, b)

    def neg(self, a: Node) -> Node:
        x = self.value(a)
        if x is not None:
            return self.num(-x)
        return self.nodes[a][1] if self.nodes[a][0] == "neg" else self.node("neg", a)

    def mul(self, a: Node, b: Node) -> Node:
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.num(x * y)
        for number, other in ((x, b), (y, a)):
            if number == 1:
                return other
            if number == -1:
                return self.neg(other)
        negative = (self.nodes[a][0] == "neg") + (self.nodes[b][0] == "neg")
        if negative:
            a, b = (self.nodes[n][1] if self.nodes[n][0] == "neg" else n for n in (a, b))
            return self.neg(self.mul(a, b)) if negative == 1 else self.mul(a, b)
        return self.node("mul", min(a, b), max(a, b))

    def reciprocal(self, a: Node) -> Node:
        x = self.value(a)
        if x:
            return self.num(1 / x)
        if self.nodes[a][0] == "reciprocal":
            return self.node("reciprocal", a)
        if self.nodes[a][0] == "neg":
            return self.neg(self.reciprocal(self.nodes[a][1]))
        return self.node("reciprocal", a)

    def div(self, a: Node, b: Node) -> Node:
        x, y = self.value(a), self.value(b)
        if x is not None and y:
            return self.num(x / y)
        return self.mul(a, self.reciprocal(b))

    def power(self, a: Node, b: Node) -> Node:
        """a**b; literal whole and half exponents become multiplications and roots."""
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self._folded(math.pow, (x, y), ("pow", a, b))
        if y is None or y * 2 != round(y * 2) or abs(y) > LARGEST_EXPANDED_POWER:
            return self.node("pow", a, b)
        size = abs(y)
        result = self.num(1)
        if size != int(size):
            result = self.function("sqrt", a)
        square, count = a, int(size)
        while count:
            if count & 1:
                result = self.mul(result, square)
            count >>= 1
            if count:
                square = self.mul(square, square)
        return result if y >= 0 else self.reciprocal(result)

    def function(self, name: str, a: Node) -> Node:
        x = self.value(a)
        return self.node(name, a) if x is None else self._folded(UNARY[name], (x,), (name, a))

    def extreme(self, name: str, a: Node, b: Node) -> Node:
        """min or max: the second argument where neither is smaller (larger)."""
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.num(min(x, y) if name == "min" else max(x, y))
        return self.node(name, a, b)

    def select(self, condition: Node, then: Node, otherwise: Node) -> Node:
        return then if then == otherwise else self.node("select", condition, then, otherwise)

    def _folded(self, function, numbers: Sequence[float], key: tuple) -> Node:  # type: ignore[no-untyped-def, type-arg]
        """The number, or the operation itself where it has no value: it is then NaN or infinite at run time."""
        try:
            return self.num(function(*numbers))
        except (ArithmeticError, ValueError):
            return self.node(*key)

    # --- expressions

    def expression(self, tree: Expression, names: dict[str, Node]) -> Node:  # noqa: PLR0911 - a case per operation
        match tree:
            case Number(value):
                return self.num(value)
            case Name(name):
                return names[name]
        operation = tree.operation
        nodes = [self.expression(argument, names) for argument in tree.arguments]
        match operation:
            case "+":
                return self.add(*nodes)
            case "-":
                return self.sub(*nodes)
            case "*":
                return self.mul(*nodes)
            case "/":
                return self.div(*nodes)
            case "**":
                return self.power(*nodes)
            case "neg":
                return self.neg(*nodes)
            case "ifelse":
                return self.select(*nodes)
            case "min" | "max":
                result = nodes[0]
                for other in nodes[1:]:
                    result = self.extreme(operation, other, result)  # Python keeps the first of equals
                return result
        if operation in COMPARISONS:
            return self.node(COMPARISONS[operation], *nodes)
        return self.function(operation, *nodes)


def system_graph(system: System, outputs: Sequence[str]) -> tuple[Graph, list[Node], list[Node]]:
    """The graph of a system, the nodes of its derivatives and those of the exported names asked for."""
    graph, names = named_nodes(system)
    slopes = [graph.expression(expression, names) for expression in system.derivatives]
    return graph, slopes, [names[system.exports[name]] for name in outputs]


def named_nodes(system: System) -> tuple[Graph, dict[str, Node]]:
    """The graph of a system's assignments, and the node of each name."""
    graph = Graph()
    names = {name: graph.node("y", index) for index, name in enumerate(system.states)}
    names |= {name: graph.node("p", index) for index, name in enumerate(system.parameters)}
    names |= {"t": graph.node("t"), "day": graph.num(DAY), "pi": graph.num(math.pi)}
    for name, expression in system.assignments:
        names[name] = graph.expression(expression, names)
    return graph, names
