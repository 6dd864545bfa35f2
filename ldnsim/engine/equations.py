"""A system as Python functions of plain floats: the slow and readable way to evaluate it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldnsim.foundation.expressions import Call, Expression, Name, Number, names_in, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ldnsim.model.system import System

__all__ = ["comparison_function", "derivative_function", "output_function"]

DAY = 24.0
# `math.pow` and not `**`: a negative base must fail, not turn complex
CALLS = {
    "exp": "exp",
    "log": "log",
    "log10": "log10",
    "sqrt": "sqrt",
    "sin": "sin",
    "cos": "cos",
    "tanh": "tanh",
    "abs": "abs",
    "min": "min",
    "max": "max",
    "**": "pow",
}
NAMESPACE = {name: getattr(math, name) for name in ("exp", "log", "log10", "sqrt", "sin", "cos", "tanh", "pow")}
NAMESPACE |= {"abs": abs, "min": min, "max": max, "__builtins__": {}}


def derivative_function(system: System) -> Callable[[float, Sequence[float], Sequence[float]], list[float]]:
    """f(t, states, parameters) -> d/dt of the states. Times in h."""
    return _compile(system, system.derivatives)


def output_function(
    system: System, names: Iterable[str]
) -> Callable[[float, Sequence[float], Sequence[float]], list[float]]:
    """f(t, states, parameters) -> the exported names asked for."""
    return _compile(system, [Name(system.exports[name]) for name in names])


def comparison_function(system: System) -> Callable[[float, Sequence[float], Sequence[float]], list[float]] | None:
    """f(t, states, parameters) -> the difference of the two sides of each comparison on states; None without any."""
    rests = set(system.states)
    trees = []
    for name, expression in _needed(system, system.derivatives):
        if names_in(expression) & rests:
            rests.add(name)
        trees.append(expression)
    sides = [
        part.arguments
        for tree in (*trees, *system.derivatives)
        for part in walk(tree)
        if isinstance(part, Call) and part.operation in ("<", "<=", ">", ">=") and names_in(part) & rests
    ]
    return _compile(system, [Call("-", pair) for pair in dict.fromkeys(sides)]) if sides else None


def _compile(
    system: System, results: Iterable[Expression]
) -> Callable[[float, Sequence[float], Sequence[float]], list[float]]:
    results = list(results)
    code = {name: f"y[{index}]" for index, name in enumerate(system.states)}
    code |= {name: f"p[{index}]" for index, name in enumerate(system.parameters)}
    code |= {"t": "t", "day": repr(DAY), "pi": repr(math.pi)}
    lines = []
    for number, (name, expression) in enumerate(_needed(system, results)):
        lines.append(f"    v{number} = {_text(expression, code)}")
        code[name] = f"v{number}"
    lines.append(f"    return [{', '.join(_text(result, code) for result in results)}]")
    source = "def function(t, y, p):\n" + "\n".join(lines)
    scope: dict[str, object] = dict(NAMESPACE)
    exec(compile(source, "<system>", "exec"), scope)  # noqa: S102 - made from whitelisted trees only, never from file text
    return scope["function"]  # type: ignore[return-value]


def _needed(system: System, results: Iterable[Expression]) -> list[tuple[str, Expression]]:
    """The assignments that the results rest on, in computing order."""
    wanted = {name for result in results for name in names_in(result)}
    kept = []
    for name, expression in reversed(system.assignments):
        if name in wanted:
            kept.append((name, expression))
            wanted |= names_in(expression)
    return kept[::-1]


def _text(expression: Expression, code: dict[str, str]) -> str:
    match expression:
        case Number(value):
            return f"({value!r})"
        case Name(name):
            return code[name]
        case Call("neg", (argument,)):
            return f"(-{_text(argument, code)})"
        case Call("ifelse", (condition, then, otherwise)):
            return f"({_text(then, code)} if {_text(condition, code)} else {_text(otherwise, code)})"
        case Call(operation, arguments) if operation in CALLS:
            return f"{CALLS[operation]}({', '.join(_text(argument, code) for argument in arguments)})"
        case Call(operation, (left, right)):
            return f"({_text(left, code)} {operation} {_text(right, code)})"
    raise TypeError(expression)
