"""Text -> equations: statements into trees.

Precedence is that of Python (`-a^b` is `-(a^b)`, `a^b^c` is `a^(b^c)`); `^` and `**` are the same.
"""

from __future__ import annotations

import math
import operator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, clipped, nearest
from ldnsim.foundation.expressions.tokens import (
    NAME,
    TARGET,
    EquationError,
    Token,
    statements,
    tokens,
    unknown_character,
)
from ldnsim.foundation.expressions.tree import BUILT_IN, FUNCTIONS, Call, Equation, Expression, LineColumn, Name, Number

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ReadEquations", "parse_equations", "read_equations"]

MOST_CHARACTERS = 20_000
MOST_CHARACTERS_AN_EQUATION = 2_000
MOST_EQUATIONS = 500
DEEPEST = 90  # operations within one another: compiled as nested parentheses, of which Python takes 200
MOST_OPEN = 50  # parentheses, signs and powers that the reader is inside of at one time
LONGEST_NAME = 60

COMPARISONS = ("<", "<=", ">", ">=")
ARITHMETIC: dict[str, Callable[..., float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": math.pow, "neg": operator.neg,
}  # fmt: skip
LEVELS = "levels; name a part of it in a line of its own"
END = "the end of the equation"
# what other languages call it
OTHER_NAMES = {"ln": "log", "pow": "^", "power": "^", "if": "ifelse", "where": "ifelse", "fabs": "abs"}


class ReadEquations(NamedTuple):
    """What could be read; `lost` are the names that unreadable equations may have defined."""

    equations: tuple[Equation, ...]
    faults: tuple[Fault, ...]
    lost: frozenset[str]


def parse_equations(text: str) -> tuple[Equation, ...]:
    """Equations from a block of lines. Raises LdnsimError with every fault; `offset` of each is the place in `text`."""
    equations, faults, _ = read_equations(text)
    if faults:
        raise LdnsimError(faults)
    return equations


def read_equations(text: str) -> ReadEquations:
    """Equations from a block of lines, and the faults of those that cannot be read."""
    if len(text) > MOST_CHARACTERS:
        fault = Fault(f"equations of {len(text)} characters", expected=f"at most {MOST_CHARACTERS}")
        return ReadEquations((), (fault,), frozenset(NAME.findall(text)))
    equations: list[Equation] = []
    faults: list[Fault] = []
    lost: set[str] = set()
    for lines in statements(text):
        if len(equations) + len(faults) >= MOST_EQUATIONS or len(faults) >= MOST_FAULTS:
            faults.append(Fault("too many equations", offset=(lines[0][0], 0), expected=f"at most {MOST_EQUATIONS}"))
            lost.update(NAME.findall(text))
            break
        try:
            equations.append(_equation(lines))
        except EquationError as caught:
            faults.append(caught.fault)
            lost.update(NAME.findall(lines[0][1].partition("#")[0].partition("=")[0]))
    return ReadEquations(tuple(equations), tuple(faults), frozenset(lost))


def _equation(lines: list[tuple[int, str]]) -> Equation:
    pairs = [(row, *line.partition("#")[::2]) for row, line in lines]
    row, first, _ = pairs[0]
    start = (row, len(first) - len(first.lstrip()))
    text = " ".join(" ".join(code for _, code, _ in pairs).split())
    comment = " ".join(note.strip() for _, _, note in pairs if note.strip())
    if len(text) > MOST_CHARACTERS_AN_EQUATION:
        raise EquationError(f"an equation of {len(text)} characters", start, f"at most {MOST_CHARACTERS_AN_EQUATION}")
    target = TARGET.match(first)
    if target is None:
        raise _no_equation(row, first, start)
    name = target["state"] or target["name"]
    if name in FUNCTIONS or name in BUILT_IN or len(name) > LONGEST_NAME:
        message = f"{clipped(name)!r} is a word of the equations" if len(name) <= LONGEST_NAME else "a name too long"
        place = (row, target.start("state") if target["state"] else target.start("name"))
        raise EquationError(f"{message} and cannot be defined", place, "another name")
    after = [*tokens(row, first, target.end()), *(token for row, code, _ in pairs[1:] for token in tokens(row, code))]
    last, code, _ = pairs[-1]
    after.append(Token("end", END, (last, len(code.rstrip()))))
    return Equation(name, target["state"] is not None, _Parser(after).whole(), text, comment, start)


def _no_equation(row: int, code: str, start: LineColumn) -> EquationError:
    strange = next((token for token in tokens(row, code) if token.kind == "other" and token.text != "="), None)
    if strange is not None:
        return unknown_character(strange)
    expected = "'d/dt(state) = ...' or 'name = ...'; an equation goes on in the next line only within parentheses"
    return EquationError(f"{clipped(code.strip())!r} is no equation", start, expected)


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.open = 0
        self.brackets: list[Token] = []  # parentheses that are open
        # of calls, by identity (their trees are alive while we are): how deep they are, and their value if it is known
        self.depths: dict[int, float] = {}
        self.constants: dict[int, float] = {}
        self.kept: list[Expression] = []  # so that no identity is given out twice

    def whole(self) -> Expression:
        found = self.sum()
        if self.next.kind != "end":
            raise self.unexpected("an operator between two terms")
        return found

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self, *signs: str) -> Token | None:
        """The next token if it is one of these signs."""
        token = self.next
        if token.kind != "sign" or token.text not in signs:
            return None
        self.position += 1
        return token

    def unexpected(self, expected: str) -> EquationError:
        token = self.next
        if token.kind == "other" and token.text != "=":
            return unknown_character(token)
        if token.kind == "strange":
            message = f"{clipped(token.text)!r} is neither a number nor a name"
            return EquationError(message, token.at, "digits and a point, such as 1000 or 4.5; 2*x and not 2x")
        if token.kind == "end" and self.brackets:
            return EquationError("this parenthesis is never closed", self.brackets[-1].at, "')'")
        what = token.text if token.kind == "end" else f"{clipped(token.text)!r}"
        message = "a second '=' in one equation" if token.text == "=" else f"{what} comes unexpectedly"
        if any(later.text == "=" for later in self.tokens[self.position :]):
            expected += "; or a new line for a new equation (`equations: |` keeps lines apart)"
        return EquationError(message, token.at, expected)

    def sum(self) -> Expression:
        return self.chain(("+", "-"), ("*", "/"))

    def chain(self, signs: tuple[str, ...], tighter: tuple[str, ...]) -> Expression:
        """Terms between signs of one precedence, grouped from the left."""
        left = self.chain(tighter, ()) if tighter else self.signed()
        while sign := self.take(*signs):
            right = self.chain(tighter, ()) if tighter else self.signed()
            left = self.call(sign.text, (left, right), left.at)
        return left

    def signed(self) -> Expression:
        sign = self.take("-", "+")
        if sign is None:
            return self.power()
        with_sign = self.deeper(self.signed, sign.at)
        return with_sign if sign.text == "+" else self.call("neg", (with_sign,), sign.at)

    def power(self) -> Expression:
        base = self.atom()
        sign = self.take("^", "**")
        if sign is None:
            return base
        return self.call("**", (base, self.deeper(self.signed, sign.at)), base.at)

    def atom(self) -> Expression:
        token = self.next
        if token.kind == "number":
            self.position += 1
            return Number(_value(token), token.at)
        if token.kind == "name":
            self.position += 1
            bracket = self.take("(")
            return Name(token.text, token.at) if bracket is None else self.function(token, bracket)
        bracket = self.take("(")
        if bracket is None:
            raise self.unexpected("a number, a name or a parenthesis")
        self.brackets.append(bracket)
        inner = self.deeper(self.sum, bracket.at)
        self.close()
        return self.placed(inner, bracket.at)

    def placed(self, inner: Expression, at: LineColumn) -> Expression:
        """What stands in parentheses begins with the first of them."""
        if not isinstance(inner, Call):
            return inner
        moved = replace(inner, at=at)
        for known in (self.depths, self.constants):
            if id(inner) in known:
                known[id(moved)] = known[id(inner)]
        self.kept.append(inner)
        return moved

    def close(self) -> None:
        if self.take(")") is None:
            raise self.unexpected("an operator, or ')'")
        self.brackets.pop()

    def function(self, name: Token, bracket: Token) -> Expression:
        wanted = FUNCTIONS.get(name.text, 0)
        if wanted == 0:
            near = OTHER_NAMES.get(name.text) or nearest(name.text, FUNCTIONS)
            raise EquationError(f"unknown function {clipped(name.text)!r}", name.at, ", ".join(FUNCTIONS), near)
        self.brackets.append(bracket)
        arguments = [self.deeper(self.condition if name.text == "ifelse" else self.sum, bracket.at)]
        while self.take(","):
            arguments.append(self.deeper(self.sum, bracket.at))
        self.close()
        if len(arguments) != wanted and (wanted is not None or len(arguments) < 2):
            message, expected = f"{name.text}() with {_counted(len(arguments))}", "two arguments or more"
            raise EquationError(message, name.at, _counted(wanted) if wanted else expected)
        return self.call(name.text, tuple(arguments), name.at)

    def condition(self) -> Expression:
        left = self.sum()
        sign = self.take(*COMPARISONS)
        if sign is None and self.next.text in (",", ")"):
            message = "the first argument of ifelse is no comparison"
            raise EquationError(message, left.at, "ifelse(a < b, then, otherwise)")
        if sign is None:
            raise self.unexpected("a comparison: < <= > >=")
        return self.call(sign.text, (left, self.sum()), left.at)

    def deeper(self, read: Callable[[], Expression], at: LineColumn) -> Expression:
        if self.open >= MOST_OPEN:
            raise EquationError("the equation is nested too deeply", at, f"at most {MOST_OPEN} {LEVELS}")
        self.open += 1
        found = read()
        self.open -= 1
        return found

    def call(self, operation: str, arguments: tuple[Expression, ...], at: LineColumn) -> Call:
        depth = 1 + max(self.depths.get(id(argument), 0) for argument in arguments)
        if depth > DEEPEST:
            message = "the equation has too many operations within one another"
            raise EquationError(message, at, f"at most {DEEPEST} {LEVELS}")
        made = Call(operation, arguments, at)
        self.depths[id(made)] = depth
        known = [a.value if isinstance(a, Number) else self.constants.get(id(a)) for a in arguments]
        values = [value for value in known if value is not None]
        if operation in ARITHMETIC and len(values) == len(arguments):
            self.constants[id(made)] = _computed(operation, values, at)
        return made


def _computed(operation: str, values: list[float], at: LineColumn) -> float:
    """The value of an operation on numbers, so that 1/0 and 9^9^9 are told now and not in the middle of a run."""
    try:
        value = float(ARITHMETIC[operation](*values))
    except (ArithmeticError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise EquationError("this is not a finite number", at, "a finite number")
    return value


def _value(token: Token) -> float:
    value = float(token.text)
    if not math.isfinite(value):
        raise EquationError("this number is not finite", token.at, "a finite number")
    return value


def _counted(arguments: int) -> str:
    return f"{arguments} argument" + ("s" if arguments != 1 else "")
