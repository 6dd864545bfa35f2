"""YAML text -> plain mappings, lists and scalars, with the place of every key and value.

Built from ruamel's event stream, so that everything wrong with a file is told at once and nothing in a file can cost
more than its length: no anchors, no tags, bounded depth and size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ldnsim.errors import Fault, LdnsimError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Document", "read_document"]

LARGEST_FILE = 512 * 1024  # bytes
DEEPEST = 20
INTEGER = re.compile(r"[-+]?[0-9]+\Z")
FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "~": None, "": None}

Path_ = tuple[str | int, ...]


class Place(NamedTuple):
    """Line and column, both from 1; `block` is the first line of a block scalar's text, else 0."""

    line: int
    column: int
    block: int = 0


@dataclass
class Document:
    """A file's content, its text, and where each key and value stands in it."""

    file: str
    text: str
    content: Any = None
    values: dict[Path_, Place] = field(default_factory=dict)
    keys: dict[Path_, Place] = field(default_factory=dict)

    def locate(self, fault: Fault) -> Fault:
        """The fault with the file, line and column that its path leads to (the deepest part of it that exists)."""
        path = fault.path
        while path and path not in self.values:
            path = path[:-1]
        place = self.keys.get(path) if fault.at_key or path != fault.path else self.values.get(path)
        place = place or self.values.get(path) or Place(1, 1)
        lines = self.text.splitlines() or [""]
        line, column = place.line, place.column
        if fault.offset is not None and path == fault.path:
            line, column = self._inside(place, fault.offset, lines)
        line = min(line, len(lines))
        return replace(fault, file=self.file, line=line, column=column, source_line=lines[line - 1])

    def _inside(self, place: Place, offset: tuple[int, int], lines: list[str]) -> tuple[int, int]:
        """The place of (line, column) inside a scalar's text: block scalars lose their indent, others are one line."""
        row, column = offset
        if not place.block:
            return place.line, place.column + column
        body = [line for line in lines[place.block - 1 :] if line.strip()]
        indent = len(body[0]) - len(body[0].lstrip()) if body else 0
        return place.block + row, indent + column + 1


def read_document(path: Path) -> Document:
    """The file as a Document. Raises LdnsimError with every fault of the YAML itself; OSError becomes one too."""
    name = str(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise LdnsimError(Fault(f"the file has {path.stat().st_size} bytes", expected=f"at most {LARGEST_FILE}", file=name))
        raw = path.read_bytes()
    except OSError as caught:
        raise LdnsimError(Fault(f"cannot be read: {caught.strerror or caught}", file=name)) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as caught:
        line = raw[: caught.start].count(b"\n") + 1
        raise LdnsimError(Fault("not a text file: these bytes are no UTF-8", expected="a YAML file", file=name, line=line)) from None
    bad = next((index for index, character in enumerate(text) if character < " " and character not in "\n\r\t"), None)
    if bad is not None:
        line = text[:bad].count("\n") + 1
        raise LdnsimError(Fault(f"not a text file: control character {text[bad]!r}", expected="a YAML file", file=name, line=line))
    if not text.strip():
        raise LdnsimError(Fault("the file is empty", expected="a YAML mapping that starts with 'format: ldnsim-.../1'", file=name))
    return _build(Document(name, text))


def _build(document: Document) -> Document:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    builder = _Builder(document)
    try:
        for event in YAML(typ="safe", pure=True).parse(document.text):
            builder.take(event)
    except MarkedYAMLError as caught:
        mark = caught.problem_mark or caught.context_mark
        message = " ".join(part for part in (caught.problem or caught.context or "not YAML",) if part)
        builder.faults.append(builder.fault_at(f"not YAML: {message}", mark))
    except YAMLError as caught:
        builder.faults.append(Fault(f"not YAML: {str(caught).splitlines()[0]}", file=document.file))
    except _TooMuch as caught:
        builder.faults.append(caught.fault)
    if builder.faults:
        raise LdnsimError(builder.faults)
    if not isinstance(document.content, dict):
        found = type(document.content).__name__.replace("NoneType", "nothing")
        raise LdnsimError(document.locate(Fault(f"the file holds {found}", expected="a mapping that starts with 'format: ldnsim-.../1'")))
    return document


class _TooMuch(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class _Builder:
    """Takes parser events one by one and fills the document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []
        self.stack: list[tuple[Any, Path_]] = []  # open collections and their paths
        self.key: str | None = None
        self.documents = 0

    def fault_at(self, message: str, mark: Any, expected: str = "") -> Fault:
        lines = self.document.text.splitlines() or [""]
        line = min(mark.line, len(lines) - 1) if mark else 0
        column = mark.column + 1 if mark else 1
        return Fault(message, expected=expected, file=self.document.file, line=line + 1, column=column, source_line=lines[line])

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        mark = event.start_mark
        if kind == "AliasEvent" or getattr(event, "anchor", None):
            name = event.anchor if isinstance(event.anchor, str) else getattr(event.anchor, "value", event.anchor)
            raise _TooMuch(self.fault_at(f"anchors and aliases are not used in these files: {name}", mark, "the value written out"))
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                raise _TooMuch(self.fault_at("a second YAML document begins here", mark, "one document in a file"))
        if kind in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent"):
            tag = getattr(event, "tag", None)
            if tag is not None and str(tag) not in ("!", "None"):
                self.faults.append(self.fault_at(f"the tag {str(tag)[:60]!r} is not used in these files", mark, "a plain value"))
            self._value(event, kind, mark)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self.stack.pop()
            self.key = None

    def _value(self, event: Any, kind: str, mark: Any) -> None:
        if self.stack and isinstance(self.stack[-1][0], dict) and self.key is None:
            self._new_key(event, kind, mark)
            return
        if kind == "ScalarEvent":
            value: Any = _scalar(event.value) if event.style is None and event.implicit[0] else event.value
        else:
            value = {} if kind == "MappingStartEvent" else []
        path = self._put(value)
        block = mark.line + 2 if kind == "ScalarEvent" and event.style in ("|", ">") else 0
        self.document.values[path] = Place(mark.line + 1, mark.column + 1, block)
        if kind != "ScalarEvent":
            if len(self.stack) >= DEEPEST:
                raise _TooMuch(self.fault_at("nested too deeply", mark, f"at most {DEEPEST} levels"))
            self.stack.append((value, path))
            self.key = None

    def _new_key(self, event: Any, kind: str, mark: Any) -> None:
        if kind != "ScalarEvent":
            raise _TooMuch(self.fault_at("a key must be plain text", mark, "key: value"))
        mapping, path = self.stack[-1]
        if event.value in mapping:
            first = self.document.keys[(*path, event.value)].line
            message = f"the key {event.value!r} stands here a second time, first in line {first}"
            self.faults.append(self.fault_at(message, mark, "each key once"))
        self.key = event.value
        self.document.keys[(*path, event.value)] = Place(mark.line + 1, mark.column + 1)

    def _put(self, value: Any) -> Path_:
        if not self.stack:
            self.document.content = value
            return ()
        holder, path = self.stack[-1]
        if isinstance(holder, dict):
            assert self.key is not None
            path = (*path, self.key)
            holder[self.key] = value
            self.key = None
        else:
            path = (*path, len(holder))
            holder.append(value)
        return path


def _scalar(text: str) -> str | int | float | bool | None:
    """A plain scalar as YAML 1.2's core schema reads it; `1e999` and other infinities stay text, to be refused."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if INTEGER.match(text):
        return int(text) if len(text) < 19 else text
    if FLOAT.match(text):
        value = float(text)
        return value if abs(value) < 1e300 else text
    return text
