"""Lines of text -> statements, and statements -> tokens: each with its place."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from ldnsim.foundation.errors import Fault
from ldnsim.foundation.expressions.tree import FUNCTIONS, LineColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NAME", "TARGET", "EquationError", "Token", "statements", "tokens", "unknown_character"]

TARGET = re.compile(r"\s*(?:d\s*/\s*dt\s*\(\s*(?P<state>[A-Za-z]\w*)\s*\)|(?P<name>[A-Za-z]\w*))\s*=(?!=)", re.ASCII)
TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)(?P<tail>[\w.]*)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>\*\*|[<>]=|[-+*/^(),<>])|(?P<space>\s+)|(?P<other>.)",
    re.ASCII,
)
NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
GRAMMAR = "numbers, names, + - * / ^, parentheses, " + ", ".join(f"{name}()" for name in FUNCTIONS)
# what a text processor puts in the place of plain signs
LOOKALIKES = {
    **dict.fromkeys("\u2212\u2013\u2014", "-"),
    **dict.fromkeys("\u00d7\u00b7\u2217\u22c5", "*"),
    "\u00f7": "/",
    "\u2044": "/",
}


class Token(NamedTuple):
    kind: str  # number, name, sign, other, end; "strange" for a number that runs into something else
    text: str
    at: LineColumn


class EquationError(Exception):
    """Why one equation cannot be read."""

    def __init__(self, message: str, at: LineColumn, expected: str = "", nearest: str = "") -> None:
        super().__init__(message)
        self.fault = Fault(message, offset=at, expected=expected, nearest=nearest)


def statements(text: str) -> Iterator[list[tuple[int, str]]]:
    """The (line number, text) of each statement; one goes on over lines while a parenthesis is open."""
    held: list[tuple[int, str]] = []
    balance = 0
    for row, line in enumerate(text.split("\n")):
        code = line.partition("#")[0]
        if held and TARGET.match(code):  # no expression holds a '=': a parenthesis was left open
            yield held
            held, balance = [], 0
        if not held and not code.strip():
            continue
        held.append((row, line))
        balance += code.count("(") - code.count(")")
        if balance <= 0:
            yield held
            held, balance = [], 0
    if held:
        yield held


def tokens(row: int, code: str, start: int = 0) -> Iterator[Token]:
    """The tokens of one line from `start` on."""
    for found in TOKEN.finditer(code, start):
        kind = str(found.lastgroup)
        if found["number"] is not None:
            kind = "strange" if found["tail"] else "number"
        if kind != "space":
            yield Token(kind, found[0], (row, found.start()))


def unknown_character(token: Token) -> EquationError:
    """What to tell about a character that no equation holds."""
    character = token.text
    name = "" if character.isascii() else f" ({unicodedata.name(character, 'without a name').lower()})"
    message = f"the character {character!r}{name} in an equation"
    return EquationError(message, token.at, GRAMMAR, LOOKALIKES.get(character, ""))
