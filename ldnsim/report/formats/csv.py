"""CSV: the metrics of a run, or the rows of a sweep with units and provenance beside them (CSV on the Web, W3C)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ldnsim.report.output_files import FORMATS, Format
from ldnsim.report.sweep_rows import frames, per_cell, provenance

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

__all__: list[str] = []


def _metrics(path: Path, result: xr.Dataset, table: xr.Dataset) -> None:
    """A row per account, arm and person."""
    del result
    table.to_dataframe().reset_index().to_csv(path, index=False)


def _rows(path: Path, table: xr.Dataset) -> None:
    """A row per cell, account and arm; people as quantiles."""
    for number, frame in enumerate(frames(per_cell(table))):
        frame.to_csv(path, index=False, mode="w" if number == 0 else "a", header=number == 0)


def _metadata(file: str, table: xr.Dataset) -> str:
    """Columns with unit and title, and the provenance."""
    cells = per_cell(table.isel(subject=slice(0, 2)) if "subject" in table.dims else table)
    names = next(frames(cells.isel({dim: slice(0, 1) for dim in cells.dims}))).columns
    columns: list[dict[str, Any]] = []
    for name in map(str, names):
        attrs = cells[name].attrs
        columns.append(
            {"name": name, "titles": name}
            | ({"unit": str(attrs["units"])} if "units" in attrs else {})
            | ({"dc:description": str(attrs["long_name"])} if "long_name" in attrs else {})
        )
    about = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": file,
        "tableSchema": {"columns": columns},
        "notes": provenance(table),
    }
    return json.dumps(about, indent=1)


FORMATS.add("csv", Format("tables of metrics", run=_metrics, sweep=_rows, metadata=_metadata))
