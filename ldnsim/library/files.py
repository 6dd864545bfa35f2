"""The front door: files, by name or path -> records. All faults are reported at once, with file, line and column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest, shown
from ldnsim.foundation.fields import Record
from ldnsim.foundation.yaml import read_document, read_text
from ldnsim.library.bibliography import load_bibliography
from ldnsim.library.checks import implausible_account_values, implausible_values
from ldnsim.library.fit_file import Fit
from ldnsim.library.index import FOLDERS, LIBRARY, SUFFIXES, is_file, library
from ldnsim.library.loader import FORMATS, Loader
from ldnsim.library.predictions import Predictions
from ldnsim.model.records import Model, Part
from ldnsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FOLDERS",
    "FORMATS",
    "LIBRARY",
    "faults_in",
    "files_under",
    "implausible_values_in",
    "library",
    "load_any",
    "load_bibliography",
    "load_file",
    "load_fit",
    "load_model",
    "load_predictions",
    "load_scenario",
    "source_text",
]

R = TypeVar("R", bound=Record)


def load_file(path: Path | str, record_type: type[R] = Record) -> R:  # type: ignore[assignment]
    """The record of a file, of one kind or of the kind that its `format` says; raises LdnsimError with all faults."""
    return Loader().record(Path(path), record_type)


def load_any(name: str | Path) -> Record:
    """A model, part, scenario or fit by name (looked for in this order) or path; raises LdnsimError with all faults."""
    return load_file(_find(name, *FOLDERS))


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
    model = load_file(_find(name, "models"), Model)
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
    return load_file(_find(name, "scenarios"), Scenario)


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
    return load_file(_find(name, "fits"), Fit)


def load_predictions() -> Predictions:
    """How the library's facts are predicted; raises LdnsimError with all faults of the file."""
    return load_file(LIBRARY / "models" / "evidence" / "predictions.yaml", Predictions)


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
    """Every fault of the files, and every implausible value in those without fault, each once."""
    loader = Loader()
    faults: dict[Fault, None] = {}
    for file in files:
        record, found = loader.load(file, None)
        faults.update(dict.fromkeys(found or _implausible(file, record)))
    return tuple(faults)


def implausible_values_in(path: Path | str) -> tuple[Fault, ...]:
    """Values of a file without fault that no body could have, with their places."""
    return _implausible(Path(path), load_file(path))


def _implausible(path: Path, record: Record | None) -> tuple[Fault, ...]:
    found: Iterable[Fault] = ()
    if isinstance(record, Part):
        found = implausible_values(record)
    elif isinstance(record, Model):
        found = implausible_account_values(record)
    document = read_document(path)
    return tuple(document.locate(fault) for fault in found)


def source_text(name: str | Path, folder: str) -> str:
    """The text of a scenario or model file, as it was read."""
    return read_text(_find(name, folder))


def _find(name: str | Path, *kinds: str) -> Path:
    """The file of a path, or of a name in the library: the first of the kinds ("models", ...) that has it."""
    if Path(name).suffix in SUFFIXES or len(Path(name).parts) > 1:
        return Path(name)
    for kind in kinds:
        if is_file(file := LIBRARY / FOLDERS[kind] / f"{name}.yaml"):
            return file
    known = [stem for kind in reversed(kinds) for stem in library(kind)]
    what = " or ".join(", ".join(kind[:-1] for kind in kinds).rsplit(", ", 1))
    expected = f"a path that ends in .yaml, or one of {listed(known)}"
    raise LdnsimError(Fault(f"there is no {what} {shown(str(name))}", (), expected, nearest(str(name), known)))


def _unknown(what: str, found: object, known: Iterable[str]) -> Fault:
    return Fault(f"{what} {shown(found)}", (), listed(known), nearest(str(found), known))
