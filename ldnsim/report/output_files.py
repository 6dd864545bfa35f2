"""Output files of all commands: run, sweep, merge and export write every format that a module in `formats/` adds.

A file appears complete or not at all: it is written under a temporary name beside its place, and then renamed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ldnsim.foundation.errors import Fault, LdnsimError, nearest
from ldnsim.foundation.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr

    from ldnsim.scenario.scenario import Scenario

__all__ = [
    "FORMATS", "Format", "check_formats", "formats_of", "write_files", "write_results", "write_scenario", "write_sweep",
    "write_texts",
]  # fmt: skip

What = Literal["run", "sweep", "scenario"]


@dataclass(frozen=True)
class Format:
    """A file format, named like the suffix of its files, and its writers; None for what it cannot hold.

    Parameters
    ----------
    title
        What it holds, in words.
    run
        Writes a result and its table of metrics: `ldnsim run --format`.
    sweep
        Writes the table of a sweep: `ldnsim sweep --format` and `ldnsim merge --format`.
    scenario
        Writes a scenario under one of its accounts (None where it has only one), and returns what was written, in
        words: `ldnsim export --to`.
    metadata
        From the name of a sweep's file and its table: the text of the file NAME-metadata.json beside it.
    needs
        Libraries of `ldnsim[tables]` that must be installed.
    """

    title: str
    run: Callable[[Path, xr.Dataset, xr.Dataset], None] | None = None
    sweep: Callable[[Path, xr.Dataset], None] | None = None
    scenario: Callable[[Path, Scenario, str | None], str] | None = None
    metadata: Callable[[str, xr.Dataset], str] | None = None
    needs: tuple[str, ...] = ()


FORMATS: Registry[Format] = Registry("format", "ldnsim.report.formats")


def formats_of(what: What) -> dict[str, Format]:
    """Name -> format, for the formats of a run, a sweep or a scenario."""
    return {name: form for name, form in FORMATS.items() if getattr(form, what) is not None}


def check_formats(names: Sequence[str], what: What = "run") -> Sequence[str]:
    """Check that formats can be written, before any work is done.

    Parameters
    ----------
    names : sequence of str
        Names of formats.
    what : {"run", "sweep", "scenario"}
        What is to be written.

    Returns
    -------
    sequence of str
        The names.

    Raises
    ------
    LdnsimError
        For unknown formats, and libraries that are not installed.
    """
    known = formats_of(what)
    faults = [
        Fault(f"unknown format {name!r}", expected=", ".join(known), nearest=nearest(name, known))
        for name in names
        if name not in known
    ]
    for library in dict.fromkeys(library for name in names if name in known for library in known[name].needs):
        try:
            import_module(library)
        except ImportError:
            faults.append(Fault(f"{library} is not installed", expected="pip install 'ldnsim[tables]'"))
    if faults:
        raise LdnsimError(faults)
    return names


def write_results(
    folder: Path, name: str, result: xr.Dataset, table: xr.Dataset, page: str, formats: Sequence[str] = ()
) -> list[Path]:
    """Write a run: NAME.nc, NAME.html and further formats; all of them, or none.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    name : str
        Name of the files, without suffix.
    result, table : xarray.Dataset
        As returned by `simulate` and `summarize`.
    page : str
        HTML, as returned by `page`.
    formats : sequence of str
        Names of further formats.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    LdnsimError
        If the folder cannot be written, a format is unknown, or a library is not installed.
    """
    known = formats_of("run")
    first, *further = check_formats(["nc", *formats])
    writers: dict[str, Callable[[Path], object]] = {f"{name}.{first}": _of_run(known[first], result, table)}
    writers[f"{name}.html"] = lambda path: path.write_text(page, encoding="utf-8")
    writers |= {f"{name}.{form}": _of_run(known[form], result, table) for form in further}
    return write_files(folder, writers)


def write_sweep(store: Path, table: xr.Dataset, formats: Sequence[str]) -> list[Path]:
    """Write a sweep in further formats, next to its store and with its name.

    Parameters
    ----------
    store : Path
        The store of the sweep.
    table : xarray.Dataset
        As returned by `sweep`.
    formats : sequence of str
        Names of formats.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    LdnsimError
        As `write_results`.
    """
    known = formats_of("sweep")
    writers: dict[str, Callable[[Path], object]] = {}
    for name in check_formats(formats, "sweep"):
        file, form = store.with_suffix(f".{name}").name, known[name]
        assert form.sweep is not None
        writers[file] = lambda path, write=form.sweep: write(path, table)  # type: ignore[misc]
        if form.metadata is not None:
            text = form.metadata(file, table)
            writers[f"{file}-metadata.json"] = lambda path, text=text: path.write_text(text, encoding="utf-8")  # type: ignore[misc]
    return write_files(store.parent, writers)


def write_scenario(path: Path, scenario: Scenario, form: str, account: str | None = None) -> str:
    """Write a scenario in another format.

    Parameters
    ----------
    path : Path
        The file.
    scenario : Scenario
        As returned by `load_scenario`.
    form : str
        Name of a format.
    account : str, optional
        The account to be written; needed if the scenario has several.

    Returns
    -------
    str
        What was written, in words.

    Raises
    ------
    LdnsimError
        If the format is unknown or cannot hold the scenario, or the file cannot be written.
    """
    write = formats_of("scenario")[check_formats([form], "scenario")[0]].scenario
    assert write is not None
    summary: list[str] = []
    write_files(path.parent, {path.name: lambda temporary: summary.append(write(temporary, scenario, account))})
    return summary[0]


def _of_run(form: Format, result: xr.Dataset, table: xr.Dataset) -> Callable[[Path], object]:
    assert form.run is not None
    write = form.run
    return lambda path: write(path, result, table)


def write_files(folder: Path, writers: Mapping[str, Callable[[Path], object]]) -> list[Path]:
    """Write files into a folder; all of them, or none.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    writers : mapping of str to callable
        File name -> function that writes to the path that it is given.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    LdnsimError
        If the folder cannot be written, or a library is not installed.
    """
    temporary: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, write in writers.items():
            stem, _, suffix = name.partition(".")
            path = folder / name
            temporary[path] = folder / f".{stem}.{os.getpid()}.{suffix}"
            write(temporary[path])
        for path, written in temporary.items():
            if path.is_dir():
                shutil.rmtree(path)
            written.replace(path)
    except OSError as caught:
        raise LdnsimError(
            Fault(
                f"cannot write to {folder}: {caught.strerror or caught}",
                expected="a writable folder with free space, see --out",
            )
        ) from None
    except ImportError as caught:
        raise LdnsimError(
            Fault(f"{caught.name or caught} is not installed", expected="pip install 'ldnsim[tables]'")
        ) from None
    finally:
        for written in temporary.values():
            if written.is_dir():
                shutil.rmtree(written, ignore_errors=True)
            else:
                written.unlink(missing_ok=True)
    return list(temporary)


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write texts to files; all of them, or none.

    Parameters
    ----------
    texts : mapping of Path to str
        File -> text.

    Raises
    ------
    LdnsimError
        If a file cannot be written.
    """
    temporary = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in texts}
    try:
        for path, text in texts.items():
            temporary[path].write_text(text, encoding="utf-8")
        for path, written in temporary.items():
            written.replace(path)
    except OSError as caught:
        message = f"cannot write {caught.filename or ''}: {caught.strerror or caught}"
        raise LdnsimError(Fault(message, expected="a file in an existing, writable folder")) from None
    finally:
        for written in temporary.values():
            with suppress(OSError):
                written.unlink(missing_ok=True)
