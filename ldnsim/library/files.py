"""Files -> records. Everything that is wrong with them is told at once, with file, line and column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest, shown
from ldnsim.foundation.fields import Record
from ldnsim.foundation.yaml import read_document, read_text
from ldnsim.library.checks import plausible_account_faults, plausible_faults
from ldnsim.library.fit_file import Fit
from ldnsim.library.folders import FORMATS, LIBRARY, SUFFIXES, is_file, load_bibliography
from ldnsim.library.index import FOLDERS, library
from ldnsim.library.loader import Loader
from ldnsim.library.predictions import Predictions
from ldnsim.model.records import Model, Part
from ldnsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FOLDERS",
    "FORMATS",
    "LIBRARY",
    "check_file",
    "doubts",
    "faults_in",
    "files_under",
    "find_any",
    "library",
    "load_bibliography",
    "load_fit",
    "load_model",
    "load_predictions",
    "load_scenario",
    "source_text",
]


def load_model(name: str | Path, account: str | None = None, **alternatives: str) -> Model:
    """Load a model with all its parts.

    Parameters
    ----------
    name : str or path
        Name of a model of the library, or path of a file.
    account : str, optional
        Name of one account to keep; default: all.
    **alternatives : str
        Slot -> name of the part to use, such as `occupancy="occupancy_plasma"`; the model then has that one account.

    Returns
    -------
    Model

    Raises
    ------
    LdnsimError
        With all faults of the model's file and of its parts' files, and for names that do not exist.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> model = ldn.load_model("ldn", account="pet_pool")
    >>> list(model.accounts), list(model.inputs)[:2]
    (['pet_pool'], ['oral', 'oral_extended'])
    """
    model = Loader().sound(_find(name, "models"), Model)
    if account is None and not alternatives:
        return model
    faults = []
    if account is not None and account not in model.accounts:
        faults.append(_unknown(f"model {model.name} has no account", account, model.accounts))
    for slot, part in alternatives.items():
        if slot not in model.slots:
            faults.append(_unknown(f"model {model.name} has no slot", slot, model.slots))
        elif part not in (names := [alternative.name for alternative in model.slots[slot]]):
            faults.append(_unknown(f"slot {slot} has no alternative", part, names))
    if faults:
        raise LdnsimError(faults)
    return model.with_account(account, **alternatives)


def load_scenario(name: str | Path) -> Scenario:
    """Load a scenario with its model.

    Parameters
    ----------
    name : str or path
        Name of a scenario of the library, or path of a file.

    Returns
    -------
    Scenario

    Raises
    ------
    LdnsimError
        With all faults of all files.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> scenario = ldn.load_scenario("night_vs_morning")
    >>> list(scenario.arms), scenario.duration
    (['night', 'morning'], Quantity(value=28.0, unit='d'))
    """
    return Loader().sound(_find(name, "scenarios"), Scenario)


def load_fit(name: str | Path) -> Fit:
    """Load a fit with its model and data.

    Parameters
    ----------
    name : str or path
        Name of a fit of the library, or path of a file.

    Returns
    -------
    Fit

    Raises
    ------
    LdnsimError
        With all faults of all files.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> list(ldn.load_fit("oral_clearance").estimate)
    ['plasma.F', 'plasma.CL', 'plasma.V1', 'plasma.Q2', 'plasma.V2']
    """
    return Loader().sound(_find(name, "fits"), Fit)


def load_predictions() -> Predictions:
    """How the library's facts are predicted; raises LdnsimError with all faults of the file."""
    return Loader().sound(LIBRARY / "models" / "evidence" / "predictions.yaml", Predictions)


def find_any(name: str | Path) -> Record:
    """A model, part, scenario or fit by name (looked for in this order) or path; raises LdnsimError with all faults."""
    if _is_path(name):
        return check_file(Path(name))
    known = {**library("fits"), **library("scenarios"), **library("parts"), **library("models")}
    if str(name) not in known:
        expected = f"a path that ends in .yaml, or one of {listed(known)}"
        raise LdnsimError(
            Fault(
                f"there is no model, part, scenario or fit {shown(str(name))}", (), expected, nearest(str(name), known)
            )
        )
    return check_file(known[str(name)])


def check_file(path: Path | str) -> Record:
    """Any file of ours, read as what its `format` says it is; raises LdnsimError with all faults."""
    return Loader().sound(Path(path), Record)


def doubts(path: Path | str) -> tuple[Fault, ...]:
    """What is hard to believe in a file without fault, with places: numbers that a body could hardly have."""
    record = check_file(path)
    found: Iterable[Fault] = ()
    if isinstance(record, Part):
        found = plausible_faults(record)
    elif isinstance(record, Model):
        found = plausible_account_faults(record)
    document = read_document(Path(path))
    return tuple(document.locate(fault) for fault in found)


def files_under(paths: Iterable[Path]) -> list[Path]:
    """The files named, and all YAML files in the folders named; raises LdnsimError where there is none."""
    found = [
        file
        for path in paths
        for file in (sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")]) if path.is_dir() else [path])
    ]
    if not found:
        raise LdnsimError(Fault("no .yaml file there", expected="a file, or a folder with files"))
    return found


def faults_in(files: Iterable[Path]) -> tuple[Fault, ...]:
    """Everything wrong with files, and every number in them that is hard to believe, each told once."""
    faults: dict[Fault, None] = {}
    for file in files:
        try:
            faults.update(dict.fromkeys(doubts(file)))
        except LdnsimError as caught:
            faults.update(dict.fromkeys(caught.faults))
    return tuple(faults)


def source_text(name: str | Path, folder: str) -> str:
    """The text of a scenario or model file, as it was read."""
    return read_text(_find(name, folder))


def _is_path(name: str | Path) -> bool:
    return Path(name).suffix in SUFFIXES or len(Path(name).parts) > 1


def _find(name: str | Path, folder: str) -> Path:
    if _is_path(name):
        return Path(name)
    found = LIBRARY / FOLDERS[folder] / f"{name}.yaml"
    if is_file(found):
        return found
    known = library(folder)
    expected = f"a path that ends in .yaml, or one of {listed(known)}"
    raise LdnsimError(Fault(f"there is no {folder[:-1]} {shown(str(name))}", (), expected, nearest(str(name), known)))


def _unknown(what: str, found: object, known: Iterable[str]) -> Fault:
    return Fault(f"{what} {shown(found)}", (), listed(known), nearest(str(found), known))
