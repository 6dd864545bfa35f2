"""What the tests of bad and hostile files share: reading within bounds, and faults that are shown as they should be."""

from __future__ import annotations

import re
import time
import unicodedata
from pathlib import Path

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.fields import Record
from ldnsim.foundation.yaml import read_document
from ldnsim.library.files import load_file

FOLDER = Path(__file__).parent / "bad_input"
GOOD = FOLDER / "good"
MOST_SECONDS = 2.0  # of the processor: other programs may be busy, too


def read(file: Path) -> LdnsimError | Record:
    """What comes of a file. Anything but a record or an LdnsimError, and anything slow, fails the test."""
    start = time.process_time()
    try:
        found: LdnsimError | Record = load_file(file)
    except LdnsimError as caught:
        found = caught
    assert time.process_time() - start < MOST_SECONDS
    return found


def faults_of(file: Path) -> tuple[Fault, ...]:
    """The faults of a file, if they can be shown."""
    found = read(file)
    if not isinstance(found, LdnsimError):
        assert isinstance(found, Record)
        return ()
    assert found.faults, "an error that says nothing"
    lines = str(found).split("\n")
    assert all(line.isprintable() for line in lines), "the terminal would get control characters"
    assert max(map(len, lines)) < 1_000, "a line that fills the screen"
    assert sum(map(len, lines)) < 100_000
    return found.faults


def assert_shown_right(fault: Fault) -> None:
    """The message shows the line that the file has there, with the caret under the character meant."""
    if not fault.line or not fault.source_line:
        return
    text = Path(fault.file).read_bytes().decode("utf-8-sig", errors="replace")
    assert re.split(r"\r\n|\r|\n", text)[fault.line - 1] == fault.source_line
    shown = str(fault).split("\n")
    assert shown[0].startswith(f"{fault.file}:{fault.line}:{fault.column}: ")
    lead, caret = shown[1], shown[2].index("^")
    widths = [2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in lead]
    under = next((c for index, c in enumerate(lead) if sum(widths[:index]) == caret and widths[index]), "")
    meant = fault.source_line[fault.column - 1 : fault.column]
    assert under == (meant if meant.isprintable() else " ") or (not meant and not under)


def assert_path_exists(fault: Fault) -> None:
    """The keys named in a message are keys of the file."""
    try:
        document = read_document(Path(fault.file))
    except LdnsimError:
        return
    assert fault.path == () or fault.path in document.values
