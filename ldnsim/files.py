"""Files -> records. Everything that is wrong with them is told at once, with file, line and column."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import ValidationError

from ldnsim.checks import model_faults, part_faults, scenario_faults
from ldnsim.errors import Fault, LdnsimError, nearest
from ldnsim.fields import Record, faults_of
from ldnsim.model import Model, Part
from ldnsim.references import read_bibliography
from ldnsim.scenario import Scenario
from ldnsim.yaml import Document, read_document

__all__ = ["LIBRARY", "check_file", "library", "load_bibliography", "load_model", "load_scenario"]

R = TypeVar("R", bound=Record)

FORMATS: dict[str, type[Record]] = {"ldnsim-part/1": Part, "ldnsim-model/1": Model, "ldnsim-scenario/1": Scenario}


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
    model = _load(_find(name, "models"), Model)
    if account is None and not alternatives:
        return model
    faults = []
    if account is not None and account not in model.accounts:
        faults.append(Fault(f"model {model.name} has no account {account!r}", (), ", ".join(model.accounts), nearest(account, model.accounts)))
    for slot, part in alternatives.items():
        if slot not in model.slots:
            faults.append(Fault(f"model {model.name} has no slot {slot!r}", (), ", ".join(model.slots), nearest(slot, model.slots)))
        elif part not in (names := [alternative.name for alternative in model.slots[slot]]):
            faults.append(Fault(f"slot {slot} has no alternative {part!r}", (), ", ".join(names), nearest(part, names)))
    if faults:
        raise LdnsimError(faults)
    return model.with_account(account, **alternatives)


def load_scenario(name: str | Path) -> Scenario:
    """A scenario by name (from the library) or path, with its model; raises LdnsimError with all faults of all files."""
    return _load(_find(name, "scenarios"), Scenario)


def find_any(name: str | Path) -> Record:
    """A model, part or scenario by name (looked for in this order) or path; raises LdnsimError with all faults."""
    known = {**library("scenarios"), **library("parts"), **library("models")}
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        return check_file(path)
    if str(name) not in known:
        raise LdnsimError(
            Fault(f"there is no model, part or scenario {str(name)[:80]!r}", (), f"a path, or one of {', '.join(known)}", nearest(str(name), known))
        )
    return check_file(known[str(name)])


def load_bibliography() -> dict[str, str]:
    """source key -> citation, from the library's references."""
    return read_bibliography((LIBRARY / "models" / "references.bib").read_text(encoding="utf-8"))


def library(kind: str) -> dict[str, Path]:
    """name -> path of what the library holds: kind is "models", "parts" or "scenarios"."""
    folder = LIBRARY / ("scenarios" if kind == "scenarios" else "models")
    wanted = {"models": "ldnsim-model/1", "parts": "ldnsim-part/1", "scenarios": "ldnsim-scenario/1"}[kind]
    return {path.stem: path for path in sorted(folder.glob("*.yaml")) if _format_line(path) == wanted}


def check_file(path: Path) -> Record:
    """Any file of ours, read as what its `format` says it is; raises LdnsimError with all faults."""
    document = read_document(path)
    return _record(document, path, _record_type(document))


def source_text(name: str | Path, folder: str) -> str:
    """The text of a scenario or model file, as it was read."""
    return _find(name, folder).read_text(encoding="utf-8-sig")


# --- finding


def _find(name: str | Path, folder: str) -> Path:
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        return path
    found = LIBRARY / folder / f"{name}.yaml"
    if found.is_file():
        return found
    known = library(folder)
    raise LdnsimError(Fault(f"there is no {folder[:-1]} {str(name)[:80]!r}", (), f"a path that ends in .yaml, or one of {', '.join(known)}", nearest(str(name), known)))


def _format_line(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("format:")), "")


# --- reading


def _load(path: Path, record_type: type[R]) -> R:
    document = read_document(path)
    found = _record_type(document)
    if found is not record_type:
        wanted = next(name for name, known in FORMATS.items() if known is record_type)
        raise LdnsimError(document.locate(Fault(f"this is {document.content['format']!r}", ("format",), wanted)))
    return _record(document, path, record_type)


