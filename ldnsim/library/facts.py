"""The facts that models are fitted to and held against: the library's own copy, with a source for each.

A table is a CSV file; its columns are the fields of `Fact`. `use` decides what may be done with a fact: `fit` is for
calibration, `test` is predicted and never tuned to, `context` is for parameters and words. A `value` is a number, a
range (`5-40`), a bound (`>30`), a clock time (`10:43`, `22:00-03:30`), or several of these with commas between; or it
is words, and then its unit is `text`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from ldnsim.foundation.clock import parse_clock
from ldnsim.foundation.csv_tables import CsvRow, CsvTable, header_faults, headers, in_order, read_csv
from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest, shown
from ldnsim.foundation.units import parse_unit
from ldnsim.library.bibliography import load_bibliography
from ldnsim.library.index import LIBRARY

__all__ = [
    "COLUMNS",
    "Claim",
    "Fact",
    "PublishedRange",
    "claims_of_library",
    "facts_of_library",
    "read_claims",
    "read_facts",
    "unfit_faults",
]

Use = Literal["fit", "test", "context"]
FactStatus = Literal["verified", "secondary", "memory", "derived"]
COLUMNS = (
    "id", "use", "quantity", "value", "unit", "spread", "dose", "route", "when", "subjects", "source", "status", "note",
)  # fmt: skip
CLAIM_COLUMNS = ("claim", "data", "facts")
WORDS = ("fold", "clock", "points", "text")  # units that are none: a ratio, a time of day, a scale's points, no number
NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]"
ONE, RANGE = re.compile(NUMBER), re.compile(rf"({NUMBER})-({NUMBER})")
BOUND = re.compile(rf"([<>])({NUMBER})")
TIMES = re.compile(rf"({CLOCK})-({CLOCK})")
SPREAD = re.compile(rf"({NUMBER})(?: min)? (SD|SEM|SE)|({NUMBER}) to ({NUMBER})")
IDENTIFIER = re.compile(r"[a-z]{2}[0-9]{3}")


@dataclass(frozen=True, slots=True)
class PublishedRange:
    """One published number in its fact's unit: both ends alike, or those of a range; an open end is infinite."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """The number, or the middle of the range; the known end of a bound."""
        if math.isinf(self.low):
            return self.high
        return self.low if math.isinf(self.high) else (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class Fact:
    """One published fact. `numbers` is its value read (empty for words), in `unit`; clock times are hours."""

    id: str
    use: Use
    quantity: str
    value: str
    unit: str
    spread: str
    dose: str
    route: str
    when: str
    subjects: str
    source: str
    status: FactStatus
    note: str
    numbers: tuple[PublishedRange, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What popular texts say, what the data say, and the ids of the facts that say so."""

    claim: str
    data: str
    facts: tuple[str, ...]


@lru_cache(maxsize=1)
def facts_of_library() -> dict[str, Fact]:
    """id -> fact, from all tables of the library; raises LdnsimError with all faults of all of them."""
    return read_facts(sorted((LIBRARY / "models" / "evidence").glob("*.csv")), load_bibliography())


def read_facts(files: Iterable[Path], sources: Collection[str]) -> dict[str, Fact]:
    """id -> fact, from CSV files; `sources` are the keys of the bibliography.

    Raises LdnsimError with every fault: a column that is missing or unknown, an id twice, an unknown use, status, unit
    or source, a value that is no number.
    """
    facts: dict[str, Fact] = {}
    faults: list[Fault] = []
    for file in files:
        try:
            table, rows, found = _rows(file, "fact", COLUMNS)
        except LdnsimError as caught:
            faults += caught.faults
            continue
        for at, row in rows:
            wrong = [*_row_faults(row, sources)]
            if row["id"] in facts:
                wrong.append(Fault(f"the id {row['id']} stands twice", ("id",), "each id once"))
            found += (_located(fault, table, at, row) for fault in wrong)
            if not wrong:
                numbers = () if row["unit"] == "text" else tuple(_numbers(row["value"]))
                facts[row["id"]] = Fact(**row, numbers=numbers)  # type: ignore[arg-type]
        faults += in_order(found)
    if faults:
        raise LdnsimError(faults)
    return facts


@lru_cache(maxsize=1)
def claims_of_library() -> tuple[Claim, ...]:
    """The library's claims, each with the facts that answer it."""
    return read_claims(LIBRARY / "models" / "claims.csv", facts_of_library())


def read_claims(file: Path, facts: Collection[str]) -> tuple[Claim, ...]:
    """Claims from a CSV file; raises LdnsimError for rows that are none and for facts that there are not."""
    claims = []
    table, rows, faults = _rows(file, "claim", CLAIM_COLUMNS)
    for at, row in rows:
        ids = tuple(row["facts"].split())
        wrong = [
            Fault(f"there is no fact {shown(id)}", ("facts",), "an id", nearest(id, facts))
            for id in ids
            if id not in facts
        ]
        if not (row["claim"] and row["data"] and ids):
            empty = next(name for name in CLAIM_COLUMNS if not row[name])
            wrong.append(Fault("an empty cell", (empty,), "a claim, what the data say, and the ids of facts"))
        faults += (table.located(fault, at, list(row).index(str(fault.path[0]))) for fault in wrong)
        claims.append(Claim(row["claim"], row["data"], ids))
    if faults:
        raise LdnsimError(in_order(faults))
    return tuple(claims)


def unfit_faults(ids: Iterable[str], facts: dict[str, Fact]) -> Iterator[Fault]:
    """Why facts may not be fitted to: there are none of that id, or their use is not `fit`."""
    for id in ids:
        if id not in facts:
            yield Fault(f"there is no fact {shown(id)}", (), "the id of a fact", nearest(id, facts))
        elif facts[id].use != "fit":
            yield Fault(f"the fact {id} is for {facts[id].use}, not for fitting", (), "facts whose use is `fit`")


def _rows(
    file: Path, row_is: str, columns: Sequence[str]
) -> tuple[CsvTable, list[tuple[CsvRow, dict[str, str]]], list[Fault]]:
    """The table, each row with its cells by column, and the faults of rows that are left out.

    Raises LdnsimError for a file that is no table of these columns.
    """
    table = read_csv(file, row_is=row_is)
    found, faults = headers(table)
    faults += header_faults(table, found, columns, columns, ())
    if faults:
        raise LdnsimError(faults)
    names = [header.name for header in found]
    return table, [(row, dict(zip(names, row.cells, strict=True))) for row in table.rows], list(table.faults)


def _row_faults(row: dict[str, str], sources: Collection[str]) -> Iterator[Fault]:
    """What is wrong with one row; a fault's path is its column."""
    if not IDENTIFIER.fullmatch(row["id"]):
        yield Fault(f"{shown(row['id'])} is no id", ("id",), "two letters and three digits, such as pk001")
    for column, known in (("use", get_args(Use)), ("status", get_args(FactStatus))):
        if row[column] not in known:
            yield Fault(f"unknown {column} {shown(row[column])}", (column,), listed(known), nearest(row[column], known))
    if not row["quantity"]:
        yield Fault("the fact says not what it is of", ("quantity",), "what was measured")
    yield from _value_faults(row)
    if row["spread"] and not SPREAD.fullmatch(row["spread"]):
        yield Fault(f"{shown(row['spread'])} is no spread", ("spread",), "2.6 SD, 7.4 SEM, or 1.8 to 3.3")
    if not row["source"] and row["status"] != "derived":
        yield Fault("the fact has no source", ("source",), "a key of references.bib")
    elif row["source"] and row["source"] not in sources:
        near = nearest(row["source"], sources)
        yield Fault(f"unknown source {shown(row['source'])}", ("source",), "a key of references.bib", near)


def _value_faults(row: dict[str, str]) -> Iterator[Fault]:
    unit = row["unit"]
    if unit not in WORDS:
        try:
            parse_unit(unit)
        except LdnsimError as caught:
            for fault in caught.faults:
                near = fault.nearest or nearest(unit, WORDS)
                yield Fault(fault.message, ("unit",), f"{fault.expected}; or {listed(WORDS)}", near)
    if unit == "text" and not row["value"]:
        yield Fault("the fact has no value", ("value",), "words, or a number and its unit")
    if unit == "text":
        return
    try:
        _numbers(row["value"])
    except ValueError:
        expected = "a number, 5-40, >30 or 10:43, or several with commas; words have the unit `text`"
        yield Fault(f"{shown(row['value'])} is no number", ("value",), expected)
        return
    if (unit == "clock") != (":" in row["value"]):
        yield Fault(f"{shown(row['value'])} in {unit}", ("value",), "clock times have the unit `clock`, and only they")


def _numbers(text: str) -> list[PublishedRange]:
    """The numbers that a value holds; raises ValueError where it holds none."""
    found = []
    for part in (piece.strip() for piece in text.split(",")):
        if ONE.fullmatch(part):
            found.append(PublishedRange(float(part), float(part)))
        elif match := RANGE.fullmatch(part):
            found.append(PublishedRange(*sorted((float(match[1]), float(match[2])))))
        elif match := BOUND.fullmatch(part):
            found.append(
                PublishedRange(-math.inf, float(match[2]))
                if match[1] == "<"
                else PublishedRange(float(match[2]), math.inf)
            )
        elif (time := parse_clock(part)) is not None:
            found.append(PublishedRange(time, time))
        elif (match := TIMES.fullmatch(part)) and (start := parse_clock(match[1])) is not None:
            end = parse_clock(match[2]) or 0.0
            found.append(PublishedRange(start, end if end >= start else end + 24))  # over midnight
        else:
            raise ValueError(part)
    return found


def _located(fault: Fault, table: CsvTable, at: CsvRow, row: dict[str, str]) -> Fault:
    """The fault at its cell; its path is the fact's id and the column."""
    column = str(fault.path[0])
    return table.located(replace(fault, path=(row["id"] or "?", column)), at, list(row).index(column))
