"""Tables of observations: CSV beside a fit file -> facts, with the line of everything that is wrong."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, listed, nearest, shown
from ldnsim.foundation.schema_faults import faults_of
from ldnsim.foundation.units import Quantity, parse_quantity
from ldnsim.foundation.yaml import read_text
from ldnsim.library.error_model import error_model_taking
from ldnsim.library.fit_file import Datum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ldnsim.library.fit_file import DataTable

__all__ = ["observations"]

NEEDED = ("arm", "output", "time", "value")
ERRORS = ("cv", "sd", "weight")
COLUMNS = (*NEEDED, *ERRORS, "use", "note")
MOST_ROWS = 5_000
FIELD_OF = {"time": "at"}


def observations(
    path: Path, table: DataTable, check: Callable[[Datum], list[Fault]]
) -> tuple[dict[int, Datum], list[Fault]]:
    """The facts of a table by their line in the file, and what is wrong with any; a value without unit is in the
    table's. `check` says what is wrong with a fact, under ("row",)."""
    text = read_text(path)
    lines = text.split("\n")

    def at(line: int, fault: Fault) -> Fault:
        return replace(fault, file=str(path), line=line, column=1, source_line=lines[min(line, len(lines)) - 1])

    reader = csv.reader(StringIO(text), strict=True)
    facts: dict[int, Datum] = {}
    faults: list[Fault] = []
    try:
        heads = [head.strip() for head in next(reader, [])]
        faults += [at(1, fault) for fault in _head_faults(heads)]
        for cells in reader if not faults else ():
            line = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(facts) + len(faults) >= MOST_ROWS or len(faults) >= MOST_FAULTS:
                faults.append(at(line, Fault("too many rows, or rows with faults", (), f"at most {MOST_ROWS} rows")))
                break
            if len(cells) != len(heads):
                faults.append(at(line, Fault(f"{len(cells)} cells in this row", (), f"{len(heads)}: {listed(heads)}")))
                continue
            row = {head: cell.strip() for head, cell in zip(heads, cells, strict=True) if cell.strip()}
            try:
                facts[line] = _fact(row, table)
                faults += [at(line, _in_column(replace(fault, path=fault.path[1:]))) for fault in check(facts[line])]
            except (LdnsimError, ValidationError) as caught:
                faults += [at(line, _in_column(fault)) for fault in faults_of(caught)]
    except csv.Error as caught:
        faults.append(at(reader.line_num, Fault(f"this is no CSV: {caught}", (), "cells with commas between")))
    if not facts and not faults:
        faults.append(at(1, Fault("the table has no rows", (), "at least one observation")))
    return facts, faults


def _head_faults(heads: list[str]) -> Iterator[Fault]:
    for head in heads:
        if head not in COLUMNS:
            yield Fault(f"unknown column {shown(head)}", (), listed(COLUMNS), nearest(head, COLUMNS))
        elif heads.count(head) > 1:
            yield Fault(f"the column {head!r} stands here twice", (), "each column once")
    for name in NEEDED:
        if name not in heads:
            yield Fault(f"the column {name!r} is missing", (), listed(COLUMNS))


def _fact(row: dict[str, str], table: DataTable) -> Datum:
    """One row; what it does not say is what the table says."""
    if missing := [name for name in NEEDED if name not in row]:
        raise LdnsimError([Fault("nothing stands here", (name,), "a value") for name in missing])
    given = {FIELD_OF.get(name, name): cell for name, cell in row.items() if name not in ("weight", "value")}
    errors = [name for name in ERRORS if name in row]
    if len(errors) > 1 and error_model_taking(errors) is None:
        raise LdnsimError(Fault(f"both {' and '.join(errors)}", (errors[0],), "one of them"))
    error = {name: getattr(table, name) for name in ("cv", "sd") if getattr(table, name) is not None}
    if "weight" in row:
        error = {name: _divided(quantity, _weight(row["weight"]) ** 0.5) for name, quantity in error.items()}
    said = {name: _in_unit(row[name], table.unit) for name in ("value", "sd") if name in row}
    shared = {"of": table.of, "use": table.use, "source": table.source}
    return Datum.model_validate({**shared, **({} if {"cv", "sd"} & row.keys() else error), **given, **said})


def _in_unit(cell: str, unit: str) -> Quantity:
    found = parse_quantity(cell)
    return Quantity(found.value, unit) if found.unit == "1" else found


def _divided(error: Quantity, by: float) -> Quantity:
    return Quantity(error.value / by, error.unit)


def _weight(cell: str) -> float:
    weight = parse_quantity(cell)
    if weight.unit != "1" or weight.value <= 0:
        raise LdnsimError(Fault(f"a weight of {weight}", ("weight",), "a number above 0"))
    return weight.value


def _in_column(fault: Fault) -> Fault:
    """With the column's name as its path."""
    names = {field: name for name, field in FIELD_OF.items()}
    return replace(fault, path=tuple(names.get(str(step), step) for step in fault.path))
