"""Faults in what people wrote: one record per fault, all of them in one exception."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Fault", "LdnsimError", "nearest"]

MOST_FAULTS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where.

    `path` leads through the file's keys (`("parameters", "ka", "value")`); `offset` is a (line, column) inside the
    text found there, both from 0, for equations. `line` and `column` count from 1 and are filled in by `files`,
    which knows the text.
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
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        where = ".".join(str(part) for part in self.path)
        lines = [": ".join(part for part in (place, where, self.message) if part)]
        if self.source_line:
            number = str(self.line)
            shown, column = _clip(self.source_line, self.column)
            lines.append(f"  {number} | {shown}")
            lines.append(f"  {' ' * len(number)} | {' ' * (column - 1)}^")
        if self.expected:
            lines.append(f"  expected: {self.expected}")
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
            shown.append(f"... and {len(self.faults) - len(shown)} more")
        return "\n".join(shown)


def nearest(found: str, known: Iterable[str]) -> str:
    """The known name most like the found one, or "" where none is alike."""
    by_lower = {name.lower(): name for name in known}
    matches = get_close_matches(found.lower()[:200], by_lower, n=1, cutoff=0.55)
    return by_lower[matches[0]] if matches else ""


def _clip(text: str, column: int, width: int = 110) -> tuple[str, int]:
    """A window of `text` around `column`, so that one long line does not fill the screen."""
    text = "".join(character if character.isprintable() else " " for character in text)
    start = max(0, min(column - 1 - width // 2, len(text) - width))
    lead, tail = ("..." if start else ""), ("..." if start + width < len(text) else "")
    return lead + text[start : start + width] + tail, column - start + len(lead)
