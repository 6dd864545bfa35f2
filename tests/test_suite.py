"""The tests themselves: what cannot fail, or does not run, fails here."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("test_*.py"))


@pytest.mark.parametrize("workers", ["0", "1"])
@pytest.mark.parametrize("text", ["", '"""No test, only words."""\nX = 1\n'])
def test_a_file_without_a_test_fails_the_run(tmp_path, text, workers):
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (tmp_path / "test_empty.py").write_text(text)
    (tmp_path / "test_full.py").write_text("def test_that_passes():\n    assert 1 + 1 == 2\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", workers, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.returncode not in (0, 5)
    assert "no test was found in this file" in done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TESTS)))
def test_no_assertion_is_always_true(file):
    """`assert a or True`, `assert (a, "why")`, `assert a == a`, `assert 1`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert):
            continue
        place = f"{file.name}:{node.lineno}"
        told = node.test
        parts = told.values if isinstance(told, ast.BoolOp) and isinstance(told.op, ast.Or) else [told]
        assert not any(isinstance(part, ast.Constant | ast.Tuple | ast.List) for part in parts), place
        if isinstance(told, ast.Compare):
            sides = [ast.dump(side) for side in (told.left, *told.comparators)]
            assert len(set(sides)) == len(sides) or "Call" in sides[0], place


def test_laws_draw_at_random():
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        if file != Path(__file__):
            assert "derandomize" not in text, file
            assert all(int(most) >= 4 for most in re.findall(r"max_examples=(\d+)", text)), file
