"""A table of people: a CSV file with a row per person, and in its header `address [unit]`."""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path

from ldnsim.foundation.csv_tables import CsvHeader, CsvRow, CsvTable, headers, in_order, read_csv
from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, shown
from ldnsim.scenario.population import MOST_QUANTITIES, PeopleColumn, PeopleTable

__all__ = ["read_people"]

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)?")
EXPECTED_HEADER = "an address and its unit, such as weight [kg] or person.age [year]"


def read_people(path: Path) -> PeopleTable:
    """The people of a CSV file. Raises LdnsimError with all faults, each with its line and column (of characters)."""
    table = read_csv(path, row_is="person")
    columns = _header(table)
    faults = list(table.faults)
    values: list[list[float]] = [[] for _ in columns]
    for row in table.rows:
        for place, (cell, (name, _)) in enumerate(zip(row.cells, columns, strict=True)):
            value = _number(cell)
            if math.isnan(value) and len(faults) < MOST_FAULTS:
                faults.append(_no_number(table, row, place, name))
            values[place].append(value)
    if faults:
        raise LdnsimError(in_order(faults))
    return PeopleTable(
        file=path.name,
        digest=hashlib.sha256(table.text.encode()).hexdigest(),
        columns=tuple(
            PeopleColumn(address=name, unit=unit or "1", values=tuple(column))
            for (name, unit), column in zip(columns, values, strict=True)
        ),
    )


def _header(table: CsvTable) -> list[CsvHeader]:
    """Addresses and units. Raises LdnsimError for columns that are no quantity of a person."""
    if len(table.header.cells) > MOST_QUANTITIES:
        fault = Fault(f"{len(table.header.cells)} columns", expected=f"at most {MOST_QUANTITIES}")
        raise LdnsimError(table.located(fault, table.header))
    columns, faults = headers(table)
    for place, (name, _) in enumerate(columns):
        if not ADDRESS.fullmatch(name):
            cell = table.header.cells[place]
            fault = Fault(f"{shown(cell)} is no column of a table of people", expected=EXPECTED_HEADER)
            faults.append(table.located(fault, table.header, place))
    if faults:
        raise LdnsimError(faults)
    return columns


def _number(cell: str) -> float:
    """The finite number that a cell holds; else NaN."""
    try:
        value = float(cell)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) and "_" not in cell else math.nan


def _no_number(table: CsvTable, row: CsvRow, place: int, name: str) -> Fault:
    cell = row.cells[place]
    fault = Fault(f"{name}: {shown(cell) if cell else 'nothing'} is not a number", (), "a finite number, such as 72.5")
    return table.located(fault, row, place)
