"""Equations as text -> a tree of names, numbers and known operations, and the dimensions of every term.

This is the only door between file text and anything that runs: what is not on the whitelist here does not exist
further in. Text is read by Python's own parser into a syntax tree and never evaluated.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from ldnsim.errors import Fault, LdnsimError, nearest
from ldnsim.units import DIMENSIONLESS, Dimension

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["BUILT_IN", "FUNCTIONS", "Call", "Equation", "Expression", "Name", "Number", "infer", "names_in", "parse_equations", "rename"]

# function -> number of arguments (None: two or more)
FUNCTIONS: dict[str, int | None] = {
    "exp": 1, "log": 1, "log10": 1, "sqrt": 1, "sin": 1, "cos": 1, "tanh": 1, "abs": 1, "min": None, "max": None, "ifelse": 3,
}  # fmt: skip
# names that every equation may use: hours since midnight of day 1, the length of a day, pi
BUILT_IN: dict[str, Dimension] = {"t": Dimension(time=Fraction(1)), "day": Dimension(time=Fraction(1)), "pi": DIMENSIONLESS}
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
GRAMMAR = "numbers, names, + - * / ^, parentheses, " + ", ".join(f"{name}()" for name in FUNCTIONS)

MOST_CHARACTERS = 20_000
MOST_CHARACTERS_A_LINE = 2_000
DEEPEST = 120

TARGET = re.compile(r"(?:d/dt\(\s*(?P<state>[A-Za-z]\w*)\s*\)|(?P<name>[A-Za-z]\w*))\s*=(?!=)")

Place = tuple[int, int]  # line and column inside the text, both from 0


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    at: Place = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    at: Place = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """An operation on expressions: one of `+ - * / ** neg < <= > >=` or a name in FUNCTIONS."""

    operation: str
    arguments: tuple[Expression, ...]
    at: Place = field(default=(0, 0), compare=False)


Expression = Number | Name | Call


@dataclass(frozen=True, slots=True)
class Equation:
    """`d/dt(target) = expression` or `target = expression`; `text` is the line as written, without its comment."""

    target: str
    is_derivative: bool
    expression: Expression
    text: str
    comment: str
    at: Place


class ExpressionFault(Exception):
    def __init__(self, message: str, at: Place, expected: str = "", nearest: str = "") -> None:
        super().__init__(message)
        self.fault = Fault(message, offset=at, expected=expected, nearest=nearest)


def parse_equations(text: str) -> tuple[Equation, ...]:
    """Equations from a block of lines. Raises LdnsimError with every fault; `offset` of each is the place in `text`."""
    if len(text) > MOST_CHARACTERS:
        raise LdnsimError(f"equations of {len(text)} characters: at most {MOST_CHARACTERS} are read")
    equations, faults = [], []
    for row, chunk in _statements(text):
        try:
            equations.append(_parse_equation(row, chunk))
        except ExpressionFault as caught:
            faults.append(caught.fault)
    if faults:
        raise LdnsimError(faults)
    return tuple(equations)


def names_in(expression: Expression) -> frozenset[str]:
    """Every name that the expression uses, built-in ones included."""
    return frozenset(node.name for node in walk(expression) if isinstance(node, Name))


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all its parts, from the outside in."""
    yield expression
    if isinstance(expression, Call):
        for argument in expression.arguments:
            yield from walk(argument)


def rename(expression: Expression, names: Mapping[str, str]) -> Expression:
    """The expression with names replaced; names that the mapping lacks stay."""
    match expression:
        case Name(name, at):
            return Name(names.get(name, name), at)
        case Call(operation, arguments, at):
            return Call(operation, tuple(rename(argument, names) for argument in arguments), at)
    return expression


# --- dimensions


def infer(expression: Expression, dimensions: Mapping[str, Dimension]) -> tuple[Dimension | None, list[Fault]]:
    """The expression's dimension and every place where dimensions disagree.

    None stands for "fits anything": the literal 0, and terms that are faulty themselves, so that one slip is told once.
    """
    faults: list[Fault] = []

    def fault(message: str, node: Expression, expected: str = "") -> None:
        faults.append(Fault(message, offset=node.at, expected=expected))

    def same(nodes: tuple[Expression, ...], found: list[Dimension | None], what: str) -> Dimension | None:
        known = [(node, dimension) for node, dimension in zip(nodes, found, strict=True) if dimension is not None]
        for node, dimension in known[1:]:
            if dimension != known[0][1]:
                fault(f"{what} of unlike units: this term is {dimension}", node, f"{known[0][1]}, as the first term")
                return None
        return known[0][1] if known else None

    def plain(node: Expression, dimension: Dimension | None, what: str) -> None:
        if dimension not in (None, DIMENSIONLESS):
            fault(f"{what} has the unit {dimension}", node, "a number without unit")

    def visit(node: Expression) -> Dimension | None:
        if isinstance(node, Number):
            return None if node.value == 0 else DIMENSIONLESS
        if isinstance(node, Name):
            return dimensions.get(node.name)
        found = [visit(argument) for argument in node.arguments]
        first = found[0]
        match node.operation:
            case "+" | "-":
                return same(node.arguments, found, {"+": "sum", "-": "difference"}[node.operation])
            case "neg" | "abs":
                return first
            case "min" | "max" | "<" | "<=" | ">" | ">=":
                return same(node.arguments, found, node.operation)
            case "*" | "/":
                sign = 1 if node.operation == "*" else -1
                return None if first is None or found[1] is None else first.times(found[1], sign)
            case "**":
                plain(node.arguments[1], found[1], "an exponent")
                return _power(first, node, fault)
            case "ifelse":
                return same(node.arguments[1:], found[1:], "ifelse")
            case "sqrt":
                return None if first is None else first.to_the(Fraction(1, 2))
        plain(node.arguments[0], first, f"the argument of {node.operation}")
        return DIMENSIONLESS

    return visit(expression), faults


