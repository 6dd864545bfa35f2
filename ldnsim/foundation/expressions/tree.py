"""What an equation becomes once it is read: a tree of numbers, names and known operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from ldnsim.foundation.units import DIMENSIONLESS, Dimension

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "BUILT_IN",
    "FUNCTIONS",
    "Call",
    "Equation",
    "Expression",
    "LineColumn",
    "Name",
    "Number",
    "names_in",
    "rename",
    "walk",
]

# function -> number of arguments (None: two or more)
FUNCTIONS: dict[str, int | None] = {
    **dict.fromkeys(("exp", "log", "log10", "sqrt", "sin", "cos", "tanh", "abs"), 1),
    **dict.fromkeys(("min", "max"), None),
    "ifelse": 3,
}
# names that every equation may use: hours since midnight of day 1, the length of a day, pi
BUILT_IN: dict[str, Dimension] = {
    "t": Dimension(time=Fraction(1)),
    "day": Dimension(time=Fraction(1)),
    "pi": DIMENSIONLESS,
}

LineColumn = tuple[int, int]  # line and column inside the text, both from 0


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    at: LineColumn = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    at: LineColumn = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """An operation on expressions: one of `+ - * / ** neg < <= > >=` or a name in FUNCTIONS."""

    operation: str
    arguments: tuple[Expression, ...]
    at: LineColumn = field(default=(0, 0), compare=False)


Expression = Number | Name | Call


@dataclass(frozen=True, slots=True)
class Equation:
    """`d/dt(target) = expression` or `target = expression`; `text` is what was written, without its comment."""

    target: str
    is_derivative: bool
    expression: Expression
    text: str
    comment: str
    at: LineColumn


def names_in(expression: Expression) -> frozenset[str]:
    """Every name that the expression uses, built-in ones included."""
    return frozenset(node.name for node in walk(expression) if isinstance(node, Name))


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all its parts, in the order in which they are written."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, Call):
            waiting.extend(reversed(node.arguments))


def rename(expression: Expression, names: Mapping[str, str]) -> Expression:
    """The expression with names replaced; names that the mapping lacks stay."""
    match expression:
        case Name(name, at):
            return Name(names.get(name, name), at)
        case Call(operation, arguments, at):
            return Call(operation, tuple(rename(argument, names) for argument in arguments), at)
    return expression
