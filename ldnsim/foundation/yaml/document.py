"""A file's content with the place of everything in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from ldnsim.foundation.errors import Fault

__all__ = ["HOLE", "Document", "Place"]


class _Hole:
    def __repr__(self) -> str:
        return "a value that could not be read"


HOLE = _Hole()  # stands where a value could not be read; its own fault is told instead

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """Line and column, both from 1; `style` is YAML's sign of a scalar: | > ' " or "" for plain text."""

    line: int
    column: int
    style: str = ""


@dataclass
class Document:
    """A file's content, its text, and where each key and value stands in it.

    `faults` are those of the YAML that did not keep the rest from being read.
    """

    file: str
    text: str
    content: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def at(self, line: int, column: int, fault: Fault) -> Fault:
        """The fault at this place of the file."""
        line = max(1, min(line, len(self.lines)))
        return replace(fault, file=self.file, line=line, column=column, source_line=self.lines[line - 1])

    def locate(self, fault: Fault) -> Fault:
        """The fault with the file, line and column that its path leads to, or the deepest part of it that exists."""
        path = fault.path
        while path and path not in self.values:
            path = path[:-1]
        value, key = self.values.get(path, Place(1, 1)), self.keys.get(path)
        whole = path == fault.path
        if whole and fault.offset is not None:
            line, column = self._inside(path, value, fault.offset)
        elif key is not None and (fault.at_key or (not whole and isinstance(self.value_at(path), dict | list))):
            line, column = key.line, key.column
        else:
            line, column = value.line, value.column
        return replace(self.at(line, column, fault), path=path)

    def value_at(self, path: Path) -> Any:
        found = self.content
        for step in path:
            found = found[step]
        return found

    def _inside(self, path: Path, place: Place, offset: tuple[int, int]) -> tuple[int, int]:
        """Where the character at (line, column) of a scalar's text stands in the file.

        YAML takes away indents, quotes and line breaks and puts in spaces and escapes, but keeps the order of all
        other characters: so both are read side by side.
        """
        text = self.value_at(path)
        if not isinstance(text, str):
            return place.line, place.column
        row, column = offset
        rows = text.split("\n")
        target = sum(len(line) + 1 for line in rows[:row]) + min(column, len(rows[row]) if row < len(rows) else 0)
        cursor = _Cursor(self.lines, place)
        for character in text[:target]:
            cursor.skip(character, place.style)
        if target < len(text) and not text[target].isspace():
            cursor.find(text[target], place.style)
        return cursor.row + 1, cursor.column + 1


class _Cursor:
    """A place in the lines of a file that follows the characters of one scalar; row and column from 0."""

    def __init__(self, lines: list[str], place: Place) -> None:
        self.lines = lines
        self.row, self.column = place.line - 1, place.column - 1
        if place.style in ("|", ">"):
            self.row, self.column = self.row + 1, 0
        elif place.style:
            self.column += 1

    def find(self, character: str, style: str) -> None:
        """Go to where `character` stands, past what YAML took away."""
        while self.row < len(self.lines):
            line = self.lines[self.row]
            if self.column >= len(line):
                self.row, self.column = self.row + 1, 0
                continue
            here = line[self.column]
            if here == character or (style == '"' and here == "\\" and self.column + 1 < len(line)):
                return
            self.column += 1
        self.row, self.column = len(self.lines) - 1, len(self.lines[-1])

    def skip(self, character: str, style: str) -> None:
        """Go past `character`. Blanks that the text lacks are passed over with the character after them."""
        width = self._escape() if style == '"' else 0
        if character.isspace() and not width:
            line = self.lines[self.row] if self.row < len(self.lines) else ""
            self.column += line[self.column : self.column + 1].isspace()
            return
        self.find(character, style)
        if self.row < len(self.lines) and self.column < len(self.lines[self.row]):
            width = self._escape() if style == '"' else 0
            doubled = style == "'" and self.lines[self.row].startswith("''", self.column)
            self.column += width or (2 if doubled else 1)

    def _escape(self) -> int:
        """How many characters the escape that begins here takes; 0 for none."""
        line = self.lines[self.row] if self.row < len(self.lines) else ""
        if not line.startswith("\\", self.column) or self.column + 1 >= len(line):
            return 0
        return {"x": 4, "u": 6, "U": 10}.get(line[self.column + 1], 2)
