"""Files -> records. Everything that is wrong with them is told at once, with file, line and column."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ldnsim.checks import model_faults, part_faults, scenario_faults
from ldnsim.errors import MOST_FAULTS, Fault, LdnsimError, Lost, clipped, listed, nearest, shown
from ldnsim.fields import Record
from ldnsim.model import Model, Part
from ldnsim.reading import Reading, read_record
from ldnsim.references import read_bibliography
from ldnsim.scenario import Scenario
from ldnsim.yaml import HOLE, Document, read_document, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FORMATS",
    "LIBRARY",
    "check_file",
    "find_any",
    "library",
    "load_bibliography",
    "load_model",
    "load_scenario",
    "source_text",
]

R = TypeVar("R", bound=Record)

FORMATS: dict[str, type[Record]] = {"ldnsim-part/1": Part, "ldnsim-model/1": Model, "ldnsim-scenario/1": Scenario}
FORMAT_OF = {record_type: form for form, record_type in FORMATS.items()}
KIND_OF = {Part: "part", Model: "model", Scenario: "scenario"}
TELLING_KEYS = {
    "equations": Part,
    "exports": Part,
    "slots": Model,
    "inputs": Model,
    "arms": Scenario,
    "question": Scenario,
}
FORMAT_LINE = re.compile(r"^format:\s*[\"']?([^\s\"'#]+)", re.M)
SUFFIXES = (".yaml", ".yml")
BIBLIOGRAPHY = "references.bib"
MOST_PARTS = 200  # in one model
MOST_FILES = 500  # of a folder, looked at to name the nearest one


def _library_folder() -> Path:
    """The folder that holds `models` and `scenarios`: inside the package when installed, beside it in a clone."""
    package = Path(__file__).resolve().parent
    return package if (package / "models").is_dir() else package.parent


LIBRARY = _library_folder()


def load_model(name: str | Path, account: str | None = None, **alternatives: str) -> Model:
    """A model by name (from the library) or path, with all its parts.

    With `account`, or with alternatives (`occupancy="occupancy_plasma"`), the model holds that one account only.
    Raises LdnsimError with all faults of the model's file and of its parts' files.
    """
    model = _Files().sound(_find(name, "models"), Model)
    if account is None and not alternatives:
        return model
    faults = []
    if account is not None and account not in model.accounts:
        faults.append(
            Fault(
                f"model {model.name} has no account {account!r}",
                (),
                listed(model.accounts),
                nearest(account, model.accounts),
            )
        )
    for slot, part in alternatives.items():
        if slot not in model.slots:
            faults.append(
                Fault(f"model {model.name} has no slot {slot!r}", (), listed(model.slots), nearest(slot, model.slots))
            )
        elif part not in (names := [alternative.name for alternative in model.slots[slot]]):
            faults.append(
                Fault(f"slot {slot} has no alternative {part!r}", (), listed(names), nearest(str(part), names))
            )
    if faults:
        raise LdnsimError(faults)
    return model.with_account(account, **alternatives)


def load_scenario(name: str | Path) -> Scenario:
    """A scenario by name (from the library) or path, with its model; raises LdnsimError with all faults of all files."""
    return _Files().sound(_find(name, "scenarios"), Scenario)


def find_any(name: str | Path) -> Record:
    """A model, part or scenario by name (looked for in this order) or path; raises LdnsimError with all faults."""
    if _is_path(name):
        return check_file(Path(name))
    known = {**library("scenarios"), **library("parts"), **library("models")}
    if str(name) not in known:
        expected = f"a path that ends in .yaml, or one of {listed(known)}"
        raise LdnsimError(
            Fault(f"there is no model, part or scenario {shown(str(name))}", (), expected, nearest(str(name), known))
        )
    return check_file(known[str(name)])


def load_bibliography(folder: Path | None = None) -> dict[str, str]:
    """source key -> citation, from the library's references and those in `references.bib` of a folder."""
    files = [LIBRARY / "models" / BIBLIOGRAPHY]
    if folder is not None and _is_file(folder / BIBLIOGRAPHY):
        files.append(folder / BIBLIOGRAPHY)
    return {key: citation for file in files for key, citation in read_bibliography(read_text(file)).items()}


def library(kind: str) -> dict[str, Path]:
    """name -> path of what the library holds: kind is "models", "parts" or "scenarios"."""
    return _files_in(
        LIBRARY / ("scenarios" if kind == "scenarios" else "models"),
        {f"{name}s": t for t, name in KIND_OF.items()}[kind],
    )


def check_file(path: Path | str) -> Record:
    """Any file of ours, read as what its `format` says it is; raises LdnsimError with all faults."""
    return _Files().sound(Path(path), None)


def source_text(name: str | Path, folder: str) -> str:
    """The text of a scenario or model file, as it was read."""
    return read_text(_find(name, folder))


