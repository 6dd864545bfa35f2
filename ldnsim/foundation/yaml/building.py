"""YAML events -> a Document. What is wrong is noted, and reading goes on wherever the rest can still be understood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, clipped
from ldnsim.foundation.yaml.document import HOLE, Document, Path, Place
from ldnsim.foundation.yaml.wording import syntax_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["build"]

DEEPEST = 20
MOST_VALUES = 12_000
LONGEST_NUMBER = 100  # characters; the pattern below takes long over long ones
INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z")
FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
CONSTANTS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
             "null": None, "Null": None, "NULL": None, "~": None, "": None}  # fmt: skip
UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
)  # control characters and halves of pairs
CONTENT = "a mapping that starts with 'format: ldnsim-.../1'"
KINDS = {dict: "a mapping", list: "a list", str: "text", int: "a number", float: "a number", bool: "true or false",
         type(None): "nothing"}  # fmt: skip


def build(document: Document) -> Document:
    """Fill the document from its text. Raises LdnsimError where the text is no YAML or holds no mapping."""
    builder = _Builder(document)
    try:
        for event in _events(document):
            builder.take(event)
    except _StopError as caught:
        raise LdnsimError([*document.faults, caught.fault]) from None
    if document.content is HOLE:
        raise LdnsimError(document.faults)
    if not isinstance(document.content, dict):
        message = f"the file holds {KINDS[type(document.content)]}"
        place = document.values.get((), Place(1, 1)) if document.content is not None else Place(1, 1)
        raise LdnsimError([*document.faults, document.at(place.line, place.column, Fault(message, expected=CONTENT))])
    return document


def _events(document: Document) -> Iterator[Any]:
    """ruamel's events one by one; whatever it cannot read stops us with a fault."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    event = None
    try:
        for event in YAML(typ="safe", pure=True).parse(document.text):
            yield event
    except MarkedYAMLError as caught:
        raise _StopError(syntax_fault(document, caught, event)) from None
    except Exception:  # ruamel also fails by accident, for example at "\UFFFFFFFF"
        line, column = (event.end_mark.line, event.end_mark.column) if event else (0, 0)
        rest = document.lines[line][column:] if line < len(document.lines) else ""
        column += len(rest) - len(rest.lstrip(": ")) + 1
        raise _StopError(document.at(line + 1, column, Fault("what follows here cannot be read as YAML"))) from None


class _StopError(Exception):
    """What keeps the rest of the file from being read."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class _Builder:
    """Takes parser events one by one and fills the document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.stack: list[tuple[Any, Path]] = []  # open collections and their paths
        self.key: str | None = None
        self.documents = self.count = 0
        self.anchors: set[str] = set()

    def fault(self, message: str, mark: Any, expected: str = "") -> Fault:
        return self.document.at(mark.line + 1, mark.column + 1, Fault(message, expected=expected))

    def tell(self, message: str, mark: Any, expected: str = "") -> None:
        self.document.faults.append(self.fault(message, mark, expected))
        if len(self.document.faults) > MOST_FAULTS:
            raise _StopError(self.fault("too many faults: the rest was not read", mark))

    def take(self, event: Any) -> None:
        kind, mark = type(event).__name__, event.start_mark
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                raise _StopError(self.fault("a second YAML document begins here", mark, "one document in a file"))
            if event.version or event.tags:
                line = next((n for n, line in enumerate(self.document.lines, start=1) if line.startswith("%")), 1)
                fault = Fault("directives (%YAML, %TAG) are not used in these files", expected="a file without them")
                self.document.faults.append(self.document.at(line, 1, fault))
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self.stack.pop()
            self.key = None
        elif kind in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent", "AliasEvent"):
            self.count += 1
            if self.count > MOST_VALUES:
                raise _StopError(self.fault("the file holds too much", mark, f"at most {MOST_VALUES} keys and values"))
            if self.stack and isinstance(self.stack[-1][0], dict) and self.key is None:
                self.new_key(event, kind, mark)
            else:
                self.value(event, kind, mark)

    def value(self, event: Any, kind: str, mark: Any) -> None:
        whole = self.unmarked(event, kind, mark)
        if kind == "AliasEvent":
            value: Any = HOLE
        elif kind == "ScalarEvent":
            value = _scalar(event.value) if event.style is None else event.value
            whole = self.fit_to_print(event.value, mark) and whole
        else:
            value = {} if kind == "MappingStartEvent" else []
        path = self.put(value if whole else HOLE)
        self.document.values.setdefault(
            path, Place(mark.line + 1, mark.column + 1, getattr(event, "style", None) or "")
        )
        if isinstance(value, dict | list):
            if len(self.stack) >= DEEPEST:
                raise _StopError(self.fault("nested too deeply", mark, f"at most {DEEPEST} levels"))
            self.stack.append((value, path))
            self.key = None

    def unmarked(self, event: Any, kind: str, mark: Any) -> bool:
        """Tell anchors, aliases and tags; whether the value can be read all the same."""
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            name = str(anchor if isinstance(anchor, str) else getattr(anchor, "value", anchor))
            if name not in self.anchors:
                self.anchors.add(name)
                self.tell(
                    f"anchors and aliases are not used in these files: {clipped(name)!r}", mark, "the value written out"
                )
        tag = getattr(event, "tag", None)
        if tag is not None:
            written = str(tag).replace("tag:yaml.org,2002:", "!!")
            self.tell(f"tags are not used in these files: {clipped(written)!r}", mark, "a plain value")
        return tag is None and kind != "AliasEvent"

    def new_key(self, event: Any, kind: str, mark: Any) -> None:
        if kind != "ScalarEvent":
            raise _StopError(self.fault("a key must be plain text", mark, "key: value"))
        self.unmarked(event, kind, mark)
        mapping, path = self.stack[-1]
        self.key = str(event.value)
        if not self.fit_to_print(self.key, mark):
            return
        first = self.document.keys.setdefault((*path, self.key), Place(mark.line + 1, mark.column + 1))
        if self.key in mapping:
            self.tell(
                f"the key {clipped(self.key)!r} stands here a second time, first in line {first.line}",
                mark,
                "each key once",
            )

    def put(self, value: Any) -> Path:
        """The value into the open collection. Of a key that stands twice the first value is kept."""
        if not self.stack:
            self.document.content = value
            return ()
        holder, path = self.stack[-1]
        if isinstance(holder, list):
            holder.append(value)
            return (*path, len(holder) - 1)
        key, self.key = self.key or "", None
        if key in holder or UNFIT.search(key):
            return (*path, f"{key} (left out)")  # a path of its own: nothing of it may be taken for a part of another
        holder[key] = value
        return (*path, key)

    def fit_to_print(self, text: str, mark: Any) -> bool:
        unfit = UNFIT.search(text)
        if unfit:
            self.tell(f"the control character {ascii(unfit[0])[1:-1]} in text", mark, "characters that can be printed")
        return unfit is None


def _scalar(text: str) -> str | int | float | bool | None:
    """A plain scalar as YAML 1.2's core schema reads it; `1e999`, `.inf` and 0x10 stay text, to be refused."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if INTEGER.match(text):
        return int(text)
    if len(text) < LONGEST_NUMBER and FLOAT.match(text):
        value = float(text)
        return value if abs(value) < 1e300 else text
    return text
