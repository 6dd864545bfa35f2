"""Files that nobody would write by hand: bytes that are no text, files without end, and anything at all.

Whatever a file holds, it gives a record or an LdnsimError, within two seconds and little memory.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading_files import GOOD, assert_shown_right, faults_of

from ldnsim.foundation.errors import LdnsimError
from ldnsim.library.files import load_file

MOST_BYTES = 50e6

# --- what cannot stand in a text file

SCENARIO = (GOOD / "once.yaml").read_text().replace("#! good\n", "")
PART = (GOOD / "one.yaml").read_text().replace("#! good\n", "")
MODEL = (GOOD / "small.yaml").read_text().replace("#! good\n", "")

BYTES = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n\t\n", "the file is empty"),
    "zeros": (bytes(1000), r"not a text file: the control character '\x00'"),
    "zero inside": (SCENARIO.replace("Night", "Ni\0ght").encode(), r"not a text file: the control character '\x00'"),
    "binary": (bytes(range(256)) * 40, "not a text file"),
    "random": (random.Random(1).randbytes(5000), "not a text file"),
    "latin 1": (SCENARIO.replace("Night", "Nächt").encode("latin-1"), "not a text file: these bytes are no UTF-8"),
    "cut in the middle of a letter": (
        SCENARIO.encode() + "é".encode()[:1],
        "not a text file: these bytes are no UTF-8",
    ),
    "utf 16": (SCENARIO.encode("utf-16"), "the file is in UTF-16"),
    "utf 16 without mark": (SCENARIO.encode("utf-16-le"), r"not a text file: the control character '\x00'"),
    "utf 32": (SCENARIO.encode("utf-32"), "the file is in UTF-16"),
    "surrogate": (SCENARIO.replace("Night", "Ni\ud800ght").encode("utf-8", "surrogatepass"), "not a text file"),
    "bell": (SCENARIO.replace("Night", "Ni\aght").encode(), r"not a text file: the control character '\x07'"),
    "second bom": (b"\xef\xbb\xbf\xef\xbb\xbf" + SCENARIO.encode(), r"not a text file: the control character '\ufeff'"),
    "10 MB": (b"a: " + b"x" * 10_000_000, "the file has 10000003 bytes"),
    "just too large": (SCENARIO.encode() + b"#" * 256 * 1024, "bytes"),
    "zip": (b"PK\x03\x04" + bytes(100), "not a text file"),
}


@pytest.mark.parametrize("case", BYTES)
def test_bytes_that_are_no_text(tmp_path, case):
    content, message = BYTES[case]
    file = tmp_path / "case.yaml"
    file.write_bytes(content)
    (fault,) = faults_of(file)
    assert fault.message.startswith(message) or (message == "bytes" and fault.message.endswith(message))
    assert fault.file == str(file)
    assert fault.expected


@pytest.mark.parametrize(
    ("before", "line", "column"), [(b"", 3, 12), (b"\xef\xbb\xbf", 3, 12), (b"# \xc3\xa9\r\n", 4, 12)]
)
def test_place_of_a_byte_that_is_no_text(tmp_path, before, line, column):
    file = tmp_path / "case.yaml"
    file.write_bytes(before + SCENARIO.replace("Night", "\a").encode())
    (fault,) = faults_of(file)
    assert (fault.line, fault.column) == (line, column)
    file.write_bytes(before + SCENARIO.encode().replace(b"Night", b"\xff"))
    (fault,) = faults_of(file)
    assert (fault.line, fault.column) == (line, column)


LONG = {
    "deep lists": (SCENARIO + "deep: " + "[" * 10_000 + "]" * 10_000, ["nested too deeply"]),
    "deep lists never closed": (SCENARIO + "deep: " + "[" * 100_000, ["nested too deeply"]),
    "deep mappings": (SCENARIO + "deep: " + "{a: " * 5_000 + "1" + "}" * 5_000, ["nested too deeply"]),
    "deep dashes": (SCENARIO + "deep:\n  " + "- " * 5_000 + "a", ["nested too deeply"]),
    "deep keys": (SCENARIO + "deep:\n" + "".join(" " * n + "a:\n" for n in range(1, 700)), ["nested too deeply"]),
    "questions": (SCENARIO + "? " * 5_000, ["a key must be plain text"]),
    "many values": (SCENARIO + "sweep:\n  night.dose: [" + "1 mg, " * 30_000 + "]", ["the file holds too much"]),
    "long axis": (
        SCENARIO + "sweep:\n  night.dose: [" + ", ".join(f"{n} mg" for n in range(1001)) + "]",
        ["a list of 1001 entries"],
    ),
    "many axes": (SCENARIO + "sweep:\n" + "".join(f"  a{n}: [1]\n" for n in range(21)), ["21 axes"]),
    "many unknown keys": (SCENARIO + "".join(f"key{n}: {n}\n" for n in range(5_000)), ["unknown key"] * 100),
    "many times of one key": (
        SCENARIO + "name: again\n" * 5_000,
        ["the key 'name' stands"] * 101 + ["too many faults"],
    ),
    "long key": (SCENARIO + "k" * 100_000 + ": 1", ["a key without ':'"]),
    "long quoted key": (SCENARIO + '"' + "k" * 1_000 + '": 1', ["unknown key"]),
    "long text": (SCENARIO.replace("Night or", "Night or" * 30_000), []),
    "long comment": (SCENARIO + "#" * 200_000, []),
    "many lines": (SCENARIO + "\n" * 200_000, []),
    "long alias": (SCENARIO.replace("[quick, slow]", "*" + "a" * 100_000), ["anchors and aliases"]),
    "long tag": (SCENARIO.replace("[quick, slow]", "!" + "a" * 100_000 + " x"), ["tags are not used"]),
    "long number": (SCENARIO.replace("14 d", "9" * 100_000 + " d"), ["'999"]),
    "long number alone": (SCENARIO.replace("14 d", "9" * 100_000), ["'999"]),
    "long dose": (SCENARIO.replace("4.5 mg", "4." + "5" * 10_000 + " mg"), ["'4.5"] * 2),
    "long unit": (SCENARIO.replace("4.5 mg", "4.5 " + "m" * 90), ["'mmm"] * 2),
    "unit of many factors": (SCENARIO.replace("4.5 mg", "4.5 mol^9*mol^9*mol^9*mol^9*mol^9"), ["the unit 'mol^9"] * 2),
    "many lines of a regimen": (
        SCENARIO.replace(
            "report:", "  many:\n    regimen:\n" + '    - {input: oral, dose: 1 mg, at: "08:00"}\n' * 600 + "report:"
        ),
        ["too many regimen lines"],
    ),
    "many doses in all": (
        SCENARIO.replace(
            "report:",
            "".join(
                f'  a{n}: {{regimen: [{{input: oral, dose: 1 mg, at: "08:00", every: 2 min}}]}}\n' for n in range(11)
            )
            + "report:",
        ),
        ["110,"],
    ),
    "many doses and a long sweep": (
        SCENARIO.replace(
            "report:", '  busy: {regimen: [{input: oral, dose: 1 mg, at: "08:00", every: 2 min}]}\nreport:'
        )
        + f"sweep:\n  busy.at: [{', '.join(f'{n // 60:02}:{n % 60:02}' for n in range(900))}]\n"
        + f"  plasma.V: [{', '.join(f'{n} L' for n in range(1, 1000))}]\n",
        [],
    ),
    "many accounts": (
        MODEL.replace("accounts:", "accounts:\n" + "".join(f"  a{n}: {{title: x}}\n" for n in range(2_500))),
        ["a mapping of 2502 entries"],
    ),
    "as many accounts as there may be": (
        MODEL.replace(
            "accounts:",
            "accounts:\n" + "".join(f"  a{n}: {{title: x, values: {{plasma.V: 3 h}}}}\n" for n in range(98)),
        ),
        ["3 h has another unit than 50 L"] * 98,
    ),
    "many equations": (
        PART.replace("rivals:", "".join(f"  a{n} = ka\n" for n in range(1_500)) + "rivals:"),
        ["too many equations"],
    ),
    "long chain of equations": (
        PART.replace("rivals:", "".join(f"  a{n} = a{n + 1}\n" for n in range(400)) + "  a400 = ka\nrivals:"),
        [],
    ),
    "long cycle": (
        PART.replace("rivals:", "".join(f"  a{n} = a{n + 1}\n" for n in range(400)) + "  a400 = a0\nrivals:"),
        ["algebraic cycle"],
    ),
    "many unknown names": (
        PART.replace("rivals:", "".join(f"  a{n} = xyz{n} + zyx{n}\n" for n in range(400)) + "rivals:"),
        ["unknown name"] * 100,
    ),
    "much text of equations": (PART.replace("rivals:", "  # " + "x" * 30_000 + "\nrivals:"), ["equations of"]),
    "long equation": (PART.replace("rivals:", "  a = " + "F + " * 1_000 + "F\nrivals:"), ["an equation of"]),
    "10,000 parentheses": (
        PART.replace("rivals:", "  a = " + "(" * 5_000 + "F" + ")" * 5_000 + "\nrivals:"),
        ["an equation of"],
    ),
    "open parentheses": (PART.replace("rivals:", "  a = (\n" * 2_000 + "rivals:"), ["this parenthesis is"] * 100),
    "open parenthesis and many lines": (
        PART.replace("rivals:", "  a = (\n" + "  F +\n" * 3_000 + "rivals:"),
        ["an equation of"],
    ),
    "many parts": (MODEL.replace("[direct, delayed]", "[" + "direct, " * 300 + "delayed]"), ["too many parts"]),
    "many missing parts": (
        MODEL.replace("[direct, delayed]", "[" + ", ".join(f"direkt{n}" for n in range(150)) + "]"),
        ["there is no part"] * 100,
    ),
    "many parameters": (
        PART.replace(
            "states:",
            "".join(f'  p{n}: {{value: {n} q{n}, source: assumed, note: "x", description: "x"}}\n' for n in range(450))
            + "states:",
        ),
        ["unknown unit"] * 100,
    ),
}


@pytest.mark.parametrize("case", LONG)
def test_long_files_take_bounded_time(tmp_path, case):
    text, messages = LONG[case]
    for name in ("small", "one", "direct", "delayed"):
        (tmp_path / f"{name}.yaml").write_bytes((GOOD / f"{name}.yaml").read_bytes())
    file = tmp_path / "case.yaml"
    file.write_text(text, encoding="utf-8")
    faults = faults_of(file)
    assert len(faults) == min(len(messages), 102)
    assert all(fault.message.startswith(message) for fault, message in zip(faults[:50], messages, strict=False))


@pytest.mark.parametrize("case", ["many values", "many lines", "long text", "many parameters", "many unknown keys"])
def test_long_files_take_bounded_memory(tmp_path, case):
    file = tmp_path / "case.yaml"
    file.write_text(LONG[case][0], encoding="utf-8")
    tracemalloc.start()
    try:
        with contextlib.suppress(LdnsimError):
            load_file(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES


# --- what is no file


def test_a_folder_is_no_file(tmp_path):
    (fault,) = faults_of(tmp_path)
    assert fault.message == "this is a folder"


def test_a_missing_file(tmp_path):
    (fault,) = faults_of(tmp_path / "nothing.yaml")
    assert fault.message == "there is no such file"


@pytest.mark.parametrize("name", ["n" * 5_000 + ".yaml", "with\0zero.yaml", "a/" * 3_000 + "x.yaml"])
def test_names_that_no_file_can_have(tmp_path, name):
    (fault,) = faults_of(tmp_path / name)
    assert fault.message.startswith(("cannot be read", "this can be no name"))


def test_a_file_that_cannot_be_read(tmp_path):
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)  # nobody can open it, not even root
    (fault,) = faults_of(loop)
    assert fault.message.startswith("cannot be read: ")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    file = tmp_path / "secret.yaml"
    file.write_text(SCENARIO)
    file.chmod(0)
    (fault,) = faults_of(file)
    assert fault.message == "cannot be read: Permission denied"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    (fault,) = faults_of(pipe)
    assert fault.message == "this is no ordinary file"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices here")
def test_a_device_without_end_is_not_read():
    (fault,) = faults_of(Path("/dev/zero"))
    assert fault.message == "this is no ordinary file"


def test_a_binary_file_beside_does_not_matter(tmp_path):
    for name in ("small", "one", "direct", "delayed"):
        (tmp_path / f"{name}.yaml").write_bytes((GOOD / f"{name}.yaml").read_bytes())
    (tmp_path / "junk.yaml").write_bytes(bytes(range(256)))
    (tmp_path / "case.yaml").write_text(SCENARIO.replace("model: small", "model: smal"))
    (fault,) = faults_of(tmp_path / "case.yaml")
    assert fault.nearest == "small"


# --- anything at all


def assert_only_faults(file: Path) -> None:
    for fault in faults_of(file):
        assert_shown_right(fault)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    there = tmp_path_factory.mktemp("fuzz")
    for file in GOOD.glob("*.yaml"):
        (there / file.name).write_bytes(file.read_bytes())
    return there


FUZZED = sorted(GOOD.glob("*.yaml"))
TOKENS = (
    *(
        "[",
        "]",
        "{",
        "}",
        ":",
        ": ",
        ",",
        "-",
        "- ",
        "?",
        "&a ",
        "*a",
        "!",
        "!!str ",
        "|",
        ">",
        "'",
        '"',
        "#",
        "%",
        "@",
        "`",
        "\n",
        "\r",
        "\t",
        "  ",
    ),
    *(
        "\0",
        "\x1b",
        "\u2028",
        "\ufeff",
        "é",
        "−",
        "一",
        "null",
        "~",
        "true",
        ".inf",
        "1e999",
        "-1",
        "0",
        "x 2",
        "<<",
        "---",
        "...",
        "\\",
        "d/dt(",
        "(",
        ")",
        "^",
    ),
    *(
        "=",
        "lambda",
        "__import__('os')",
        "mg",
        "1/h",
        "day 0",
        "25:00",
        "5 %",
        "1_0",
        "0x1F",
        "9" * 30,
        "=" * 3,
        "x.y",
        "slow",
        "plasma.V",
        "[[",
        "{}",
        "[]",
    ),
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_give_faults_and_nothing_else(folder, data):
    source = data.draw(st.sampled_from(FUZZED))
    text = source.read_bytes().decode("utf-8-sig")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.sampled_from((0, 0, 1, 2, 5, 20, 200)))
        text = text[:at] + data.draw(st.sampled_from(TOKENS)) + text[at + cut :]
    file = folder / "case.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert_only_faults(file)


@pytest.mark.parametrize("seed", range(60))
def test_swapped_lines_and_bytes_give_faults_and_nothing_else(folder, seed):
    """Coarser than the above: lines of all files mixed, words exchanged, bytes overwritten."""
    chance = random.Random(seed)
    lines = [line for source in FUZZED for line in source.read_text(encoding="utf-8-sig").splitlines()]
    text = chance.choice(FUZZED).read_text(encoding="utf-8-sig")
    for _ in range(chance.randint(1, 6)):
        own = text.split("\n")
        own.insert(chance.randrange(len(own)), chance.choice(lines))
        text = "\n".join(own)
        words = re.findall(r"[\w.%/]+", text)
        if words:
            text = text.replace(chance.choice(words), chance.choice(words), 1)
    raw = bytearray(text.encode())
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    file = folder / "case.yaml"
    file.write_bytes(bytes(raw))
    assert_only_faults(file)


EQUATION_TEXT = st.text(alphabet="abFVkt01.5e+-*/^(),<>=d \n#\t\\'\"[]:_é", max_size=80)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EQUATION_TEXT)
def test_any_text_as_equations_gives_faults_and_nothing_else(folder, text):
    block = "".join(f"  {line}\n" for line in f"{text}".split("\n"))
    (folder / "case.yaml").write_bytes(PART.replace("rivals:", block + "rivals:").encode())
    assert_only_faults(folder / "case.yaml")
