"""Bytes of a file -> Document."""

from __future__ import annotations

import re
import stat
from codecs import BOM_UTF8
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.yaml.building import build
from ldnsim.foundation.yaml.document import Document

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LARGEST_FILE", "read_document", "read_text"]

LARGEST_FILE = 256 * 1024  # bytes
WANTED = "a text file in UTF-8"
# control characters, line breaks that only some programs see, marks of byte order, and what is no character at all
FORBIDDEN = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010fffd]")
EMPTY = "a mapping that starts with 'format: ldnsim-.../1'"


def read_document(path: Path) -> Document:
    """The file as a Document. Raises LdnsimError with every fault that keeps it from being read."""
    text = read_text(path)
    if not text.strip():
        raise LdnsimError(Fault("the file is empty", expected=EMPTY, file=str(path)))
    return build(Document(str(path), text))


def read_text(path: Path, largest: int = LARGEST_FILE) -> str:
    """The text of a file of at most `largest` bytes, its line breaks made one kind.

    Raises LdnsimError for what is no text, or too large.
    """
    name = str(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise LdnsimError(Fault("this is a folder", expected="a file", file=name))
        if not stat.S_ISREG(status.st_mode):  # a pipe or a device may never end
            raise LdnsimError(Fault("this is no ordinary file", expected="a text file", file=name))
        if status.st_size > largest:
            raise LdnsimError(Fault(f"the file has {status.st_size} bytes", expected=f"at most {largest}", file=name))
        with path.open("rb") as file:
            raw = file.read(largest)
    except FileNotFoundError:
        raise LdnsimError(Fault("there is no such file", file=name)) from None
    except OSError as caught:
        raise LdnsimError(Fault(f"cannot be read: {caught.strerror or caught}", file=name)) from None
    except ValueError:  # a name that holds NUL
        raise LdnsimError(Fault("this can be no name of a file", file=name)) from None
    return _decoded(raw, name)


def _decoded(raw: bytes, name: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LdnsimError(Fault("the file is in UTF-16", expected=WANTED, file=name))
    raw = raw.removeprefix(BOM_UTF8)
    try:
        text, found = raw.decode(), ""
    except UnicodeDecodeError as caught:
        text, found = raw.decode(errors="replace"), "these bytes are no UTF-8"
        start = len(raw[: caught.start].decode())
    if not found and (wrong := FORBIDDEN.search(text.replace("\r\n", " \n").replace("\r", "\n"))):
        start, found = wrong.start(), f"the control character {wrong[0]!r}"
    if not found:
        return text.replace("\r\n", "\n").replace("\r", "\n")
    before = text[:start].replace("\r\n", "\n").replace("\r", "\n")
    document = Document(name, text.replace("\r\n", "\n").replace("\r", "\n"))
    column = len(before) - (before.rfind("\n") + 1) + 1
    raise LdnsimError(document.at(before.count("\n") + 1, column, Fault(f"not a text file: {found}", expected=WANTED)))
