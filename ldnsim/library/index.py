"""Which files the library holds, by kind and name, with their titles. No file is checked, so that lists are fast."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.yaml import Document, build, read_text

__all__ = [
    "FOLDERS",
    "FORMAT_NAMES",
    "LIBRARY",
    "SUFFIXES",
    "files_of_format",
    "format_line",
    "is_file",
    "library",
    "title_of",
]

# fits stand with the models: they are where a model's numbers come from
FOLDERS = {"models": "models", "parts": "models", "scenarios": "scenarios", "fits": "models/fits"}
FORMAT_NAMES = {kind: f"ldnsim-{kind}/1" for kind in ("part", "model", "scenario", "fit", "predictions")}
FORMAT_LINE = re.compile(r"^format:\s*[\"']?([^\s\"'#]+)", re.M)
TITLE = re.compile(r"^(?:question|title):.*(?:\n(?:[ \t].*)?)*", re.M)  # the first such key with all lines of its value
SUFFIXES = (".yaml", ".yml")
MOST_FILES = 500  # of a folder, looked at to name the nearest one


def _library_folder() -> Path:
    """The folder that holds `models` and `scenarios`: inside the package when installed, beside it in a clone."""
    package = Path(__file__).resolve().parents[1]
    return package if (package / "models").is_dir() else package.parent


LIBRARY = _library_folder()


def library(kind: str) -> dict[str, Path]:
    """name -> path of what the library holds: kind is "models", "parts", "scenarios" or "fits"."""
    return files_of_format(LIBRARY / FOLDERS[kind], FORMAT_NAMES[kind.removesuffix("s")])


def files_of_format(folder: Path, form: str) -> dict[str, Path]:
    """name -> path of the files of one format in a folder."""
    files = islice(sorted(folder.glob("*.yaml")), MOST_FILES)
    return {path.stem: path for path in files if format_line(path) == form}


def format_line(path: Path) -> str:
    """The format that a file says it has; "" where it says none, or cannot be read."""
    try:
        found = FORMAT_LINE.search(read_text(path))
    except LdnsimError:
        return ""
    return found[1] if found else ""


def is_file(path: Path) -> bool:
    """Whether there is such a file; False for what cannot be the name of one."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or one that holds NUL
        return False


def title_of(path: Path) -> str:
    """The question or title of a file; "" where it has none. Raises LdnsimError where it cannot be read."""
    found = TITLE.search(read_text(path))
    if found is None:
        return ""
    (title,) = build(Document(str(path), found[0])).content.values()
    return str(title)
