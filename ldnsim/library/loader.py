"""Files that name each other -> records: each is read once, and what is wrong with any of them is told together."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, Lost, clipped, listed, nearest, shown
from ldnsim.foundation.fields import Record
from ldnsim.foundation.yaml import HOLE, Document, read_document
from ldnsim.library.checks import (
    datum_faults,
    fit_faults,
    model_faults,
    part_faults,
    prediction_faults,
    scenario_faults,
)
from ldnsim.library.fit_file import Datum, Fit
from ldnsim.library.folders import (
    FORMAT_OF,
    FORMATS,
    KIND_OF,
    LIBRARY,
    SUFFIXES,
    files_in,
    format_line,
    is_file,
    load_bibliography,
)
from ldnsim.library.observations import observations
from ldnsim.library.people_table import read_people
from ldnsim.library.predictions import Predictions
from ldnsim.library.reading import ReadRecord, read_record
from ldnsim.model.records import Model, Part
from ldnsim.scenario.scenario import Scenario
from ldnsim.scenario.uncertainty import StoredFit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Loader"]

R = TypeVar("R", bound=Record)
Steps = tuple[str | int, ...]

TELLING_KEYS: dict[str, type[Record]] = {
    "equations": Part, "exports": Part, "slots": Model, "inputs": Model, "estimate": Fit, "tables": Fit,
    "facts": Predictions,
    "arms": Scenario, "question": Scenario,
}  # fmt: skip
MOST_BESIDE = 200  # files, looked at to name the nearest one
MOST_PARTS = 200  # in one model
NO_PART = "a slot holds the name of a part, or a list of names"


@dataclass
class _Draft:
    """A file's content while the records that it names are put into it, and what is found on the way."""

    content: dict[str, Any]
    folder: Path
    faults: list[Fault] = field(default_factory=list)  # of this file; their paths lead through it
    others: list[Fault] = field(default_factory=list)  # of the files that it names, with their places
    lost: set[Steps] = field(default_factory=set)