def _record_type(document: Document) -> type[Record]:
    found = document.content.get("format")
    if found is None:
        raise LdnsimError(document.locate(Fault("'format' is missing", expected=" or ".join(FORMATS))))
    if found not in FORMATS:
        raise LdnsimError(document.locate(Fault(f"unknown format {str(found)[:60]!r}", ("format",), " or ".join(FORMATS), nearest(str(found), FORMATS))))
    return FORMATS[found]


def _record(document: Document, path: Path, record_type: type[R]) -> R:
    """The record of one document; what it names in other files is loaded first, and all their faults are told together."""
    content, faults = dict(document.content), []
    if record_type is Scenario and isinstance(content.get("model"), str):
        content["model"], found = _named(content["model"], path.parent, Model, ("model",))
        faults += found
    elif record_type is Model and isinstance(content.get("slots"), dict):
        content["slots"], found = _parts(content["slots"], path.parent)
        faults += found
    record: R | None = None
    try:
        record = record_type.model_validate(content)
    except ValidationError as caught:
        faults += [_with_nearest(fault, record_type) for fault in faults_of(caught) if not _about_hole(fault, content)]
    if record is not None and not faults:
        check: Any = {Part: part_faults, Model: model_faults, Scenario: scenario_faults}[record_type]
        faults += check(record, load_bibliography()) if record_type is not Scenario else check(record)
    if faults or record is None:
        raise LdnsimError(fault if fault.file else document.locate(fault) for fault in faults)
    if isinstance(record, Scenario):
        record.remember_text(document.text)
    return record


HOLE = object()  # stands where a file that is named could not be read; its own faults are told instead


def _named(name: str, folder: Path, record_type: type[R], path: tuple[str | int, ...]) -> tuple[object, list[Fault]]:
    """The record of the file that `name` stands for: beside the file that names it, else in the library."""
    beside = folder / (name if name.endswith(".yaml") else f"{name}.yaml")
    file = beside if beside.is_file() else LIBRARY / "models" / f"{name}.yaml"
    if not file.is_file():
        kind = "models" if record_type is Model else "parts"
        known = {*library(kind), *(found.stem for found in folder.glob("*.yaml") if folder != LIBRARY / "scenarios")}
        return HOLE, [Fault(f"there is no {kind[:-1]} {name[:80]!r}", path, f"a file {name[:40]}.yaml beside this one or in the library", nearest(name, known))]
    try:
        return _load(file, record_type), []
    except LdnsimError as caught:
        return HOLE, list(caught.faults)


def _parts(slots: dict[str, object], folder: Path) -> tuple[dict[str, object], list[Fault]]:
    filled: dict[str, object] = {}
    faults: list[Fault] = []
    for slot, named in slots.items():
        names = [named] if isinstance(named, str) else named
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            faults.append(Fault("a slot holds the name of a part, or a list of names", ("slots", slot)))
            filled[slot] = HOLE
            continue
        found = [_named(name, folder, Part, ("slots", slot, *([index] if names is named else []))) for index, name in enumerate(names)]
        filled[slot] = [part for part, _ in found]
        faults += [fault for _, told in found for fault in told]
    return filled, faults


def _about_hole(fault: Fault, content: dict[str, Any]) -> bool:
    """Whether a schema fault only says that something which could not be read is missing."""
    at: Any = content
    for step in fault.path:
        try:
            at = at[step]
        except (KeyError, IndexError, TypeError):
            return False
        if at is HOLE:
            return True
    return False


def _with_nearest(fault: Fault, record_type: type[Record]) -> Fault:
    """An unknown key with what is known there; the path stays that of the file."""
    if not fault.at_key or fault.nearest:
        return fault
    known = _keys_at(record_type, fault.path[:-1])
    return replace(fault, expected=", ".join(known), nearest=nearest(str(fault.path[-1]), known))


def _keys_at(annotation: Any, path: tuple[str | int, ...]) -> list[str]:
    """The keys that a record takes at a path: through fields, dict values and list items."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        fields = {field.alias or name: field.annotation for name, field in annotation.model_fields.items()}
        if not path:
            return list(fields)
        return _keys_at(fields.get(str(path[0])), path[1:])
    inner = [argument for argument in get_args(annotation) if argument is not type(None) and argument is not Ellipsis]
    if not inner:
        return []
    container = get_origin(annotation) in (dict, tuple)
    return _keys_at(inner[-1], path[1:] if container else path)