# --- finding


def _is_path(name: str | Path) -> bool:
    return Path(name).suffix in SUFFIXES or len(Path(name).parts) > 1


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or one that holds NUL
        return False


def _find(name: str | Path, folder: str) -> Path:
    if _is_path(name):
        return Path(name)
    found = LIBRARY / folder / f"{name}.yaml"
    if _is_file(found):
        return found
    known = library(folder)
    expected = f"a path that ends in .yaml, or one of {listed(known)}"
    raise LdnsimError(Fault(f"there is no {folder[:-1]} {shown(str(name))}", (), expected, nearest(str(name), known)))


def _format_line(path: Path) -> str:
    """The format that a file says it has; "" where it says none, or cannot be read."""
    try:
        found = FORMAT_LINE.search(read_text(path))
    except LdnsimError:
        return ""
    return found[1] if found else ""


def _files_in(folder: Path, record_type: type[Record]) -> dict[str, Path]:
    return {
        path.stem: path
        for path in islice(sorted(folder.glob("*.yaml")), MOST_FILES)
        if _format_line(path) == FORMAT_OF[record_type]
    }


# --- reading


class _Files:
    """Reads files that name each other; each of them once."""

    def __init__(self) -> None:
        self.readings: dict[Path, Reading[Any]] = {}
        self.sources: dict[Path, frozenset[str]] = {}
        self.stems: dict[tuple[Path, type[Record]], list[str]] = {}

    def sound(self, path: Path, record_type: type[R] | None) -> Any:
        """The record of a file without fault."""
        reading = self.read(path, record_type)
        if reading.faults or reading.record is None:
            raise LdnsimError(reading.faults)
        return reading.record

    def read(self, path: Path, record_type: type[R] | None) -> Reading[Any]:
        """What a file and those that it names hold, with all their faults, located. None for any kind of record."""
        if path not in self.readings:
            try:
                self.readings[path] = self._read(read_document(path), path, record_type)
            except LdnsimError as caught:
                self.readings[path] = Reading(None, caught.faults)
        return self.readings[path]

    def _read(self, document: Document, path: Path, wanted: type[R] | None) -> Reading[Any]:
        content, faults = dict(document.content), list(document.faults)
        found, fault = _record_type(content, wanted)
        if fault is not None:
            faults.append(document.locate(fault))
        if found is None:
            return Reading(None, tuple(faults))
        content["format"] = FORMAT_OF[found]
        others: list[Fault] = []  # of other files
        lost = Lost()
        if found is Scenario:
            own, others, lost = self._with_model(content, path.parent)
        elif found is Model:
            own, others, lost = self._with_parts(content, path.parent)
        else:
            own = []
        reading = read_record(found, content, lost)
        own += [*reading.faults, *self._checked(reading, path.parent, sound=not others)]
        faults += [document.locate(fault) for fault in own]
        if isinstance(reading.record, Scenario):
            reading.record.remember_text(document.text)
        in_order = sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column))
        return Reading(reading.record, (*in_order[:MOST_FAULTS], *others), reading.lost)

    def _checked(self, reading: Reading[Any], folder: Path, *, sound: bool) -> Iterable[Fault]:
        """What is wrong beyond the schema. `sound` says that the files which this one names are without fault."""
        record, lost = reading.record, reading.lost
        if isinstance(record, Part):
            return part_faults(record, self._sources(folder), lost)
        if isinstance(record, Model):
            return model_faults(record, self._sources(folder), lost, sound=sound)
        if isinstance(record, Scenario):
            return scenario_faults(record, lost, model_stands=sound and not lost.touches("model"))
        return []

    def _sources(self, folder: Path) -> frozenset[str]:
        if folder not in self.sources:
            self.sources[folder] = frozenset(load_bibliography(folder))
        return self.sources[folder]

    def _with_model(self, content: dict[str, Any], folder: Path) -> tuple[list[Fault], list[Fault], Lost]:
        """Puts the model in the place of its name. Returns own faults, those of other files, and what is lost."""
        if not isinstance(content.get("model"), str):
            strange = "model" in content and content["model"] not in (HOLE, None)
            if strange:
                content["model"] = HOLE
            return (
                [Fault("a scenario names its model", ("model",), "model: ldn")] if strange else [],
                [],
                Lost([("model",)]),
            )
        reading, fault = self._named(content["model"], folder, Model, ("model",))
        content["model"] = HOLE if reading.record is None else reading.record
        lost = Lost([("model",)]) if reading.record is None else Lost(reading.lost.under("model"))
        return [fault] if fault else [], list(reading.faults), lost

    def _with_parts(self, content: dict[str, Any], folder: Path) -> tuple[list[Fault], list[Fault], Lost]:
        """Puts parts in the place of their names. Returns own faults, those of other files, and what is lost."""
        slots = content.get("slots")
        if not isinstance(slots, dict):
            return [], [], Lost()
        own: list[Fault] = []
        others: list[Fault] = []
        lost: list[tuple[str | int, ...]] = []
        content["slots"] = {}
        count = 0
        for slot, named in slots.items():
            names = named if isinstance(named, list) else [named]
            parts: list[object] = []
            for index, name in enumerate(names):
                path: tuple[str | int, ...] = ("slots", slot, index) if named is names else ("slots", slot)
                count += 1
                if count > MOST_PARTS or (not isinstance(name, str) and name is not HOLE):
                    message = (
                        "too many parts"
                        if count > MOST_PARTS
                        else "a slot holds the name of a part, or a list of names"
                    )
                    own.append(
                        Fault(
                            message,
                            path,
                            f"at most {MOST_PARTS}" if count > MOST_PARTS else "slot: part",
                            at_key=name is None,
                        )
                    )
                    lost.append(("slots", slot))
                    break
                reading, fault = (
                    self._named(name, folder, Part, path) if isinstance(name, str) else (Reading[Part](None), None)
                )
                own += [fault] if fault else []
                others += reading.faults
                if reading.record is not None:
                    parts.append(reading.record)
                if reading.record is None or reading.lost:
                    lost.append(("slots", slot))
            if not names:
                own.append(Fault("an empty slot", ("slots", slot), "the name of a part"))
                lost.append(("slots", slot))
            content["slots"][slot] = parts
            if count > MOST_PARTS:
                break
        return own, list(islice(dict.fromkeys(others), MOST_FAULTS)), Lost(lost)

    def _stems(self, folder: Path, record_type: type[Record]) -> list[str]:
        if (folder, record_type) not in self.stems:
            self.stems[folder, record_type] = list(_files_in(folder, record_type))
        return self.stems[folder, record_type]

    def _named(
        self, name: str, folder: Path, record_type: type[R], path: tuple[str | int, ...]
    ) -> tuple[Reading[R], Fault | None]:
        """What the file holds that `name` stands for: one beside the file that names it, else one of the library."""
        kind = KIND_OF[record_type]  # type: ignore[index]
        file_name = name if name.endswith(SUFFIXES) else f"{name}.yaml"
        places = [Path(os.path.normpath(folder / file_name)), LIBRARY / "models" / file_name]
        there = [file for file in places if _is_file(file)]
        fitting = [file for file in there if _format_line(file) == FORMAT_OF[record_type]]
        file = next(iter(fitting or there), None)
        if file is None:
            lead = name.removesuffix(Path(name).name)  # the name may lead through other folders
            known = [lead + stem for stem in self._stems(places[0].parent, record_type)] + self._stems(
                LIBRARY / "models", record_type
            )
            expected = f"a file {clipped(file_name)} beside this one, or one of {listed(dict.fromkeys(known))}"
            return Reading(None), Fault(f"there is no {kind} {shown(name)}", path, expected, nearest(name, known))
        other = FORMATS.get(_format_line(file))
        if other is not None and other is not record_type:
            known = self._stems(LIBRARY / "models", record_type)
            return Reading(None), Fault(
                f"{shown(name)} is a {KIND_OF[other]}, not a {kind}", path, f"a {kind}, such as {listed(known)}"
            )  # type: ignore[index]
        reading: Reading[R] = self.read(file, record_type)
        if isinstance(reading.record, Part) and reading.record.name != file.stem and not reading.lost.touches("name"):
            message = f"the file {file.name} holds a part that is named {reading.record.name!r}"
            return reading, Fault(message, path, "a file and its part of one name")
        return reading, None


def _record_type(content: dict[str, Any], wanted: type[R] | None) -> tuple[type[Record] | None, Fault | None]:
    """What kind of record a file holds, and what is wrong with how it says so."""
    found = content.get("format")
    guess = next((record_type for key, record_type in TELLING_KEYS.items() if key in content), wanted)
    expected = FORMAT_OF[wanted] if wanted else " or ".join(FORMATS)
    if "format" not in content:
        return guess, Fault("'format' is missing", expected=expected)
    if found is HOLE:
        return guess, None
    if isinstance(found, str) and found in FORMATS:
        if wanted is None or FORMATS[found] is wanted:
            return FORMATS[found], None
        return None, Fault(f"this is a {KIND_OF[FORMATS[found]]}, not a {KIND_OF[wanted]}", ("format",), expected)  # type: ignore[index]
    if isinstance(found, str) and re.fullmatch(r"ldnsim-(part|model|scenario)/[0-9.]+", found):
        return None, Fault(f"this version of ldnsim cannot read {found[:60]!r}", ("format",), expected)
    message = f"unknown format {shown(found)}" if isinstance(found, str) else f"{shown(found)} is no format"
    return guess, Fault(message, ("format",), expected, nearest(str(found)[:60], FORMATS))