class Loader:
    """Reads files that name each other; each of them once."""

    def __init__(self) -> None:
        self.readings: dict[Path, ReadRecord[Any]] = {}
        self.sources: dict[Path, dict[str, str]] = {}
        self.stems: dict[tuple[Path, type[Record]], list[str]] = {}

    def sound(self, path: Path, record_type: type[R]) -> R:
        """The record of a file without fault; `Record` stands for any kind."""
        reading = self.read(path, None if record_type is Record else record_type)
        if reading.faults or not isinstance(reading.record, record_type):
            raise LdnsimError(reading.faults)
        return reading.record

    def read(self, path: Path, wanted: type[Record] | None) -> ReadRecord[Any]:
        """What a file and those that it names hold, with all their faults, located. None for any kind of record."""
        if path not in self.readings:
            try:
                self.readings[path] = self._read(read_document(path), path, wanted)
            except LdnsimError as caught:
                self.readings[path] = ReadRecord(None, caught.faults)
        return self.readings[path]

    def _read(self, document: Document, path: Path, wanted: type[Record] | None) -> ReadRecord[Any]:
        record_type, fault = _record_type(document.content, wanted)
        told = [document.locate(fault)] if fault else []
        if record_type is None:
            return ReadRecord(None, (*document.faults, *told))
        draft = _Draft({**document.content, "format": FORMAT_OF[record_type]}, path.parent)
        if record_type in (Scenario, Fit):
            self._put_model(draft)
        if record_type is Scenario:
            _put_people(draft)
            _put_fit(draft)
        if record_type is Model:
            self._put_parts(draft)
        reading = read_record(record_type, draft.content, Lost(draft.lost))
        sound = not draft.others
        if isinstance(reading.record, Scenario):
            reading.record.remember_text(document.text)
        elif isinstance(reading.record, Fit):
            reading.record.remember(document.text, self._rows(reading.record, reading.lost, draft), path.parent)
        draft.faults += [*reading.faults, *self._checked(reading, draft, sound=sound)]
        own = dict.fromkeys([*document.faults, *told, *map(document.locate, draft.faults)])
        in_order = sorted(own, key=lambda fault: (fault.line, fault.column))
        return ReadRecord(reading.record, (*in_order[:MOST_FAULTS], *dict.fromkeys(draft.others)), reading.lost)

    def _checked(self, reading: ReadRecord[Any], draft: _Draft, *, sound: bool) -> Iterable[Fault]:
        """What is wrong beyond the schema."""
        record, lost = reading.record, reading.lost
        if isinstance(record, Part):
            return part_faults(record, self._sources(draft), lost)
        if isinstance(record, Model):
            return model_faults(record, self._sources(draft), lost, sound=sound)
        if isinstance(record, Scenario):
            return scenario_faults(record, lost, model_stands=sound and not lost.touches("model"))
        if isinstance(record, Fit):
            return fit_faults(record, self._sources(draft), lost, model_stands=sound and not lost.touches("model"))
        if isinstance(record, Predictions):
            return prediction_faults(record, lost)
        return []

    def _rows(self, fit: Fit, lost: Lost, draft: _Draft) -> dict[str, Datum]:
        """The observations of all tables, by table and line."""
        rows: dict[str, Datum] = {}
        for name, table in fit.tables.items():
            path = Path(os.path.normpath(draft.folder / table.file))
            if not is_file(path):
                message = f"there is no table {shown(table.file)}"
                draft.faults.append(Fault(message, ("tables", name, "file"), "a CSV file beside this one"))
                draft.lost.add(("tables", name))
                continue
            try:
                found, faults = observations(path, table, lambda fact: datum_faults(fit, fact, ("row",), lost))
            except LdnsimError as caught:
                found, faults = {}, list(caught.faults)
            rows |= {f"{name}.{line}": fact for line, fact in found.items()}
            draft.others += faults
        return rows

    def _sources(self, draft: _Draft) -> dict[str, str]:
        """Keys of the library's references and of those beside the file."""
        if draft.folder not in self.sources:
            try:
                self.sources[draft.folder] = load_bibliography(draft.folder)
            except LdnsimError as caught:  # of the references beside the file
                draft.others += caught.faults
                self.sources[draft.folder] = load_bibliography()
        return self.sources[draft.folder]

    def _put_model(self, draft: _Draft) -> None:
        """The model in the place of its name."""
        name, path = draft.content.get("model"), ("model",)
        reading: ReadRecord[Model] = ReadRecord(None)
        if isinstance(name, str):
            reading = self._named(name, draft, Model, path)
        elif name is not None and name is not HOLE:
            draft.faults.append(
                Fault(f"a {KIND_OF[FORMATS[draft.content['format']]]} names its model", path, "model: ldn")
            )
        draft.lost |= {path} if reading.record is None else set(reading.lost.under("model"))
        if name is not None:
            draft.content["model"] = HOLE if reading.record is None else reading.record

    def _put_parts(self, draft: _Draft) -> None:
        """The parts in the place of their names."""
        slots = draft.content.get("slots")
        if not isinstance(slots, dict):
            return
        filled: dict[str, list[Part]] = {slot: [] for slot in slots}
        draft.content["slots"] = filled
        for number, (slot, path, name) in enumerate(_names_in(slots, draft)):
            if number >= MOST_PARTS:
                draft.faults.append(Fault("too many parts", path, f"at most {MOST_PARTS}"))
                draft.lost |= {("slots", other) for other in slots}
                return
            reading: ReadRecord[Part] = ReadRecord(None)
            if isinstance(name, str):
                reading = self._named(name, draft, Part, path)
            elif name is not HOLE:
                draft.faults.append(Fault(NO_PART, path, "slot: part", at_key=name is None))
            if reading.record is not None:
                filled[slot].append(reading.record)
            if reading.record is None or reading.lost:
                draft.lost.add(("slots", slot))

    def _named(self, name: str, draft: _Draft, record_type: type[R], path: Steps) -> ReadRecord[R]:
        """What the file holds that `name` stands for: one beside the file that names it, else one of the library."""
        kind = KIND_OF[record_type]
        file_name = name if name.endswith(SUFFIXES) else f"{name}.yaml"
        places = [Path(os.path.normpath(draft.folder / file_name)), LIBRARY / "models" / file_name]
        there = [file for file in places if is_file(file)]
        fitting = [file for file in there if format_line(file) == FORMAT_OF[record_type]]
        if not there:
            lead = name.removesuffix(Path(name).name)  # the name may lead through other folders
            beside = [lead + stem for stem in self._stems(places[0].parent, record_type)]
            known = dict.fromkeys([*beside, *self._stems(LIBRARY / "models", record_type)])
            expected = f"a file {clipped(file_name)} beside this one, or one of {listed(known)}"
            draft.faults.append(Fault(f"there is no {kind} {shown(name)}", path, expected, nearest(name, known)))
            return ReadRecord(None)
        file = (fitting or there)[0]
        other = FORMATS.get(format_line(file))
        if other is not None and other is not record_type:
            expected = f"a {kind}, such as {listed(self._stems(LIBRARY / 'models', record_type))}"
            draft.faults.append(Fault(f"{shown(name)} is a {KIND_OF[other]}, not a {kind}", path, expected))
            return ReadRecord(None)
        reading: ReadRecord[R] = self.read(file, record_type)
        draft.others += reading.faults
        record = reading.record
        if isinstance(record, Part) and record.name != file.stem and not reading.lost.touches("name"):
            message = f"the file {file.name} holds a part that is named {record.name!r}"
            draft.faults.append(Fault(message, path, "a file and its part of one name"))
        return reading

    def _stems(self, folder: Path, record_type: type[Record]) -> list[str]:
        if (folder, record_type) not in self.stems:
            self.stems[folder, record_type] = list(files_in(folder, record_type))
        return self.stems[folder, record_type]


