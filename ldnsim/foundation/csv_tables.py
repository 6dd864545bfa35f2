"""CSV tables: a header, and rows with as many cells; every fault has its line and column.

All tables that people write are read here: people, observations, facts, records of doses. What the columns are for is
the caller's to say. A header may hold a unit: `weight [kg]`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, listed, nearest, shown
from ldnsim.foundation.units import parse_unit
from ldnsim.foundation.yaml import read_text

__all__ = ["CsvHeader", "CsvRow", "CsvTable", "header_faults", "headers", "in_order", "read_csv"]

LARGEST_TABLE = 64 * 1024 * 1024  # bytes
MOST_ROWS = 1_000_000
NO_CSV = "cells separated by commas"
HEADER = re.compile(r"([^\[\]]*?)\s*(?:\[\s*([^\[\]]*?)\s*\])?")


class CsvRow(NamedTuple):
    """A row's cells, without blanks around them, and the line of the file that it begins on, from 1."""

    line: int
    cells: tuple[str, ...]


class CsvHeader(NamedTuple):
    """A column's name, and its unit; "" where the header holds none."""

    name: str
    unit: str


@dataclass(frozen=True)
class CsvTable:
    """A table as it was read: its file and text, its header, its rows, and the faults of rows that are left out."""

    file: str
    text: str
    header: CsvRow
    rows: tuple[CsvRow, ...]
    faults: tuple[Fault, ...]

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def located(self, fault: Fault, row: CsvRow, cell: int = 0) -> Fault:
        """The fault at a cell of a row, counted from 0."""
        line, column = self._place(row.line, cell)
        return replace(fault, file=self.file, line=line, column=column, source_line=self.lines[line - 1])

    def _place(self, first: int, cell: int) -> tuple[int, int]:
        """Line and column, from 1, at which a cell of the row beginning on line `first` begins.

        A cell in quotes may hold commas and line breaks, so that the row's own text has to be followed.
        """
        quoted = False
        for line in range(first, len(self.lines) + 1):
            text = self.lines[line - 1]
            for column, character in enumerate(text, start=1):
                if cell == 0:
                    return line, column
                if character == '"':
                    quoted = not quoted
                elif character == "," and not quoted:
                    cell -= 1
            if cell == 0:  # an empty last cell begins at the end of its line
                return line, len(text) + 1
            if not quoted:
                break
        return first, 1


def read_csv(path: Path | str, *, row_is: str, largest: int = LARGEST_TABLE, most_rows: int = MOST_ROWS) -> CsvTable:
    """Read a CSV file in UTF-8, with or without a byte-order mark. Lines without any cell filled are skipped.

    Parameters
    ----------
    path : pathlib.Path or str
        The file.
    row_is : str
        What a row is, for messages: `person`.
    largest : int
        The most bytes that the file may have.
    most_rows : int
        The most rows that it may have, its header aside.

    Returns
    -------
    CsvTable
        Rows with another number of cells than the header are in its `faults` instead of its `rows`.

    Raises
    ------
    LdnsimError
        If the file cannot be read, is no CSV, is too large, or has no header or no row.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "people.csv"
    ...     _ = file.write_text("weight [kg],age [year]\\n72.5,34\\n81\\n")
    ...     table = read_csv(file, row_is="person")
    >>> [header.unit for header in headers(table)[0]], table.rows[0].cells
    (['kg', 'year'], ('72.5', '34'))
    >>> print(table.faults[0].line, table.faults[0].message)
    3 1 cells in this row
    """
    path = Path(path)
    text = read_text(path, largest)
    records, broken = _records(text)
    header = records[0] if records else CsvRow(1, ())
    width = len(header.cells)
    uneven = [row for row in records[1:] if len(row.cells) != width]
    rows = tuple([row for row in records[1:] if len(row.cells) == width])
    table = CsvTable(str(path), text, header, rows, ())
    if broken:
        line, message = broken
        raise LdnsimError(table.located(Fault(message, expected=NO_CSV), CsvRow(line, ())))
    if not rows and not uneven:
        message = "the table has no rows" if records else "the file is empty"
        fault = Fault(message, expected=f"a header, and a row for each {row_is}")
        raise LdnsimError(table.located(fault, header))
    if len(records) - 1 > most_rows:
        fault = Fault(f"{len(records) - 1} rows", expected=f"at most {most_rows}")
        raise LdnsimError(table.located(fault, records[most_rows + 1]))
    expected = f"{width}, as in the header"
    return replace(
        table,
        faults=tuple(
            table.located(Fault(f"{len(row.cells)} cells in this row", expected=expected), row)
            for row in uneven[:MOST_FAULTS]
        ),
    )


def _records(text: str) -> tuple[list[CsvRow], tuple[int, str] | None]:
    """The rows of a text, its header among them, and the line and message of what is no CSV."""
    reader = csv.reader(io.StringIO(text), strict=True, skipinitialspace=True)
    rows: list[CsvRow] = []
    line = 1
    try:
        for cells in reader:
            row = CsvRow(line, tuple([cell.strip() for cell in cells]))
            if any(row.cells):
                rows.append(row)
            line = reader.line_num + 1
    except csv.Error as caught:
        return rows, (line, f"this is no CSV: {caught}")
    return rows, None


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """Faults of one table by line and column."""
    return sorted(faults, key=lambda fault: (fault.line, fault.column))


def headers(table: CsvTable) -> tuple[list[CsvHeader], list[Fault]]:
    """Name and unit of each column, and the faults: no name, a name twice, a unit that is none."""
    found: list[CsvHeader] = []
    faults: list[Fault] = []
    for place, cell in enumerate(table.header.cells):
        match = HEADER.fullmatch(cell)
        name, unit = (match[1], match[2] or "") if match else (cell, "")
        if not match or not name:
            fault = Fault(f"{shown(cell)} is not the name of a column", (), "a name, and its unit, such as weight [kg]")
            faults.append(table.located(fault, table.header, place))
        elif any(name == header.name for header in found):
            fault = Fault(f"the column {name!r} stands here twice", (), "each column once")
            faults.append(table.located(fault, table.header, place))
        if unit:
            try:
                parse_unit(unit)
            except LdnsimError as caught:
                faults += [table.located(replace(fault, offset=None), table.header, place) for fault in caught.faults]
        found.append(CsvHeader(name, unit))
    return found, faults


def header_faults(
    table: CsvTable,
    found: Collection[CsvHeader],
    needed: Collection[str],
    known: Collection[str],
    units: Collection[str],
) -> Iterator[Fault]:
    """Faults of columns that are unknown or missing, or have a unit and are not among those of `units`."""
    names = [header.name for header in found]
    for place, (name, unit) in enumerate(found):
        if name not in known:
            fault = Fault(f"unknown column {shown(name)}", (), listed(known), nearest(name, known))
            yield table.located(fault, table.header, place)
        elif unit and name not in units:
            fault = Fault(f"the column {name!r} has no unit", (), f"{name}, without [{unit}]")
            yield table.located(fault, table.header, place)
    for name in needed:
        if name not in names:
            yield table.located(Fault(f"the column {name!r} is missing", (), listed(known)), table.header)
