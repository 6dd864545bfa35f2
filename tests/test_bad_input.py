"""Files that people get wrong: every fault is told at once, at its place, with the nearest match, and in bounded time.

Each file of `bad_input` says in its first lines what must be told about it, a line per fault and nothing more:

    #! LINE:COLUMN message [=> nearest match]
    #! OTHER_FILE LINE:COLUMN message [=> nearest match]      a fault of a file that this one names
    #! good                                                   nothing is wrong with it

To add a case, add a file. What cannot stand in a text file, or is long, is made in `test_hostile_input`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from reading_files import FOLDER, assert_path_exists, assert_shown_right, faults_of

FILES = sorted(FOLDER.rglob("*.yaml"))
HEADER = re.compile(
    r"#! (?:(?P<file>[^\s:]+) )?(?P<line>\d+):(?P<column>\d+) (?P<message>.*?)(?: => (?P<nearest>.*))?\Z"
)


class Expected(NamedTuple):
    file: str
    line: int
    column: int
    message: str
    nearest: str


def name_of(file: Path) -> str:
    return file.relative_to(FOLDER).as_posix()


def expectations(file: Path) -> list[Expected] | None:
    """What the head of a file says; None where it says nothing."""
    lines = [line for line in file.read_bytes().decode("utf-8-sig").splitlines() if line.startswith("#!")]
    if lines == ["#! good"]:
        return []
    found = [HEADER.match(line) for line in lines]
    assert found, f"{file} does not say what is wrong with it"
    assert None not in found, f"{file}: a line of its head cannot be read"
    return [
        Expected(
            os.path.normpath(file.parent / match["file"]) if match["file"] else str(file),
            int(match["line"]),
            int(match["column"]),
            match["message"],
            match["nearest"] or "",
        )
        for match in found
        if match
    ]


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_fault_is_told_at_its_place(file):
    faults = faults_of(file)
    expected = expectations(file)
    told = [Expected(fault.file, fault.line, fault.column, fault.message, fault.nearest) for fault in faults]
    places = [(f.file, f.line, f.column) for f in told]
    assert places == [(e.file, e.line, e.column) for e in expected]
    for fault, wanted in zip(told, expected, strict=True):
        message = fault.message if fault.message.isprintable() else fault.message.encode("unicode_escape").decode()
        assert message.startswith(wanted.message)
        assert fault.nearest == wanted.nearest
    for fault in faults:
        assert_shown_right(fault)
        assert_path_exists(fault)


def test_there_are_files_of_every_kind():
    kinds = {folder.name: len(list(folder.glob("*.yaml"))) for folder in FOLDER.iterdir() if folder.is_dir()}
    assert set(kinds) == {"good", "part", "model", "scenario", "fit", "yaml", "several"}
    assert sum(bool(expectations(file)) for file in FILES) >= 90


def test_faults_of_several_files_are_told_together():
    faults = faults_of(FOLDER / "several" / "question.yaml")
    assert {Path(fault.file).name for fault in faults} == {
        "question.yaml",
        "its_model.yaml",
        "its_plasma.yaml",
        "its_receptor.yaml",
    }


def test_a_message_says_place_path_line_caret_expectation_and_nearest_match():
    file = FOLDER / "part" / "unknown_unit.yaml"
    line = next(number for number, text in enumerate(file.read_text().splitlines(), start=1) if "unit: nmoll" in text)
    text = next(str(fault) for fault in faults_of(file) if "nmoll" in fault.message)
    assert text == (
        f"{file}:{line}:15: states.gut.unit: unknown unit 'nmoll'\n"
        f'  {line} |   gut: {{unit: nmoll, scale: 1000 nmol, description: "In the gut"}}\n'
        "     |               ^\n"
        "  expected: a unit such as mg, ng/mL, nmol/L, L/h, 1/h, h, min, d, %\n"
        "  did you mean 'nmol'?"
    )