def _put_people(draft: _Draft) -> None:
    """The table of people in the place of its file's name, and the size that it gives."""
    people = draft.content.get("population")
    if not isinstance(people, dict) or not isinstance(people.get("table"), str):
        return
    path = ("population", "table")
    people = draft.content["population"] = dict(people)
    try:
        table = read_people(_beside(draft, people["table"], path, "a CSV file"))
    except LdnsimError as caught:
        _lose(draft, path, people, caught)
        people.setdefault("size", 1)
        return
    people["table"] = table
    found = people.setdefault("size", table.rows)
    if isinstance(found, int) and found != table.rows:
        message = f"{found} people, and {table.rows} in {table.file}"
        draft.faults.append(Fault(message, ("population", "size"), f"{table.rows}, or no size"))


def _put_fit(draft: _Draft) -> None:
    """What a fit found in the place of its file's name."""
    doubt = draft.content.get("uncertainty")
    if not isinstance(doubt, dict) or not isinstance(doubt.get("fit"), str):
        return
    path = ("uncertainty", "fit")
    doubt = draft.content["uncertainty"] = dict(doubt)
    try:
        document = read_document(_beside(draft, doubt["fit"], path, "a JSON file that a fit wrote"))
        reading = read_record(StoredFit, document.content, Lost())
        if reading.record is None or reading.faults or document.faults:
            raise LdnsimError([*document.faults, *map(document.locate, reading.faults)])
        doubt["fit"] = reading.record
    except LdnsimError as caught:
        _lose(draft, path, doubt, caught)


def _beside(draft: _Draft, name: str, path: Steps, kind: str) -> Path:
    """The file of a name, looked for beside the one that names it."""
    file = Path(os.path.normpath(draft.folder / name))
    if not is_file(file):
        stems = [found.name for found in islice(sorted(draft.folder.glob(f"*{file.suffix}")), MOST_BESIDE)]
        raise LdnsimError(
            Fault(f"there is no file {shown(name)}", path, f"{kind} beside this one", nearest(name, stems))
        )
    return file


def _lose(draft: _Draft, path: tuple[str, str], holder: dict[str, Any], caught: LdnsimError) -> None:
    """A file that could not be read: told, and left out."""
    (draft.others if caught.faults[0].file else draft.faults).extend(caught.faults)
    draft.lost.add(path)
    holder[path[1]] = HOLE


def _names_in(slots: dict[str, object], draft: _Draft) -> Iterator[tuple[str, Steps, object]]:
    """(slot, path, name) of each part that the slots name; an empty slot is told."""
    for slot, names in slots.items():
        if not isinstance(names, list):
            yield slot, ("slots", slot), names
            continue
        if not names:
            draft.faults.append(Fault("an empty slot", ("slots", slot), "the name of a part"))
            draft.lost.add(("slots", slot))
        for index, name in enumerate(names):
            yield slot, ("slots", slot, index), name


def _record_type(content: dict[str, Any], wanted: type[Record] | None) -> tuple[type[Record] | None, Fault | None]:
    """What kind of record a file holds, and what is wrong with how it says so."""
    found = content.get("format")
    guess = wanted or next((record_type for key, record_type in TELLING_KEYS.items() if key in content), None)
    expected = FORMAT_OF[wanted] if wanted else " or ".join(FORMATS)
    if "format" not in content:
        return guess, Fault("'format' is missing", expected=expected)
    if found is HOLE:
        return guess, None
    if not isinstance(found, str):
        return guess, Fault(f"{shown(found)} is no format", ("format",), expected)
    known = FORMATS.get(found)
    if known is not None and wanted in (None, known):
        return known, None
    if known is not None and wanted is not None:
        return None, Fault(f"this is a {KIND_OF[known]}, not a {KIND_OF[wanted]}", ("format",), expected)
    if re.fullmatch(r"ldnsim-(part|model|scenario|fit|predictions)/[0-9.]+", found[:60]):
        return None, Fault(f"this version of ldnsim cannot read {shown(found)}", ("format",), expected)
    return guess, Fault(f"unknown format {shown(found)}", ("format",), expected, nearest(found, FORMATS))
