"""Faults in what people wrote: one record per fault, all of them in one exception."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MOST_FAULTS", "Fault", "LdnsimError", "clipped", "listed", "nearest", "shown"]

MOST_FAULTS = 100  # collected in one file; a file with more is another kind of file
MOST_FAULTS_SHOWN = 50
MOST_LISTED = 16  # names in an `expected`
MOST_COMPARED = 1_000  # names, to find the nearest one
LEAST_ALIKE = 0.59  # share of letters in common, below which a guess would be silly
KINDS: dict[type, str] = {dict: "a mapping", list: "a list", tuple: "a list", type(None): "nothing"}
LONGEST_FILE_NAME = 200
WIDEST = 110  # columns of a source line


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where.

    `path` leads through the file's keys (`("parameters", "ka", "value")`); `offset` is a (line, column) inside the
    text found there, both from 0: the place in an equation, or of the unit in a quantity. `at_key` says that the key is
    meant and not its value. `line` and `column` count from 1 and are filled in by `files`, which knows the text.
    """

    message: str
    path: tuple[str | int, ...] = ()
    expected: str = ""
    nearest: str = ""
    offset: tuple[int, int] | None = None
    at_key: bool = False
    file: str = ""
    line: int = 0
    column: int = 0
    source_line: str = ""

    def under(self, *path: str | int) -> Fault:
        """The same fault, seen from a record that holds this one under `path`."""
        return replace(self, path=(*path, *self.path))

    def __str__(self) -> str:
        file = self.file if len(self.file) <= LONGEST_FILE_NAME else "..." + self.file[-LONGEST_FILE_NAME:]
        place = ":".join(str(part) for part in (file, self.line, self.column) if part)
        where = ".".join(clipped(str(step), 40) for step in self.path)
        lines = [_printable(": ".join(part for part in (place, where, self.message) if part))]
        if self.source_line:
            number = str(self.line)
            shown, indent = _window(self.source_line, self.column)
            lines.append(f"  {number} | {shown}")
            lines.append(f"  {' ' * len(number)} | {' ' * indent}^")
        if self.expected:
            lines.append(_printable(f"  expected: {self.expected}"))
        if self.nearest:
            lines.append(f"  did you mean {self.nearest!r}?")
        return "\n".join(lines)


class LdnsimError(Exception):
    """What people wrote, or asked for, cannot be done; `faults` says everything that is wrong with it."""

    def __init__(self, faults: str | Fault | Iterable[Fault]) -> None:
        if isinstance(faults, str):
            faults = Fault(faults)
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(dict.fromkeys(faults))
        super().__init__(self.faults)

    def __str__(self) -> str:
        shown = [str(fault) for fault in self.faults[:MOST_FAULTS_SHOWN]]
        if len(self.faults) > len(shown):
            at_least = "at least " if len(self.faults) >= MOST_FAULTS else ""
            shown.append(f"... and {at_least}{len(self.faults) - len(shown)} more")
        return "\n".join(shown)


def nearest(found: str, known: Iterable[str]) -> str:
    """The known name most like the found one (the first of equals), or "" where none is alike."""
    by_lower: dict[str, str] = {}
    for name in islice(known, MOST_COMPARED):
        by_lower.setdefault(name.lower(), name)
    best, closest = LEAST_ALIKE, ""
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(found.lower()[:100])
    for name in by_lower:
        matcher.set_seq1(name[:100])
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and matcher.ratio() > best:
            best, closest = matcher.ratio(), name
    return by_lower.get(closest, "")


def listed(names: Iterable[str]) -> str:
    """Names with commas between; of many only the first."""
    names = list(names)
    more = f", ... ({len(names)} in all)" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more


def clipped(text: str, width: int = 60) -> str:
    """The text, or its beginning with dots."""
    return text if len(text) <= width else text[: width - 3] + "..."


def shown(found: object) -> str:
    """A value as it was written, short enough for a message."""
    if isinstance(found, str):
        return repr(clipped(found))
    if type(found) in KINDS:
        return KINDS[type(found)]
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, int) and abs(found) >= 10**30:
        return "a number of very many digits"  # Python refuses to write out the longest of them
    return f"{found:.12g}" if isinstance(found, float) else clipped(repr(found))


def _printable(text: str) -> str:
    """The text with what a terminal might obey, or not show, as escapes."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def _window(text: str, column: int) -> tuple[str, int]:
    """What to show of a line around `column` (from 1), and how many terminal columns stand before that character."""
    text = "".join(character if character.isprintable() else " " for character in text)
    start = max(0, min(column - 1 - WIDEST // 2, len(text) - WIDEST))
    lead, tail = ("..." if start else ""), ("..." if start + WIDEST < len(text) else "")
    return lead + text[start : start + WIDEST] + tail, len(lead) + sum(map(_width, text[start : column - 1]))


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
