"""Results -> files. Each file appears whole or not at all: it is written beside its place and then moved there."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, LdnsimError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import xarray as xr

__all__ = ["FORMATS", "check_formats", "write_files", "write_results", "write_texts"]


def check_formats(formats: Sequence[str]) -> Sequence[str]:
    """The formats, if all are known; else LdnsimError, before any work is done."""
    unknown = [form for form in formats if form not in FORMATS]
    if unknown:
        raise LdnsimError(
            Fault(f"unknown format {form!r}", expected=", ".join(FORMATS), nearest=nearest(form, FORMATS))
            for form in unknown
        )
    return formats


def write_results(
    folder: Path, name: str, result: xr.Dataset, table: xr.Dataset, page: str, formats: Sequence[str] = ()
) -> list[Path]:
    """NAME.nc and NAME.html, and the further formats asked for, into `folder` (made where it is missing).

    Returns the paths. Raises LdnsimError where the folder cannot be written, or a format needs a library that is not
    installed; then no file of this run is left behind.
    """
    writers: dict[str, Callable[[Path], object]] = {
        "nc": lambda path: result.to_netcdf(path, engine="h5netcdf", encoding=_compressed(result)),
        "html": lambda path: path.write_text(page, encoding="utf-8"),
    }
    for form in formats:
        writers[form] = lambda path, write=FORMATS[form]: write(path, result, table)  # type: ignore[misc]
    return write_files(folder, {f"{name}.{suffix}": write for suffix, write in writers.items()})


def write_files(folder: Path, writers: Mapping[str, Callable[[Path], object]]) -> list[Path]:
    """What each of the writers writes, under its file name in `folder`: all of them, or none.

    Returns the paths. Raises LdnsimError where the folder cannot be written, or a library is not installed.
    """
    waiting: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, write in writers.items():
            stem, _, suffix = name.partition(".")
            path = folder / name
            waiting[path] = folder / f".{stem}.{os.getpid()}.{suffix}"
            write(waiting[path])
        for path, written in waiting.items():
            if path.is_dir():
                shutil.rmtree(path)
            written.replace(path)
    except OSError as caught:
        raise LdnsimError(
            Fault(f"cannot write to {folder}: {caught.strerror or caught}", expected="a folder with room, see --out")
        ) from None
    except ImportError as caught:
        raise LdnsimError(
            Fault(f"{caught.name or caught} is not installed", expected="pip install 'ldnsim[tables]'")
        ) from None
    finally:
        for written in waiting.values():
            if written.is_dir():
                shutil.rmtree(written, ignore_errors=True)
            else:
                written.unlink(missing_ok=True)
    return list(waiting)


def write_texts(texts: Mapping[Path, str]) -> None:
    """Texts to files, all of them or none; raises LdnsimError where one cannot be written."""
    waiting = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in texts}
    try:
        for path, text in texts.items():
            waiting[path].write_text(text, encoding="utf-8")
        for path, written in waiting.items():
            written.replace(path)
    except OSError as caught:
        message = f"cannot write {caught.filename or ''}: {caught.strerror or caught}"
        raise LdnsimError(Fault(message, expected="a file in a folder that is there")) from None
    finally:
        for written in waiting.values():
            with suppress(OSError):
                written.unlink(missing_ok=True)


def _compressed(result: xr.Dataset) -> dict[str, dict[str, object]]:
    return {
        str(name): {"zlib": True, "complevel": 4}
        for name, variable in result.data_vars.items()
        if variable.dtype.kind == "f" and variable.size > 1000
    }


def _csv(path: Path, result: xr.Dataset, table: xr.Dataset) -> None:
    """The metrics: a row per account, arm and person."""
    del result
    table.to_dataframe().reset_index().to_csv(path, index=False)


def _parquet(path: Path, result: xr.Dataset, table: xr.Dataset) -> None:
    """The time courses, tidy: a row per account, arm, person and time."""
    del table
    import pyarrow  # noqa: F401 - pandas says less clearly that it is missing

    courses = result.drop_dims([dim for dim in ("dose", "missed", "state") if dim in result.dims])
    courses.to_dataframe().reset_index().to_parquet(path, index=False)


def _zarr(path: Path, result: xr.Dataset, table: xr.Dataset) -> None:
    del table
    result.to_zarr(path, consolidated=False)


FORMATS: dict[str, Callable[[Path, xr.Dataset, xr.Dataset], None]] = {"csv": _csv, "parquet": _parquet, "zarr": _zarr}
