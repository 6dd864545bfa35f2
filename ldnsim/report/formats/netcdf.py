"""netCDF: the complete result of a run, compressed without loss. Every run writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.report.output_files import FORMATS, Format

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

__all__: list[str] = []


def _dataset(path: Path, result: xr.Dataset, table: xr.Dataset) -> None:
    del table
    compressed: dict[str, dict[str, object]] = {
        str(name): {"zlib": True, "complevel": 4}
        for name, variable in result.data_vars.items()
        if variable.dtype.kind == "f" and variable.size > 1000
    }
    result.to_netcdf(path, engine="h5netcdf", encoding=compressed)


FORMATS.add("nc", Format("a run as netCDF", run=_dataset))
