"""Files that name each other -> records, in three stages for each file: YAML, schema, cross-checks.

The schema stage of a file includes the files that it names: all their faults are reported together. Cross-checks of a
file run once it and all files that it names are without fault, so that a check can rely on every record it is given.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, clipped, listed, nearest, shown
from ldnsim.foundation.fields import Record
from ldnsim.foundation.yaml import Document, read_document
from ldnsim.library.bibliography import load_bibliography
from ldnsim.library.checks import (
    datum_faults,
    fit_faults,
    model_faults,
    part_faults,
    prediction_faults,
    scenario_faults,
)
from ldnsim.library.fit_file import Datum, Fit
from ldnsim.library.index import FORMAT_NAMES, LIBRARY, SUFFIXES, files_of_format, format_line, is_file
from ldnsim.library.observations import observations
from ldnsim.library.people_table import read_people
from ldnsim.library.predictions import Predictions
from ldnsim.library.reading import read_record
from ldnsim.model.records import Model, Part
from ldnsim.scenario.scenario import Scenario
from ldnsim.scenario.uncertainty import StoredFit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["FORMATS", "Loader"]

R = TypeVar("R", bound=Record)
Steps = tuple[str | int, ...]

RECORDS: dict[str, type[Record]] = {
    "part": Part, "model": Model, "scenario": Scenario, "fit": Fit, "predictions": Predictions,
}  # fmt: skip
FORMATS = {FORMAT_NAMES[kind]: record_type for kind, record_type in RECORDS.items()}
KIND_OF = {record_type: kind for kind, record_type in RECORDS.items()}
# which kind of file a key belongs to, for files that do not say it
DISTINCTIVE_KEYS: dict[str, type[Record]] = {
    "equations": Part, "exports": Part, "slots": Model, "inputs": Model, "estimate": Fit, "tables": Fit,
    "facts": Predictions,
    "arms": Scenario, "question": Scenario,
}  # fmt: skip
MOST_NEIGHBOURS = 200  # files of a folder, looked at to name the nearest one
MOST_PARTS = 200  # in one model
NO_PART = "a slot holds the name of a part, or a list of names"


class Loaded(NamedTuple):
    """What a file holds: its record (None where a file does not fit its schema), and all faults, located."""

    record: Record | None
    faults: tuple[Fault, ...]


@dataclass
class _Draft:
    """A file's content while the records that it names take the place of their names, and the faults found so far."""

    document: Document
    content: dict[str, Any]
    folder: Path
    faults: list[Fault] = field(default_factory=list)  # of this file; their paths lead through it
    faults_of_named: list[Fault] = field(default_factory=list)  # of the files that it names, with their places
    unresolved: list[Steps] = field(default_factory=list)  # where names stand whose files have no record

    def loaded(self, record: Record | None, faults: Iterable[Fault] = ()) -> Loaded:
        """The record with these faults of this file, in order, and those of the files that it names."""
        own = dict.fromkeys(map(self.document.locate, faults))
        in_order = sorted(own, key=lambda fault: (fault.line, fault.column))
        return Loaded(record, (*in_order[:MOST_FAULTS], *dict.fromkeys(self.faults_of_named)))

    def refuse(self, path: Steps, caught: LdnsimError) -> None:
        """Keep the faults of a file that cannot be used."""
        (self.faults_of_named if caught.faults[0].file else self.faults).extend(caught.faults)
        self.unresolved.append(path)


