"""YAML as we read it: values as YAML 1.2 has them, and the place of everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ldnsim.foundation.errors import Fault, LdnsimError, nearest
from ldnsim.foundation.yaml import HOLE, Document, read_document

quiet = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def read(tmp_path):
    def make(text: str) -> Document:
        file = tmp_path / "case.yaml"
        file.write_text(text, encoding="utf-8", newline="")
        return read_document(file)

    return make


# --- values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        ("-3", -3),
        ("+3", 3),
        ("007", 7),
        ("20.5", 20.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        # YAML 1.1 reads these as something else
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("22:00", "22:00"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("0o17", "0o17"),
        ("2024-01-01", "2024-01-01"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("9" * 19, 1e19),
        ("9" * 200, "9" * 200),
        ('"5"', "5"),
        ("'null'", "null"),
        ('""', ""),
        ("4.5 mg", "4.5 mg"),
        ("mü", "mü"),
    ],
)
def test_scalars(read, text, expected):
    found = read(f"a: {text}\n").content["a"]
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("key", ["no", "yes", "on", "null", "~", "true", "1", "1.5", "22:00", "day 1"])
def test_keys_are_text(read, key):
    assert read(f"{key}: 1\n").content == {key: 1}


def test_collections(read):
    document = read("a: {x: 1, y: [2, three]}\nb:\n  - 4\n  - c: 5\n    d: |\n      six\n")
    assert document.content == {"a": {"x": 1, "y": [2, "three"]}, "b": [4, {"c": 5, "d": "six\n"}]}


def test_a_mark_of_byte_order_and_other_line_ends_change_nothing(read):
    plain = read("a: 1\nb: |\n  x\n  y\n")
    for text in ("\ufeffa: 1\nb: |\n  x\n  y\n", "a: 1\r\nb: |\r\n  x\r\n  y\r\n", "a: 1\rb: |\r  x\r  y\r"):
        other = read(text)
        assert other.content == plain.content
        assert other.values == plain.values
        assert other.text == plain.text


# --- what is noted while the rest is read


def test_of_a_key_that_stands_twice_the_first_is_kept(read):
    document = read("a: 1\nb: 2\na: {c: 3}\n")
    assert document.content == {"a": 1, "b": 2}
    (fault,) = document.faults
    assert (fault.line, fault.column) == (3, 1)
    assert document.keys["a",] == (1, 1, "")


def test_aliases_and_tagged_values_are_holes(read):
    document = read("a: &x [1]\nb: *x\nc: !!set {d}\ne: *x\nf: 2\n")
    assert document.content == {"a": [1], "b": HOLE, "c": HOLE, "e": HOLE, "f": 2}
    assert [(fault.line, fault.column) for fault in document.faults] == [(1, 4), (3, 4)]  # each anchor once


# --- places


def test_places_of_keys_and_values(read):
    document = read("first: 1\nblock:\n  key:   text\n  list: [a, {b: c}]\n  items:\n    - x\n    - y: z\n")
    keys = {path: place[:2] for path, place in document.keys.items()}
    values = {path: place[:2] for path, place in document.values.items()}
    assert keys["block",] == (2, 1)
    assert keys["block", "key"] == (3, 3)
    assert values["block", "key"] == (3, 10)
    assert values["block", "list", 0] == (4, 10)
    assert keys["block", "list", 1, "b"] == (4, 14)
    assert values["block", "list", 1, "b"] == (4, 17)
    assert values["block", "items", 0] == (6, 7)
    assert values["block", "items", 1, "y"] == (7, 10)
    assert values[()] == (1, 1)


@pytest.mark.parametrize(
    ("fault", "place", "path"),
    [
        (Fault("", ("a", "b")), (2, 6), ("a", "b")),
        (Fault("", ("a", "b"), at_key=True), (2, 3), ("a", "b")),
        (Fault("", ("a", "b", "c", 0)), (2, 6), ("a", "b")),  # a value that has no parts
        (Fault("", ("a", "missing")), (1, 1), ("a",)),  # the key of the mapping that lacks it
        (Fault("", ("a", "list", 1)), (3, 13), ("a", "list", 1)),
        (Fault("", ("a", "list", 7)), (3, 3), ("a", "list")),
        (Fault("", ("nowhere",)), (1, 1), ()),
        (Fault("", ("a", "b"), offset=(0, 4)), (2, 10), ("a", "b")),
    ],
)
def test_a_fault_is_located_at_the_deepest_place_that_exists(read, fault, place, path):
    found = read("a:\n  b: 4.5 mgg\n  list: [x, y]\n").locate(fault)
    assert (found.line, found.column) == place
    assert found.path == path
    assert found.source_line == ("a:", "  b: 4.5 mgg", "  list: [x, y]")[place[0] - 1]


def assert_every_character_is_found(document: Document) -> None:
    """The place of each character of a text is that of the same character in the file."""
    rows = document.content["text"].split("\n")
    for row, line in enumerate(rows):
        for column, character in enumerate(line):
            if character.isspace():
                continue
            fault = document.locate(Fault("", ("text",), offset=(row, column)))
            there = document.lines[fault.line - 1][fault.column - 1]
            assert there in (character, "\\")  # or the escape that stands for it


lines = st.lists(st.text(alphabet="abcxyz=+-*/()#'\"\\é一 ", min_size=1, max_size=25), min_size=1, max_size=8)


@quiet
@given(lines, st.integers(1, 4))
def test_places_in_literal_blocks(read, texts, indent):
    body = "".join(f"{' ' * indent}{line}\n" if line.strip() else "\n" for line in texts)
    assume(body.strip())
    document = read(f"x: 1\ntext: |{indent}\n{body}y: 2\n")
    assert_every_character_is_found(document)


@quiet
@given(lines)
def test_places_in_double_quotes(read, texts):
    assert_every_character_is_found(read(f"text: {json.dumps(chr(10).join(texts))}\n"))
    assert_every_character_is_found(read(f"text: {json.dumps(chr(10).join(texts), ensure_ascii=False)}\n"))


@quiet
@given(lines)
def test_places_in_single_quotes_over_lines(read, texts):
    body = "\n\n   ".join(line.replace("'", "''") for line in texts)
    assert_every_character_is_found(read(f"text: '{body}'\n"))


@quiet
@given(
    st.lists(
        st.lists(st.text(alphabet="abc=+()", min_size=1, max_size=6), min_size=1, max_size=5), min_size=1, max_size=6
    )
)
def test_places_in_folded_blocks_and_plain_text(read, paragraphs):
    folded = "\n\n".join("\n".join(f"  {word}" for word in words) for words in paragraphs)
    assert_every_character_is_found(read(f"text: >\n{folded}\n"))
    plain = "\n\n  ".join("\n   ".join(words) for words in paragraphs)
    assert_every_character_is_found(read(f"text: x {plain}\n"))


# --- faults as text


def test_a_long_line_is_shown_around_the_place():
    text = "x" * 300 + "!" + "y" * 300
    shown = str(Fault("no", file="f", line=7, column=301, source_line=text)).split("\n")
    assert shown[0] == "f:7:301: no"
    assert shown[1][shown[2].index("^")] == "!"
    assert len(shown[1]) < 130


@pytest.mark.parametrize("nasty", ["\x1b[31m", "\x07", "\u202e", "\ud800", "\r", "\t", "a\nb"])
def test_nothing_reaches_the_terminal_as_a_command(nasty):
    text = str(Fault(nasty, (nasty,), nasty, nasty, file=nasty, line=1, column=1, source_line=nasty))
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.count("\n") == 4


def test_an_error_tells_each_fault_once_and_counts_those_that_it_does_not_show():
    error = LdnsimError([Fault("a"), Fault("a"), *(Fault(f"b{n}") for n in range(60))])
    assert len(error.faults) == 61
    assert str(error).endswith("... and 11 more")
    assert str(LdnsimError(Fault(f"b{n}") for n in range(200))).endswith("... and at least 150 more")
    assert LdnsimError("just text").faults == (Fault("just text"),)


@pytest.mark.parametrize(
    ("found", "known", "expected"),
    [
        ("oral", ["orl", "oral"], "oral"),
        ("ORAL", ["depot", "oral"], "oral"),
        ("orl", ["vein", "oral"], "oral"),
        ("mgg", ["kg", "mg", "ug"], "mg"),
        ("ab", ["xb", "ax"], ""),
        ("zzz", ["oral"], ""),
        ("", ["oral"], ""),
        ("x" * 10_000, ["x" * 100], "x" * 100),
    ],
)
def test_the_nearest_name(found, known, expected):
    assert nearest(found, known) == expected


def test_the_file_itself_is_named(tmp_path):
    with pytest.raises(LdnsimError) as caught:
        read_document(Path(tmp_path / "x.yaml"))
    assert caught.value.faults[0].file == str(tmp_path / "x.yaml")
