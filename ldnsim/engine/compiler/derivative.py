"""Exact derivatives on the graph: the sparse Jacobian of the equations, and their change with time alone.

Forward through the graph, each node carries its gradient as {variable: node}; what is not in it is zero. Kinks (min,
max, abs, ifelse) have the derivative of the branch taken. Where a power or a root has no finite slope, at zero, the
slope is given as 0: the method stays consistent, its error estimate takes care of the rest.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.engine.compiler.graph import Graph, Node

__all__ = ["TIME", "gradients"]

TIME = -1  # the variable t; states are 0, 1, ...
Gradient = dict[int, "Node"]


def gradients(graph: Graph, roots: Sequence[Node]) -> list[Gradient]:
    """For each root {state index or TIME: node of the partial derivative}."""
    known: dict[Node, Gradient] = {}
    for node in graph.reached(roots):
        known[node] = _gradient(graph, node, known)
    return [known[root] for root in roots]


def _gradient(graph: Graph, node: Node, known: dict[Node, Gradient]) -> Gradient:
    operation, *arguments = graph.nodes[node]
    match operation:
        case "t":
            return {TIME: graph.num(1)}
        case "y":
            return {arguments[0]: graph.num(1)}
        case "num" | "p" | "row" | "lt" | "le" | "gt" | "ge" | "eq":
            return {}
        case "select":
            condition, then, otherwise = arguments
            return _either(graph, condition, known[then], known[otherwise])
        case "min" | "max":
            first, second = arguments
            condition = graph.node("lt" if operation == "min" else "gt", first, second)
            return _either(graph, condition, known[first], known[second])
    total: Gradient = {}
    for position, argument in enumerate(arguments):
        if inner := known[argument]:
            slope = _slope(graph, node, operation, arguments, position)
            for variable, change in inner.items():
                part = graph.mul(slope, change)
                total[variable] = graph.add(total[variable], part) if variable in total else part
    return total


def _either(graph: Graph, condition: Node, then: Gradient, otherwise: Gradient) -> Gradient:
    zero = graph.num(0)
    return {
        v: graph.select(condition, then.get(v, zero), otherwise.get(v, zero))
        for v in sorted(then.keys() | otherwise.keys())
    }


def _slope(  # noqa: C901, PLR0911, PLR0912 - a case per operation
    graph: Graph, node: Node, operation: str, arguments: list[Node], position: int
) -> Node:
    """The derivative of an operation by one of its arguments."""
    a = arguments[0]
    one, zero = graph.num(1), graph.num(0)
    match operation:
        case "add":
            return one
        case "sub":
            return one if position == 0 else graph.num(-1)
        case "neg":
            return graph.num(-1)
        case "mul":
            return arguments[1 - position]
        case "reciprocal":
            return graph.neg(graph.mul(node, node))
        case "exp":
            return node
        case "log":
            return graph.reciprocal(a)
        case "log10":
            return graph.mul(graph.num(1 / math.log(10)), graph.reciprocal(a))
        case "sqrt":
            half = graph.mul(graph.num(0.5), graph.reciprocal(node))
            return graph.select(graph.node("eq", a, zero), zero, half)
        case "sin":
            return graph.function("cos", a)
        case "cos":
            return graph.neg(graph.function("sin", a))
        case "tanh":
            return graph.sub(one, graph.mul(node, node))
        case "abs":
            return graph.select(graph.node("lt", a, zero), graph.num(-1), one)
        case "pow":
            return _slope_of_power(graph, node, a, arguments[1], position)
    raise ValueError(operation)


def _slope_of_power(graph: Graph, node: Node, base: Node, exponent: Node, position: int) -> Node:
    one, zero = graph.num(1), graph.num(0)
    if position == 1:
        return graph.select(graph.node("gt", base, zero), graph.mul(node, graph.function("log", base)), zero)
    # exponent * base**exponent / base reuses the power; at base = 0 that would be 0/0
    at_zero = graph.select(graph.node("eq", exponent, one), one, zero)
    slope = graph.mul(graph.mul(exponent, node), graph.reciprocal(base))
    return graph.select(graph.node("eq", base, zero), at_zero, slope)
