"""Event records as arrays, and everything in them that contradicts itself or the model.

Each record's values hold over the interval that ends at it. A missing value of a parameter is that of the individual's
next record that has one, else of the last one that had; without any, the model's.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, listed, shown
from ldnsim.foundation.units import coherent, declared
from ldnsim.model.system import molar_mass
from ldnsim.simulation.nonmem.columns import Columns, faults_at, place_of
from ldnsim.simulation.nonmem.consistency import dose_faults, order_faults, way_faults
from ldnsim.simulation.nonmem.event_table import Records
from ldnsim.simulation.nonmem.targets import Target, find_target, targets_of

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.model.records import Model
    from ldnsim.model.system import System
    from ldnsim.scenario.changes import Setting

__all__ = ["records_of"]

MANY = 2**53
DOSE_COLUMNS = (("AMT", np.nan), ("RATE", 0.0), ("II", 0.0), ("ADDL", 0, MANY), ("SS", 0, 2))  # missing, most if whole
RESTS_ON: dict[object, tuple[str | int, ...]] = {
    "II": ("II", "ADDL", "SS", "RATE")
}  # what is told of II follows from these


def records_of(frame: pd.DataFrame, model: Model, setting: Setting, system: System) -> tuple[Records, list[str]]:
    """The records of a data frame, and notes on columns that were not used or stand for parameters.

    Raises LdnsimError with every fault of the data set, by row (from 1, below the header) and column.
    """
    columns = Columns(frame)
    targets, unfit = targets_of(model, setting, system)
    meant, ignored = _parameter_columns(columns, setting, system)
    evid = columns.whole("EVID", 0, 4)
    row = np.flatnonzero((evid == 1) | (evid == 4))
    person, people = _people(columns)
    target = _targets(columns, row, targets, len(system.states))
    dose = {name: _of_doses(columns, name, row, *rest) for name, *rest in DOSE_COLUMNS}
    time = columns.numbers("TIME")
    masses = {name: molar_mass(model, record.of) for name, record in setting.parameters.items()}
    factors = {name: declared(record.value.unit, masses[name]) for name, record in setting.parameters.items()}
    given = {system.parameters.index(name): columns.numbers(column) * factors[name] for column, name in meant.items()}
    base = np.array([coherent(setting.values[name], masses[name]) for name in system.parameters])
    factor = np.array([to.factor for to in targets] + [1.0])[target]
    records = Records(
        people,
        targets,
        person,
        time,
        evid >= 3,
        row,
        target,
        np.where(np.isnan(dose["AMT"]), 0.0, dose["AMT"]) * factor,
        np.where(dose["RATE"] > 0, dose["RATE"] * factor, dose["RATE"]),
        dose["II"],
        dose["ADDL"],
        dose["SS"],
        {index: _filled(values, person, base[index]) for index, values in given.items()},
        base,
    )
    unread = {fault.path for fault in columns.faults}
    contradictions = [*dose_faults(records, dose), *way_faults(records, system)]
    contradictions += order_faults(records) if "TIME" in columns else []
    faults = [*columns.faults, *(unfit if np.any(target < 0) else [])]
    faults += [
        fault
        for fault in contradictions
        if unread.isdisjoint((fault.path[0], column) for column in RESTS_ON.get(fault.path[-1], (fault.path[-1],)))
    ]
    if faults:
        raise LdnsimError(islice(sorted(dict.fromkeys(faults), key=_row), MOST_FAULTS))
    return records, _notes(meant, given, ignored)


def _of_doses(columns: Columns, name: str, row: np.ndarray, missing: float, most: int | None = None) -> np.ndarray:
    """A column's values for the doses; a fault for any other record that has one."""
    if name not in columns:
        return np.full(len(row), missing)
    found = columns.numbers(name, missing) if most is None else columns.whole(name, 0, most)
    stray = np.setdiff1d(np.flatnonzero(found), row, assume_unique=True)
    stray = stray[~np.isnan(found[stray])]
    what = f"{name} on a record that gives no dose (EVID 0, 2 or 3)"
    columns.faults += faults_at(stray, name, what, "0 or .")
    doses: np.ndarray = found[row]
    return doses


def _row(fault: Fault) -> int:
    """Faults of the header first, then by row."""
    place = str(fault.path[0]) if fault.path else ""
    return int(place.split()[1]) if place.startswith("row ") else 0


