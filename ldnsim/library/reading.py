"""The content of one file -> a record, or everything that does not fit the schema of its kind."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from pydantic import ValidationError

from ldnsim.foundation.errors import MOST_FAULTS, Fault, listed, nearest
from ldnsim.foundation.fields import Record
from ldnsim.foundation.schema_faults import faults_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["read_record"]

R = TypeVar("R", bound=Record)
Path = tuple[str | int, ...]
UNKNOWN_KEY = "unknown key"


def read_record(
    record_type: type[R], content: Mapping[str, Any], reported: Collection[Path] = ()
) -> tuple[R | None, list[Fault]]:
    """The record of a file's content, or None and its schema faults.

    Nothing is said about what stands at or below the `reported` paths: their faults are known already.
    """
    empty = list(_empty_places(content))
    record: R | None = None
    faults: list[Fault] = []
    try:
        record = record_type.model_validate(content)
    except ValidationError as caught:
        found = [_with_known_keys(fault, record_type) for fault in faults_of(caught)]
        faults = _without_misspelt([fault for fault in found if not _within(fault.path, reported)])
    unknown = [fault.path for fault in faults if fault.message.startswith(UNKNOWN_KEY)]
    empty = [path for path in empty if not _within(path, unknown)]
    faults = [fault for fault in faults if not _within(fault.path, empty)]
    faults += [
        Fault("nothing stands here", path, "a value, or no such key", at_key=True)
        for path in islice(empty, MOST_FAULTS)
    ]
    return (None if faults else record), faults


def _within(path: Path, places: Collection[Path]) -> bool:
    """Whether a path is one of the places, or leads through one."""
    return any(path[: len(place)] == place for place in places)


def _empty_places(found: Any, path: Path = ()) -> Iterator[Path]:
    """Where a key or an entry of a list has no value. No field of a file means anything by it."""
    if found is None:
        yield path
    elif isinstance(found, dict | list):
        for key, value in found.items() if isinstance(found, dict) else enumerate(found):
            yield from _empty_places(value, (*path, key))


def _with_known_keys(fault: Fault, record_type: type[Record]) -> Fault:
    """An unknown key with what is known there."""
    if not fault.at_key or fault.nearest or not fault.message.startswith(UNKNOWN_KEY):
        return fault
    known, key = _keys_at(record_type, fault.path[:-1]), str(fault.path[-1])
    expected = "a point in numbers, and not a comma" if key[:1].isdigit() else listed(known)
    return replace(fault, expected=expected, nearest=nearest(key, known))


def _without_misspelt(faults: list[Fault]) -> list[Fault]:
    """Without those that say a key is missing which stands there misspelt: one mistake, reported once."""
    meant = {
        (*fault.path[:-1], fault.nearest) for fault in faults if fault.nearest and fault.message.startswith(UNKNOWN_KEY)
    }
    return [
        fault
        for fault in faults
        if not any(fault.path == path[:-1] and fault.message == f"{path[-1]!r} is missing" for path in meant)
    ]


def _keys_at(annotation: Any, path: Path) -> list[str]:
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
    return [key for shape in inner for key in _keys_at(shape, path)]  # of all the shapes that are allowed there
