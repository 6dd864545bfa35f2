"""A table of people: a CSV file with a row per person, and in its head `address [unit]`."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, shown
from ldnsim.foundation.units import parse_unit
from ldnsim.foundation.yaml import read_text
from ldnsim.scenario.population import MOST_QUANTITIES, PeopleColumn, PeopleTable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_people"]

MOST_ROWS = 1_000_000
LARGEST_TABLE = 64 * 1024 * 1024  # bytes
HEAD = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)?)\s*(?:\[\s*([^\]]*?)\s*\])?\s*\Z")
EXPECTED_HEAD = "an address and its unit, such as weight [kg] or person.age [year]"


def read_people(path: Path) -> PeopleTable:
    """The people of a CSV file. Raises LdnsimError with all faults, each with its line and column (of characters)."""
    text = read_text(path, LARGEST_TABLE)
    reader = _PeopleRows(path, text)
    columns = reader.columns()
    if reader.faults:
        raise LdnsimError(reader.faults)
    return PeopleTable(file=path.name, digest=hashlib.sha256(text.encode()).hexdigest(), columns=columns)


class _PeopleRows:
    def __init__(self, path: Path, text: str) -> None:
        self.path, self.faults = path, list[Fault]()
        self.lines = text.splitlines()
        self.rows: list[tuple[int, list[str]]] = []  # line, cells
        reader = csv.reader(io.StringIO(text), strict=True)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    self.rows.append((reader.line_num, cells))
        except csv.Error as caught:
            self.fault(f"this is no CSV: {caught}", reader.line_num, 0, "cells separated by commas")
            self.rows = []

    def fault(self, message: str, line: int, cell: int, expected: str) -> None:
        """A fault in the cell number `cell` of a line."""
        text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        column = sum(len(part) + 1 for part in text.split(",")[:cell]) + 1
        fault = Fault(message, (), expected, file=str(self.path), line=line, column=column, source_line=text)
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)

    def columns(self) -> tuple[PeopleColumn, ...]:
        if self.faults:
            return ()
        if len(self.rows) < 2:
            self.fault("a table without people", max(1, len(self.lines)), 0, "a head, and a row for each person")
            return ()
        if len(self.rows) - 1 > MOST_ROWS:
            self.fault(f"{len(self.rows) - 1} people", self.rows[-1][0], 0, f"at most {MOST_ROWS}")
            return ()
        names = self.head(*self.rows[0])
        if self.faults:
            return ()
        values: list[list[float]] = [[] for _ in names]
        for line, cells in self.rows[1:]:
            if len(cells) != len(names):
                self.fault(f"{len(cells)} cells", line, 0, f"{len(names)}, as in the head")
                continue
            for place, (cell, (name, _)) in enumerate(zip(cells, names, strict=True)):
                values[place].append(self.number(cell, name, line, place))
        return tuple(
            PeopleColumn(address=name, unit=unit, values=tuple(column))
            for (name, unit), column in zip(names, values, strict=True)
        )

    def head(self, line: int, cells: list[str]) -> list[tuple[str, str]]:
        names: list[tuple[str, str]] = []
        if len(cells) > MOST_QUANTITIES:
            self.fault(f"{len(cells)} columns", line, 0, f"at most {MOST_QUANTITIES}")
            return names
        for place, cell in enumerate(cells):
            match = HEAD.match(cell)
            if match is None:
                self.fault(f"{shown(cell)} is no column of a table of people", line, place, EXPECTED_HEAD)
                continue
            unit = match[2] or "1"
            try:
                parse_unit(unit)
            except LdnsimError as caught:
                self.fault(caught.faults[0].message, line, place, caught.faults[0].expected)
            if match[1] in {name for name, _ in names}:
                self.fault(f"{match[1]!r} stands here twice", line, place, "each column once")
            names.append((match[1], unit))
        return names

    def number(self, cell: str, name: str, line: int, place: int) -> float:
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in cell:
            what = shown(cell) if cell.strip() else "nothing"
            self.fault(f"{name}: {what} is not a number", line, place, "a finite number, such as 72.5")
        return value
