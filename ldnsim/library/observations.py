"""Tables of observations: CSV beside a fit file -> facts, with the line of everything that is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ldnsim.foundation.csv_tables import CsvRow, CsvTable, header_faults, headers, in_order, read_csv
from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError
from ldnsim.foundation.schema_faults import faults_of
from ldnsim.foundation.units import Quantity, parse_quantity
from ldnsim.library.error_model import error_model_taking
from ldnsim.library.fit_file import Datum

if TYPE_CHECKING:
    from collections.abc import Callable

    from ldnsim.library.fit_file import DataTable

__all__ = ["observations"]

NEEDED = ("arm", "output", "time", "value")
ERRORS = ("cv", "sd", "weight")
COLUMNS = (*NEEDED, *ERRORS, "use", "note")
WITH_UNIT = ("time", "value", "cv", "sd")  # columns whose header may hold a unit
MOST_ROWS = 5_000
FIELD_OF = {"time": "at"}


def observations(
    path: Path, table: DataTable, check: Callable[[Datum], list[Fault]]
) -> tuple[dict[int, Datum], list[Fault]]:
    """The facts of a table by their line in the file, and what is wrong with any.

    A value without unit is in that of its column's header, or else in the table's. `check` says what is wrong with a
    fact, under ("row",). Raises LdnsimError for a file that is no such table.
    """
    read = read_csv(path, row_is="observation", most_rows=MOST_ROWS)
    columns, faults = headers(read)
    faults += header_faults(read, columns, NEEDED, COLUMNS, WITH_UNIT)
    if faults:
        raise LdnsimError(faults)
    names = [column.name for column in columns]
    units = {column.name: column.unit for column in columns if column.unit}
    facts: dict[int, Datum] = {}
    faults += read.faults
    for row in read.rows:
        if len(faults) >= MOST_FAULTS:
            break
        cells = {name: cell for name, cell in zip(names, row.cells, strict=True) if cell}
        try:
            facts[row.line] = _fact(cells, units, table)
            found = [replace(fault, path=fault.path[1:]) for fault in check(facts[row.line])]
        except (LdnsimError, ValidationError) as caught:
            found = faults_of(caught)
        faults += (_in_column(fault, read, row, names) for fault in found)
    return facts, in_order(faults)


def _fact(row: dict[str, str], units: dict[str, str], table: DataTable) -> Datum:
    """One row; what it does not say is what its header, or the table, says."""
    if missing := [name for name in NEEDED if name not in row]:
        raise LdnsimError([Fault("nothing stands here", (name,), "a value") for name in missing])
    row = {name: f"{cell} {units[name]}" if name in units and _bare(cell) else cell for name, cell in row.items()}
    given = {FIELD_OF.get(name, name): cell for name, cell in row.items() if name not in ("weight", "value")}
    errors = [name for name in ERRORS if name in row]
    if len(errors) > 1 and error_model_taking(errors) is None:
        raise LdnsimError(Fault(f"both {' and '.join(errors)}", (errors[0],), "one of them"))
    error = {name: getattr(table, name) for name in ("cv", "sd") if getattr(table, name) is not None}
    if "weight" in row:
        error = {name: _divided(quantity, _weight(row["weight"]) ** 0.5) for name, quantity in error.items()}
    said = {name: _in_unit(name, row[name], units.get(name, table.unit)) for name in ("value", "sd") if name in row}
    shared = {"of": table.of, "use": table.use, "source": table.source}
    return Datum.model_validate({**shared, **({} if {"cv", "sd"} & row.keys() else error), **given, **said})


def _in_unit(name: str, cell: str, unit: str) -> Quantity:
    found = _quantity(name, cell)
    return Quantity(found.value, unit) if found.unit == "1" else found


def _quantity(name: str, cell: str) -> Quantity:
    try:
        return parse_quantity(cell)
    except LdnsimError as caught:
        raise LdnsimError(fault.under(name) for fault in caught.faults) from None


def _divided(error: Quantity, by: float) -> Quantity:
    return Quantity(error.value / by, error.unit)


def _weight(cell: str) -> float:
    weight = _quantity("weight", cell)
    if weight.unit != "1" or weight.value <= 0:
        raise LdnsimError(Fault(f"a weight of {weight}", ("weight",), "a number above 0"))
    return weight.value


def _bare(cell: str) -> bool:
    """Whether a cell is a number without unit."""
    try:
        return parse_quantity(cell).unit == "1"
    except LdnsimError:
        return False


def _in_column(fault: Fault, table: CsvTable, row: CsvRow, names: list[str]) -> Fault:
    """The fault at its cell, with the column's name as its path; at the row's beginning where it is of no column."""
    column_of = {field: name for name, field in FIELD_OF.items()}
    path = tuple(column_of.get(str(step), step) for step in fault.path)
    cell = names.index(str(path[0])) if path and path[0] in names else 0
    return table.located(replace(fault, path=path), row, cell)
