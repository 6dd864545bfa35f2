"""The package from outside: its public names, each loaded when it is used, and the libraries that it declares."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import ldnsim

ROOT = Path(__file__).parent.parent
PACKAGE = Path(ldnsim.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))


def _trees():
    return ((path, ast.parse(path.read_text(encoding="utf-8"))) for path in MODULES)


@pytest.mark.parametrize("name", ldnsim.__all__)
def test_every_public_name_of_the_stub_loads(name):
    found = getattr(ldnsim, name)
    assert inspect.ismodule(found) or found.__name__ == name


def test_public_names_complete_by_tab():
    assert {"simulate", "plots", "LdnsimError"} <= set(dir(ldnsim))
    assert set(dir(ldnsim)) == set(ldnsim.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="simulated"):
        ldnsim.simulated  # noqa: B018


def test_one_public_name_loads_no_other_room():
    code = "import ldnsim, sys; ldnsim.LdnsimError; print(*(m for m in sys.modules if m.startswith('ldnsim.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ldnsim.foundation", "ldnsim.foundation.errors"]


def _normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _declared():
    """Names of the distributions that the package asks for, or one of the extras that people install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = project["dependencies"] + [line for extra in ("tables", "notebook", "cluster") for line in extras[extra]]
    return {_normalised(re.match(r"[\w.-]+", line).group()) for line in asked} | {"ldnsim"}


def _imported(tree):
    """Top-level modules that a module imports, wherever in it; the package imports itself by full names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_every_imported_library_is_declared():
    declared, known = _declared(), packages_distributions()
    undeclared = {
        f"{path.relative_to(PACKAGE)}: {module}"
        for path, tree in _trees()
        for module in _imported(tree)
        if module not in sys.stdlib_module_names and declared.isdisjoint(map(_normalised, known.get(module, [module])))
    }
    assert not undeclared


def _names_of_classes(tree):
    return [node.name.lstrip("_") for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def _aliases(tree):
    """Names like those of classes that a module gives at its top level: `Floats = NDArray[np.float64]`."""
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return [target.id for target in targets if isinstance(target, ast.Name) and re.match("[A-Z][a-z]", target.id)]


def test_no_class_name_stands_for_two_things():
    homes = {}
    for path, tree in _trees():
        for name in _names_of_classes(tree):
            homes.setdefault(name, []).append(str(path.relative_to(PACKAGE)))
    assert not {name: places for name, places in homes.items() if len(places) > 1}
    also = {(alias, str(path.relative_to(PACKAGE))) for path, tree in _trees() for alias in _aliases(tree)}
    assert not {(alias, place) for alias, place in also if alias in homes}


LITERALS = ("_drug_free", "evidence_", "evidence", "relative_to", "observed", "observed_hours", "observed_doses")


def _strings_of_attributes(tree):
    """Strings that name an attribute of a result: `x.attrs["..."]`, `attrs.get("...")`, `attrs["..."]`."""
    for node in ast.walk(tree):
        key = node.slice if isinstance(node, ast.Subscript) else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            held, key = node.func.value, (node.args or [None])[0]
        else:
            held = getattr(node, "value", None)
        if "attrs" in (getattr(held, "id", ""), getattr(held, "attr", "")) and key is not None:
            yield from (part.value for part in ast.walk(key) if isinstance(part, ast.Constant))


def test_attributes_of_outputs_and_the_twin_are_spelled_in_one_module():
    spelled = {
        (str(path.relative_to(PACKAGE)), text)
        for path, tree in _trees()
        for text in _strings_of_attributes(tree)
        if text in LITERALS
    }
    assert not spelled
    homes = {str(path.relative_to(PACKAGE)) for path, tree in _trees() if "_drug_free" in _constants(tree)}
    assert homes == {"metrics/outputs.py"}


def _constants(tree):
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