def _power(base: Dimension | None, node: Call, fault: Callable[..., None]) -> Dimension | None:
    exponent = literal(node.arguments[1])
    if base in (None, DIMENSIONLESS):
        return base
    if exponent is None:
        fault(f"a base with the unit {base} needs a literal exponent", node, "a base without unit, or a number as exponent")
        return None
    return base.to_the(Fraction(exponent).limit_denominator(12))


def literal(expression: Expression) -> float | None:
    """The value of a number, or of a number with a sign; None for anything else."""
    match expression:
        case Number(value):
            return value
        case Call("neg", (Number(value),)):
            return -value
    return None


# --- reading


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """(first line, text) of each statement; one goes on over lines while a parenthesis is open."""
    row, held = 0, ""
    for number, line in enumerate(text.splitlines()):
        if not held:
            row = number
        held = f"{held}\n{line}" if held else line
        code = re.sub(r"#.*", "", held)
        if code.count("(") > code.count(")"):
            continue
        if code.strip():
            yield row, held
        held = ""
    if held.strip():
        yield row, held


def _parse_equation(row: int, chunk: str) -> Equation:
    # Comments become blanks of the same length, so that columns stay what they are in the file.
    comment = " ".join(match[1:].strip() for match in re.findall(r"#[^\n]*", chunk))
    code = re.sub(r"#[^\n]*", lambda match: " " * len(match[0]), chunk)
    start = len(code) - len(code.lstrip())
    if len(code) > MOST_CHARACTERS_A_LINE:
        raise ExpressionFault(f"an equation of {len(code)} characters", (row, 0), f"at most {MOST_CHARACTERS_A_LINE}")
    if not code.isascii():
        column = next(index for index, character in enumerate(code) if not character.isascii())
        raise ExpressionFault(f"the character {code[column]!r} in an equation", (row, column), GRAMMAR)
    target = TARGET.match(code, start)
    if target is None:
        raise ExpressionFault(f"{code.strip()[:60]!r} is no equation", (row, start), "'d/dt(state) = ...' or 'name = ...'")
    expression = _parse_expression(code[target.end() :], row, target.end())
    name = target["state"] or target["name"]
    return Equation(name, target["state"] is not None, expression, " ".join(code.split()), comment, (row, start))


def _parse_expression(code: str, row: int, column: int) -> Expression:
    lead = len(code) - len(code.lstrip(" \t"))
    code, column = code[lead:], column + lead
    if not code.strip():
        raise ExpressionFault("nothing stands after '='", (row, column), "an expression")
    # '^' becomes Python's '**'; `shift` says how many columns each of them added
    pieces = code.split("^")
    shifts = [sum(len(piece) + 2 for piece in pieces[: index + 1]) - 1 for index in range(len(pieces) - 1)]

    def place(line: int, offset: int) -> Place:
        if line == 1:
            return row, column + offset - sum(shift <= offset for shift in shifts)
        return row + line - 1, offset

    try:
        tree = ast.parse(code.replace("^", "**").rstrip(), mode="eval")
    except SyntaxError as caught:
        at = place(caught.lineno or 1, max(0, (caught.offset or 1) - 1))
        raise ExpressionFault("the equation cannot be read here", at, GRAMMAR) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionFault("the equation is nested too deeply", (row, column), f"at most {DEEPEST} levels") from None
    return _convert(tree.body, place, 0)


def _convert(node: ast.expr, place: Callable[[int, int], Place], depth: int) -> Expression:
    at = place(node.lineno, node.col_offset)
    if depth > DEEPEST:
        raise ExpressionFault("the equation is nested too deeply", at, f"at most {DEEPEST} levels")

    def inner(*nodes: ast.expr) -> tuple[Expression, ...]:
        return tuple(_convert(child, place, depth + 1) for child in nodes)

    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as value):
            number = _finite(value)
            if number is None:
                raise ExpressionFault("this number is not finite", at, "a finite number")
            return Number(number, at)
        case ast.Name(id=name):
            return Name(name, at)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return inner(operand)[0]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Call("neg", inner(operand), at)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
            return Call(OPERATORS[type(operator)], inner(left, right), at)
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
            return _convert_call(function, arguments, place, depth, at)
    raise ExpressionFault(f"{ast.unparse(node)[:40]!r} is not allowed in an equation", at, GRAMMAR)


def _convert_call(function: str, arguments: list[ast.expr], place: Callable[[int, int], Place], depth: int, at: Place) -> Expression:
    if function not in FUNCTIONS:
        raise ExpressionFault(f"unknown function {function!r}", at, ", ".join(FUNCTIONS), nearest(function, FUNCTIONS))
    wanted = FUNCTIONS[function]
    if len(arguments) != wanted and (wanted is not None or len(arguments) < 2):
        raise ExpressionFault(f"{function} has {len(arguments)} arguments", at, str(wanted or "two or more"))
    if function != "ifelse":
        return Call(function, tuple(_convert(argument, place, depth + 1) for argument in arguments), at)
    match arguments[0]:
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in COMPARISONS:
            sides = tuple(_convert(side, place, depth + 1) for side in (left, right))
            condition = Call(COMPARISONS[type(operator)], sides, at)
            return Call("ifelse", (condition, *(_convert(argument, place, depth + 1) for argument in arguments[1:])), at)
    raise ExpressionFault("the first argument of ifelse is no comparison", at, "ifelse(a < b, then, otherwise)")


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