class Loader:
    """Reads files that name each other; each of them once."""

    def __init__(self) -> None:
        self.files: dict[tuple[Path, type[Record] | None], Loaded] = {}
        self.sources: dict[Path, dict[str, str] | LdnsimError] = {}
        self.stems: dict[tuple[Path, type[Record]], list[str]] = {}

    def record(self, path: Path, record_type: type[R]) -> R:
        """The record of a file of one kind; `Record` stands for any. Raises LdnsimError with all faults."""
        loaded = self.load(path, None if record_type is Record else record_type)
        if loaded.faults or not isinstance(loaded.record, record_type):
            raise LdnsimError(loaded.faults)
        return loaded.record

    def load(self, path: Path, wanted: type[Record] | None) -> Loaded:
        """What a file holds, and the faults of it and of all files that it names. None for any kind of record."""
        key = path, wanted or FORMATS.get(format_line(path))
        if key not in self.files:
            try:
                self.files[key] = self._load(read_document(path), path.parent, key[1])
            except LdnsimError as caught:
                self.files[key] = Loaded(None, caught.faults)
        return self.files[key]

    def _load(self, document: Document, folder: Path, wanted: type[Record] | None) -> Loaded:
        draft = _Draft(document, dict(document.content), folder)
        if document.faults:
            return Loaded(None, tuple(document.faults))
        record_type, fault = _record_type(document.content, wanted)
        if fault is not None:
            draft.faults.append(fault)
        if record_type is None:
            return draft.loaded(None, draft.faults)
        draft.content["format"] = FORMAT_NAMES[KIND_OF[record_type]]
        self._put_named(draft, record_type)
        record, found = read_record(record_type, draft.content, draft.unresolved)
        if draft.faults or record is None:
            return draft.loaded(None, [*draft.faults, *found])
        self._remember(record, draft)
        if draft.faults or draft.faults_of_named:
            return draft.loaded(record, draft.faults)
        return draft.loaded(record, self._cross_faults(record, folder))

    def _put_named(self, draft: _Draft, record_type: type[Record]) -> None:
        """The records of the files that a file names in the place of their names."""
        if record_type in (Scenario, Fit):
            self._put_model(draft, KIND_OF[record_type])
        if record_type is Scenario:
            _put_people(draft)
            _put_fit(draft)
        if record_type is Model:
            self._put_parts(draft)
        if record_type in (Part, Model, Fit):
            sources = self._sources(draft.folder)
            draft.faults_of_named += sources.faults if isinstance(sources, LdnsimError) else ()

    def _remember(self, record: Record, draft: _Draft) -> None:
        """What a record keeps of its file besides its fields."""
        if isinstance(record, Scenario):
            record.remember_text(draft.document.text)
        elif isinstance(record, Fit):
            record.remember(draft.document.text, {}, draft.folder)
            if not draft.faults_of_named:
                record.remember(draft.document.text, _rows(record, draft), draft.folder)

    def _cross_faults(self, record: Record, folder: Path) -> Iterable[Fault]:
        """What is wrong beyond the schema with a file that is otherwise, with all that it names, without fault."""
        sources = self.sources.get(folder, {})
        assert not isinstance(sources, LdnsimError)
        match record:
            case Part():
                return part_faults(record, sources)
            case Model():
                return model_faults(record, sources)
            case Scenario():
                return scenario_faults(record)
            case Fit():
                return fit_faults(record, sources)
            case Predictions():
                return prediction_faults(record)
        return []

    def _sources(self, folder: Path) -> dict[str, str] | LdnsimError:
        """The library's references and those beside the file, or why these cannot be read."""
        if folder not in self.sources:
            try:
                self.sources[folder] = load_bibliography(folder)
            except LdnsimError as caught:
                self.sources[folder] = caught
        return self.sources[folder]

    def _put_model(self, draft: _Draft, kind: str) -> None:
        name, path = draft.content.get("model"), ("model",)
        if isinstance(name, str):
            record = self._named(name, draft, Model, path)
            draft.content["model"] = name if record is None else record
        elif name is not None:
            draft.faults.append(Fault(f"a {kind} names its model", path, "model: ldn"))
            draft.unresolved.append(path)

    def _put_parts(self, draft: _Draft) -> None:
        slots = draft.content.get("slots")
        if not isinstance(slots, dict):
            return
        filled: dict[str, list[object]] = {slot: [] for slot in slots}
        draft.content["slots"] = filled
        for number, (slot, path, name) in enumerate(_names_in(slots, draft)):
            if number >= MOST_PARTS:
                draft.faults.append(Fault("too many parts", path, f"at most {MOST_PARTS}"))
                draft.unresolved.append(("slots",))
                return
            record: object = None
            if isinstance(name, str):
                record = self._named(name, draft, Part, path)
            else:
                draft.faults.append(Fault(NO_PART, path, "slot: part", at_key=name is None))
                draft.unresolved.append(path)
            filled[slot].append(str(name) if record is None else record)

    def _named(self, name: str, draft: _Draft, record_type: type[R], path: Steps) -> R | None:
        """The record of the file that `name` stands for: one beside the file that names it, else one of the library.

        None where there is none that fits its schema: its faults are kept in the draft.
        """
        kind = KIND_OF[record_type]
        file_name = name if name.endswith(SUFFIXES) else f"{name}.yaml"
        places = [Path(os.path.normpath(draft.folder / file_name)), LIBRARY / "models" / file_name]
        there = [file for file in places if is_file(file)]
        fitting = [file for file in there if format_line(file) == FORMAT_NAMES[kind]]
        file = next(iter(fitting or there), None)
        other = None if file is None else FORMATS.get(format_line(file))
        record = None
        if file is None:
            lead = name.removesuffix(Path(name).name)  # the name may lead through other folders
            beside = [lead + stem for stem in self._stems(places[0].parent, record_type)]
            known = dict.fromkeys([*beside, *self._stems(LIBRARY / "models", record_type)])
            expected = f"a file {clipped(file_name)} beside this one, or one of {listed(known)}"
            draft.faults.append(Fault(f"there is no {kind} {shown(name)}", path, expected, nearest(name, known)))
        elif other is not None and other is not record_type:
            expected = f"a {kind}, such as {listed(self._stems(LIBRARY / 'models', record_type))}"
            draft.faults.append(Fault(f"{shown(name)} is a {KIND_OF[other]}, not a {kind}", path, expected))
        else:
            loaded = self.load(file, record_type)
            draft.faults_of_named += loaded.faults
            record = loaded.record if isinstance(loaded.record, record_type) else None
            if isinstance(record, Part) and record.name != file.stem:
                message = f"the file {file.name} holds a part that is named {record.name!r}"
                draft.faults.append(Fault(message, path, "a file and its part of one name"))
        if record is None:
            draft.unresolved.append(path)
        return record

    def _stems(self, folder: Path, record_type: type[Record]) -> list[str]:
        if (folder, record_type) not in self.stems:
            self.stems[folder, record_type] = list(files_of_format(folder, FORMAT_NAMES[KIND_OF[record_type]]))
        return self.stems[folder, record_type]


