"""What stands where: the library's folders, the kinds of files, and which file a name means."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.fields import Record
from ldnsim.foundation.yaml import read_text
from ldnsim.library.bibliography import read_bibliography
from ldnsim.library.fit_file import Fit
from ldnsim.library.predictions import Predictions
from ldnsim.model.records import Model, Part
from ldnsim.scenario.scenario import Scenario

__all__ = [
    "BIBLIOGRAPHY",
    "FORMATS",
    "FORMAT_OF",
    "KIND_OF",
    "LIBRARY",
    "SUFFIXES",
    "files_in",
    "format_line",
    "is_file",
    "load_bibliography",
]

FORMATS: dict[str, type[Record]] = {
    "ldnsim-part/1": Part,
    "ldnsim-model/1": Model,
    "ldnsim-scenario/1": Scenario,
    "ldnsim-fit/1": Fit,
    "ldnsim-predictions/1": Predictions,
}
FORMAT_OF = {record_type: form for form, record_type in FORMATS.items()}
KIND_OF: dict[type[Record], str] = {
    Part: "part",
    Model: "model",
    Scenario: "scenario",
    Fit: "fit",
    Predictions: "predictions",
}
FORMAT_LINE = re.compile(r"^format:\s*[\"']?([^\s\"'#]+)", re.M)
SUFFIXES = (".yaml", ".yml")
BIBLIOGRAPHY = "references.bib"
MOST_FILES = 500  # of a folder, looked at to name the nearest one


def _library_folder() -> Path:
    """The folder that holds `models` and `scenarios`: inside the package when installed, beside it in a clone."""
    package = Path(__file__).resolve().parents[1]
    return package if (package / "models").is_dir() else package.parent


LIBRARY = _library_folder()


def load_bibliography(folder: Path | None = None) -> dict[str, str]:
    """source key -> citation, from the library's references and those in `references.bib` of a folder."""
    files = [LIBRARY / "models" / BIBLIOGRAPHY]
    if folder is not None and is_file(folder / BIBLIOGRAPHY):
        files.append(folder / BIBLIOGRAPHY)
    return {key: citation for file in files for key, citation in read_bibliography(read_text(file), str(file)).items()}


def files_in(folder: Path, record_type: type[Record]) -> dict[str, Path]:
    """name -> path of the files of one kind in a folder."""
    return {
        path.stem: path
        for path in islice(sorted(folder.glob("*.yaml")), MOST_FILES)
        if format_line(path) == FORMAT_OF[record_type]
    }


def format_line(path: Path) -> str:
    """The format that a file says it has; "" where it says none, or cannot be read."""
    try:
        found = FORMAT_LINE.search(read_text(path))
    except LdnsimError:
        return ""
    return found[1] if found else ""


def is_file(path: Path) -> bool:
    """Whether there is such a file; no for what can be no name of one."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or one that holds NUL
        return False
