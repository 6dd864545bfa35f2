"""Zarr: a run as a store, with the same content as its netCDF file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.report.output_files import FORMATS, Format

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

__all__: list[str] = []


def _store(path: Path, result: xr.Dataset, table: xr.Dataset) -> None:
    del table
    result.to_zarr(path, consolidated=False)


FORMATS.add("zarr", Format("a run as a Zarr store", run=_store, needs=("zarr",)))