def _rows(fit: Fit, draft: _Draft) -> dict[str, Datum]:
    """The observations of all tables of a fit, by table and line."""
    rows: dict[str, Datum] = {}
    for name, table in fit.tables.items():
        path = ("tables", name, "file")
        try:
            file = _beside(draft, table.file, path, f"there is no table {shown(table.file)}", "a CSV file")
            found, faults = observations(file, table, lambda datum: datum_faults(fit, datum, ("row",)))
            rows |= {f"{name}.{line}": datum for line, datum in found.items()}
            draft.faults_of_named += faults
        except LdnsimError as caught:
            draft.refuse(path, caught)
    return rows


def _put_people(draft: _Draft) -> None:
    """The table of people in the place of its file's name, and the size that it gives."""
    people = draft.content.get("population")
    if not isinstance(people, dict) or not isinstance(name := people.get("table"), str):
        return
    path = ("population", "table")
    people = draft.content["population"] = dict(people)
    try:
        table = read_people(_beside(draft, name, path, f"there is no file {shown(name)}", "a CSV file"))
    except LdnsimError as caught:
        draft.refuse(path, caught)
        people.setdefault("size", 1)  # which only the table says
        return
    people["table"] = table
    found = people.setdefault("size", table.rows)
    if isinstance(found, int) and found != table.rows:
        message = f"{found} people, and {table.rows} in {table.file}"
        draft.faults.append(Fault(message, ("population", "size"), f"{table.rows}, or no size"))


def _put_fit(draft: _Draft) -> None:
    """The result of a fit in the place of its file's name."""
    uncertainty = draft.content.get("uncertainty")
    if not isinstance(uncertainty, dict) or not isinstance(name := uncertainty.get("fit"), str):
        return
    path = ("uncertainty", "fit")
    uncertainty = draft.content["uncertainty"] = dict(uncertainty)
    try:
        kind = "a JSON file that a fit wrote"
        document = read_document(_beside(draft, name, path, f"there is no file {shown(name)}", kind))
        record, faults = read_record(StoredFit, document.content) if not document.faults else (None, [])
        if record is None:
            raise LdnsimError([*document.faults, *map(document.locate, faults)])
        uncertainty["fit"] = record
    except LdnsimError as caught:
        draft.refuse(path, caught)


def _beside(draft: _Draft, name: str, path: Steps, message: str, kind: str) -> Path:
    """The file of a name, beside the one that names it. Raises LdnsimError where there is none."""
    file = Path(os.path.normpath(draft.folder / name))
    if not is_file(file):
        names = [found.name for found in islice(sorted(draft.folder.glob(f"*{file.suffix}")), MOST_NEIGHBOURS)]
        raise LdnsimError(Fault(message, path, f"{kind} beside this one", nearest(name, names)))
    return file


def _names_in(slots: dict[str, object], draft: _Draft) -> Iterator[tuple[str, Steps, object]]:
    """(slot, path, name) of each part that the slots name. An empty slot is a fault."""
    for slot, names in slots.items():
        if not isinstance(names, list):
            yield slot, ("slots", slot), names
            continue
        if not names:
            draft.faults.append(Fault("an empty slot", ("slots", slot), "the name of a part"))
        for index, name in enumerate(names):
            yield slot, ("slots", slot, index), name


def _record_type(content: dict[str, Any], wanted: type[Record] | None) -> tuple[type[Record] | None, Fault | None]:
    """What kind of record a file holds, and what is wrong with how it says so."""
    found = content.get("format")
    guess = wanted or next((record_type for key, record_type in DISTINCTIVE_KEYS.items() if key in content), None)
    expected = FORMAT_NAMES[KIND_OF[wanted]] if wanted else " or ".join(FORMATS)
    if "format" not in content:
        return guess, Fault("'format' is missing", expected=expected)
    if not isinstance(found, str):
        return guess, Fault(f"{shown(found)} is no format", ("format",), expected)
    known = FORMATS.get(found)
    if known is not None and wanted in (None, known):
        return known, None
    if known is not None and wanted is not None:
        return None, Fault(f"this is a {KIND_OF[known]}, not a {KIND_OF[wanted]}", ("format",), expected)
    if re.fullmatch(rf"ldnsim-({'|'.join(RECORDS)})/[0-9.]+", found[:60]):
        return None, Fault(f"this version of ldnsim cannot read {shown(found)}", ("format",), expected)
    return guess, Fault(f"unknown format {shown(found)}", ("format",), expected, nearest(found, FORMATS))