def _parameter_columns(columns: Columns, setting: Setting, system: System) -> tuple[dict[str, str], list[str]]:
    """(column -> the parameter that it stands for, columns that stand for none)."""
    meant: dict[str, str] = {}
    ignored = []
    for column in columns.others():
        found = _called(column, system)
        if len(found) > 1:
            message = f"column {shown(column)} may be several parameters"
            columns.faults.append(Fault(message, ("header",), listed(found)))
        elif found and found[0] in meant.values():
            other = next(known for known, name in meant.items() if name == found[0])
            message = f"columns {shown(other)} and {shown(column)} are both {found[0]}"
            columns.faults.append(Fault(message, ("header",), "one of them"))
        elif found:
            meant[column] = found[0]
        else:
            ignored.append(column)
    return meant, ignored


def _called(column: str, system: System) -> list[str]:
    """The parameters that a column may stand for: by whole or bare name, first as written, then in any case."""
    for same in (str, str.lower):
        whole = [name for name in system.parameters if same(name) == same(column)]
        bare = [name for name in system.parameters if same(name.split(".")[1]) == same(column)]
        if whole or bare:
            return whole or bare
    return []


def _people(columns: Columns) -> tuple[np.ndarray, list[str]]:
    """Who each record is of, from 0; and the individuals' names."""
    rows = len(columns.frame)
    if "ID" not in columns or not rows:
        return np.zeros(rows, np.int64), []
    codes, names = columns.labels("ID")
    nobody = np.array([name is None for name in names])
    if nobody.any():
        missing = np.flatnonzero(nobody[codes])
        columns.faults += faults_at(missing, "ID", "a record of nobody", "the individual's number or name")
    begins = np.append(True, codes[1:] != codes[:-1])
    first = np.flatnonzero(begins)
    who = codes[first]
    again = np.ones(len(who), bool)
    again[np.unique(who, return_index=True)[1]] = False
    columns.faults += faults_at(
        first[again & ~nobody[who]],
        "ID",
        lambda row: f"{names[codes[row]]} was told of further up",
        "all records of an individual one after the other",
    )
    return np.cumsum(begins) - 1, [str(names[code]) for code in who.tolist()]


def _targets(columns: Columns, row: np.ndarray, targets: list[Target], numbered: int) -> np.ndarray:
    """Where each dose goes; -1 where that cannot be understood."""
    target = np.full(len(row), -1)
    if "CMT" not in columns:
        if len(row):
            columns.faults.append(Fault("there are doses, but there is no column CMT", ("header",), "CMT"))
        return target
    codes, names = columns.labels("CMT")
    off = np.array([name is not None and name.startswith("-") for name in names])
    if off.any():
        negative = np.flatnonzero(off[codes])
        what = "compartments cannot be switched off"
        columns.faults += faults_at(negative, "CMT", lambda at: f"{names[codes[at]]}: {what}", "no minus")
    given = codes[row]
    for code in np.unique(given).tolist():
        name, here = names[code], given == code
        found: int | Fault = Fault("a dose into no compartment", (), "the number or name of a compartment")
        if name not in (None, "0"):
            found = find_target(str(name), targets, numbered)
        if not isinstance(found, Fault):
            target[here] = found
        elif not off[code]:
            columns.faults += (found.under(*place_of(at, "CMT")) for at in row[here][:MOST_FAULTS].tolist())
    return target


def _filled(values: np.ndarray, person: np.ndarray, base: float) -> np.ndarray:
    """Missing values from the individual's next record that has one, else from the last one before, else `base`."""
    known = ~np.isnan(values)
    if known.all():
        return values
    rows, size = np.arange(len(values)), len(values)
    following = np.minimum.accumulate(np.where(known, rows, size)[::-1])[::-1]
    before = np.maximum.accumulate(np.where(known, rows, -1))
    followed = (following < size) & (person[np.minimum(following, size - 1)] == person)
    preceded = (before >= 0) & (person[np.maximum(before, 0)] == person)
    source = np.where(followed, following, np.where(preceded, before, 0))
    return np.where(followed | preceded, values[np.minimum(source, size - 1)], base)


def _notes(meant: dict[str, str], given: dict[int, np.ndarray], ignored: list[str]) -> list[str]:
    notes = []
    if meant:
        notes.append("Columns taken for parameters: " + ", ".join(f"{c} ({name})" for c, name in meant.items()) + ".")
    if ignored:
        notes.append(f"Columns that were not used: {listed(ignored)}.")
    gaps = sum(int(np.isnan(values).sum()) for values in given.values())
    if gaps:
        notes.append(f"{gaps} missing values of parameters were filled from the individual's next or last record.")
    return notes
