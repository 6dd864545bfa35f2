"""What stands where: the library's folders, the kinds of files, and which file a name means."""

from __future__ import annotations

from pathlib import Path

from ldnsim.foundation.fields import Record
from ldnsim.foundation.yaml import read_text
from ldnsim.library.bibliography import read_bibliography
from ldnsim.library.fit_file import Fit
from ldnsim.library.index import FORMAT_NAMES, LIBRARY, SUFFIXES, files_of_format, format_line
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
    FORMAT_NAMES["part"]: Part,
    FORMAT_NAMES["model"]: Model,
    FORMAT_NAMES["scenario"]: Scenario,
    FORMAT_NAMES["fit"]: Fit,
    FORMAT_NAMES["predictions"]: Predictions,
}
FORMAT_OF = {record_type: form for form, record_type in FORMATS.items()}
KIND_OF = {FORMATS[form]: kind for kind, form in FORMAT_NAMES.items()}
BIBLIOGRAPHY = "references.bib"


def load_bibliography(folder: Path | None = None) -> dict[str, str]:
    """source key -> citation, from the library's references and those in `references.bib` of a folder."""
    files = [LIBRARY / "models" / BIBLIOGRAPHY]
    if folder is not None and is_file(folder / BIBLIOGRAPHY):
        files.append(folder / BIBLIOGRAPHY)
    return {key: citation for file in files for key, citation in read_bibliography(read_text(file), str(file)).items()}


def files_in(folder: Path, record_type: type[Record]) -> dict[str, Path]:
    """name -> path of the files of one kind in a folder."""
    return files_of_format(folder, FORMAT_OF[record_type])


def is_file(path: Path) -> bool:
    """Whether there is such a file; no for what can be no name of one."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or one that holds NUL
        return False
