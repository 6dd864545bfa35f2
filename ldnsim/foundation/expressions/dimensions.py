"""The dimension of every term of an equation, and where they disagree."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from ldnsim.foundation.errors import Fault
from ldnsim.foundation.expressions.tree import Call, Expression, Name, Number
from ldnsim.foundation.units import DIMENSIONLESS, Dimension

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["infer"]

LARGEST_POWER = 9
FINEST_POWER = 12  # powers of units are twelfths at the finest


class Wanted(NamedTuple):
    """The dimension that a term must have, and why."""

    dimension: Dimension
    why: str


def infer(
    expression: Expression, dimensions: Mapping[str, Dimension], wanted: tuple[Dimension, str] | None = None
) -> tuple[Dimension | None, list[Fault]]:
    """The expression's dimension and every place where dimensions disagree, each term of a sum on its own.

    `wanted` is the dimension that the whole must have, and why. None stands for "fits anything": the literal 0, names
    whose dimension is not known, and terms that are faulty themselves, so that one slip is told once.
    """
    inference = _Inference(dimensions)
    return inference.fit(expression, Wanted(*wanted) if wanted else None), inference.faults


class _Inference:
    def __init__(self, dimensions: Mapping[str, Dimension]) -> None:
        self.dimensions = dimensions
        self.faults: list[Fault] = []

    def fault(self, message: str, node: Expression, expected: str) -> None:
        self.faults.append(Fault(message, offset=node.at, expected=expected))

    def fit(self, node: Expression, wanted: Wanted | None) -> Dimension | None:
        """The dimension of a term; told where it is not the one wanted, which it then counts as."""
        found = self.visit(node, wanted)
        if wanted is None:
            return found
        if found not in (None, wanted.dimension):
            self.fault(f"this term has {_unit(found)}", node, f"{_unit(wanted.dimension)}, {wanted.why}")
        return wanted.dimension

    def alike(self, nodes: tuple[Expression, ...], wanted: Wanted | None, why: str) -> Dimension | None:
        """The dimension that all nodes share: the one wanted, else that of the first which has any."""
        for node in nodes:
            found = self.fit(node, wanted)
            if wanted is None and found is not None:
                wanted = Wanted(found, why)
        return wanted.dimension if wanted else None

    def visit(self, node: Expression, wanted: Wanted | None) -> Dimension | None:
        if isinstance(node, Number):
            return None if node.value == 0 else DIMENSIONLESS
        if isinstance(node, Name):
            return self.dimensions.get(node.name)
        arguments, operation = node.arguments, node.operation
        if operation in ("+", "-"):
            return self.alike(_terms(node), wanted, "as the first term")
        if operation in ("min", "max"):
            return self.alike(arguments, wanted, "as the first of them")
        if operation in ("neg", "abs"):
            return self.visit(arguments[0], wanted)
        if operation == "ifelse":
            self.visit(arguments[0], None)
            return self.alike(arguments[1:], wanted, "as the first case")
        if operation in ("<", "<=", ">", ">="):
            return self.alike(arguments, None, "as the other side")
        return self.product(node) if operation in ("*", "/", "**", "sqrt") else self.number(node)

    def product(self, node: Call) -> Dimension | None:
        if node.operation == "**":
            return self.power(node)
        first = self.visit(node.arguments[0], None)
        if node.operation == "sqrt":
            return None if first is None else first.to_the(Fraction(1, 2))
        second = self.visit(node.arguments[1], None)
        sign = 1 if node.operation == "*" else -1
        return None if first is None or second is None else first.times(second, sign)

    def number(self, node: Call) -> Dimension:
        self.fit(node.arguments[0], Wanted(DIMENSIONLESS, f"as the argument of {node.operation} has"))
        return DIMENSIONLESS

    def power(self, node: Call) -> Dimension | None:
        base, exponent = node.arguments
        self.fit(exponent, Wanted(DIMENSIONLESS, "as an exponent has"))
        dimension = self.visit(base, None)
        if dimension is None or dimension == DIMENSIONLESS:
            return dimension
        power = _literal(exponent)
        if power is None or abs(power) > LARGEST_POWER:
            what = "a base without unit, or a number as exponent"
            self.fault(
                f"a power of something that has {_unit(dimension)}",
                node,
                what if power is None else f"at most ^{LARGEST_POWER}",
            )
            return None
        rational = Fraction(power).limit_denominator(FINEST_POWER)
        if abs(float(rational) - power) > 1e-9:
            self.fault(
                f"the unit of this would be ({dimension})^{power:g}",
                node,
                "a base without unit: divide it by a constant of its unit",
            )
            return None
        return dimension.to_the(rational)


def _terms(node: Expression) -> tuple[Expression, ...]:
    """a + b - c as (a, b, c)."""
    terms: list[Expression] = []
    while isinstance(node, Call) and node.operation in ("+", "-"):
        terms.append(node.arguments[1])
        node = node.arguments[0]
    return (node, *reversed(terms))


def _literal(expression: Expression) -> float | None:
    """The value of an exponent written in numbers, such as 2, -1 or (1/3); None for anything else."""
    match expression:
        case Number(value):
            return value
        case Call("neg", (inner,)):
            found = _literal(inner)
            return None if found is None else -found
        case Call("/", (Number(above), Number(below))) if below:
            return above / below
    return None


def _unit(dimension: Dimension | None) -> str:
    return "no unit" if dimension in (None, DIMENSIONLESS) else f"the unit {dimension}"
