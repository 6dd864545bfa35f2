"""One document -> one record, with everything that is wrong with it.

Where a value cannot be understood, a stand-in takes its place and the rest is read and checked all the same, so that a
slip in one place does not hide those in others. What was lost is handed to the checks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args, get_origin

from pydantic import ValidationError

from ldnsim.foundation.errors import MOST_FAULTS, Fault, Lost, listed, nearest
from ldnsim.foundation.fields import Record
from ldnsim.foundation.schema_faults import faults_of, path_of
from ldnsim.foundation.yaml import HOLE
from ldnsim.model.records import Model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ReadRecord", "read_record"]

R = TypeVar("R", bound=Record)
MOST_ROUNDS = 4
UNKNOWN_KEY = "unknown key"

# what stands for a required field that cannot be read, by the field's name
STAND_INS: dict[str, Any] = {
    "name": "unnamed",
    "version": "0",
    "title": "",
    "question": "",
    "description": "",
    "note": "",
    "evidence": "hypothesis",
    "exports": {},
    "equations": "",
    "value": 1,
    "unit": "1",
    "scale": 1,
    "molar_mass": "1 g/mol",
    "drug": "",
    "to": {},
    "slots": {},
    "outputs": {},
    "hours": "1 h",
    "doses": ["1 mg", "1 mg"],
    "input": "",
    "at": "00:00",
    "regimen": [],
    "size": 1,
    "draws": 1,
    "between": ["unread", "unread"],
    "parameters": {},
    "order": [],
    "covariance_log": [],
    "file": "",
    "digest": "",
    "columns": [],
    "address": "",
    "values": [],
    "holds": 1,
    "pieces": 2,
    "cv": 0,
    "model": Model(format="ldnsim-model/1", name="unread", version="0", title="", slots={}, outputs={}),
    "duration": "1 d",
    "arms": {},
    "arm": "",
    "output": "",
    "estimate": {},
    "bounds": [1, 2],
    "facts": {},
    "sets": {},
    "by": "",
    "error": 1,
    "from": "1 mg",
}


@dataclass(frozen=True)
class ReadRecord(Generic[R]):
    """A record as far as it could be read (None: not at all), what is wrong, and the paths of what was lost."""

    record: R | None
    faults: tuple[Fault, ...] = ()
    lost: Lost = field(default_factory=Lost)


def read_record(record_type: type[R], content: Mapping[str, Any], lost: Lost) -> ReadRecord[R]:
    """The record of a file's content. `HOLE` stands where another fault has been told already; paths are the file's."""
    nulls = list(_nulls(content))
    working, gone = _copied(content), set(lost)
    faults: list[Fault] = []
    for path in nulls:
        _at(working, path[:-1])[path[-1]] = HOLE
    for turn in range(MOST_ROUNDS):
        try:
            return ReadRecord(record_type.model_validate(working), tuple(faults), Lost(gone))
        except ValidationError as caught:
            errors = caught.errors(include_url=False)
            if turn == 0:  # later rounds only meet what the first one took away
                faults = _told([_with_known_keys(fault, record_type) for fault in faults_of(caught)], content, nulls)
                faults = _without_misspelt(faults, content, gone)
        if len(errors) > MOST_FAULTS:
            break
        for error in errors:
            _take_out(working, path_of(error), gone, unknown=error["type"] == "extra_forbidden")
    return ReadRecord(None, tuple(faults), Lost(gone))


def _told(found: list[Fault], content: Mapping[str, Any], nulls: list[tuple[str | int, ...]]) -> list[Fault]:
    """The faults that are worth telling: not those of holes, and of a key without value only that."""
    unknown = {fault.path for fault in found if fault.message.startswith(UNKNOWN_KEY)}
    empty = [path for path in nulls if not any(path[: len(key)] == key for key in unknown)]
    faults = [fault for fault in found if not _about_hole(fault, content) and fault.path not in empty]
    return faults + [
        Fault("nothing stands here", path, "a value, or no such key", at_key=True)
        for path in islice(empty, MOST_FAULTS)
    ]


def _take_out(
    working: dict[str, Any], path: tuple[str | int, ...], gone: set[tuple[str | int, ...]], *, unknown: bool
) -> None:
    """Take what is at `path` out of the content, up to the nearest key, and put a stand-in where one is needed."""
    while path and not isinstance(path[-1], str):
        path = path[:-1]
    if not path:
        return
    holder: Any = working
    for step in path[:-1]:
        try:
            holder = holder[step]
        except (KeyError, IndexError, TypeError):
            return
    if not isinstance(holder, dict):
        return
    name = path[-1]
    first = path not in gone
    holder.pop(name, None)
    if unknown:
        return
    gone.add(path)
    if not first and name in STAND_INS:  # it is missed: a field that must be there
        holder[name] = _copied(STAND_INS[name])


def _nulls(found: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a key or an entry of a list has no value. No field of a file means anything by it."""
    if found is None:
        yield path
    elif isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            yield from _nulls(value, (*path, key))


def _copied(found: Any) -> Any:
    """Mappings and lists anew; what they hold as it is."""
    if isinstance(found, dict):
        return {key: _copied(value) for key, value in found.items()}
    return [_copied(value) for value in found] if isinstance(found, list) else found


def _about_hole(fault: Fault, content: Mapping[str, Any]) -> bool:
    """Whether a fault only says that something which could not be read does not fit."""
    at: Any = content
    for step in fault.path:
        try:
            at = at[step]
        except (KeyError, IndexError, TypeError):
            return False
        if at is HOLE:
            return True
    return False


def _with_known_keys(fault: Fault, record_type: type[Record]) -> Fault:
    """An unknown key with what is known there."""
    if not fault.at_key or fault.nearest or not fault.message.startswith(UNKNOWN_KEY):
        return fault
    known, key = _keys_at(record_type, fault.path[:-1]), str(fault.path[-1])
    expected = "a point in numbers, and not a comma" if key[:1].isdigit() else listed(known)
    return replace(fault, expected=expected, nearest=nearest(key, known))


def _without_misspelt(faults: list[Fault], content: Mapping[str, Any], gone: set[tuple[str | int, ...]]) -> list[Fault]:
    """Without those that say a key is missing which stands there misspelt: one slip, told once."""
    meant = {
        (*fault.path[:-1], fault.nearest) for fault in faults if fault.nearest and fault.message.startswith(UNKNOWN_KEY)
    }
    meant = {path for path in meant if path[-1] not in _at(content, path[:-1])}
    gone.update(meant)
    return [
        fault
        for fault in faults
        if not any(fault.path == path[:-1] and fault.message == f"{path[-1]!r} is missing" for path in meant)
    ]


def _at(content: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        content = content[step]
    return content


def _keys_at(annotation: Any, path: tuple[str | int, ...]) -> list[str]:
    """The keys that a record takes at a path: through fields, dict values and list items."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        fields = {info.alias or name: info.annotation for name, info in annotation.model_fields.items()}
        return _keys_at(fields.get(str(path[0])), path[1:]) if path else list(fields)
    inner = [argument for argument in get_args(annotation) if argument is not type(None) and argument is not Ellipsis]
    if not inner:
        return []
    if get_origin(annotation) is dict:
        return _keys_at(inner[1], path[1:])
    if get_origin(annotation) is tuple:
        return _keys_at(inner[0], path[1:])
    return [key for shape in inner for key in _keys_at(shape, path)]  # of whatever shapes may stand there
