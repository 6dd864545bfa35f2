"""What documentation says is true: its examples run, and public functions describe every parameter."""

import ast
import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import ldnsim
from ldnsim import plots

PACKAGE = Path(ldnsim.__file__).parent
SECTION = re.compile(r"^(\w[\w ]*)\n-+$", re.MULTILINE)


def _modules_with_examples():
    for path in sorted(PACKAGE.rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8"):
            yield ".".join(("ldnsim", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def _public():
    for home in (ldnsim, plots):
        for name in home.__all__:
            found = getattr(home, name)
            if inspect.isfunction(found):
                yield pytest.param(found, id=f"{found.__module__}.{name}")


@pytest.mark.parametrize("name", list(_modules_with_examples()))
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    failed, tried = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried, f"no example of {name} was found"
    assert not failed


@pytest.mark.parametrize("function", list(_public()))
def test_public_functions_are_documented_in_full(function):
    text = inspect.cleandoc(function.__doc__)
    parts = SECTION.split(text)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert {"Parameters", "Returns", "Raises", "Examples"} <= sections.keys()
    described = re.findall(r"^[*]*(\w+(?:, \w+)*) : ", sections["Parameters"], re.MULTILINE)
    names = [name for line in described for name in line.split(", ")]
    assert names == list(inspect.signature(function).parameters)
    assert re.findall(r"^>>> ", sections["Examples"], re.MULTILINE)


def test_every_module_says_what_it_is():
    for path in PACKAGE.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
