"""A sweep as rows: per cell, account, arm and person, with its provenance.

CSV and Parquet are written from these rows, some at a time, so that a table need not fit into memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.metrics.summary import over_people

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

__all__ = ["frames", "per_cell", "provenance"]

ROWS_AT_ONCE = 200_000
QUANTILES = {0.05: "p5", 0.5: "p50", 0.95: "p95"}
NOT_ROWS = ("dose",)  # a dimension that is not tabulated


def per_cell(table: xr.Dataset) -> xr.Dataset:
    """The table without the dims of people and quantiles: quantiles become columns."""
    if "subject" in table.dims and any("metric" in data.attrs for data in table.data_vars.values()):
        summary = over_people(table, tuple(QUANTILES))
        table = summary
    if "quantile" not in table.dims:
        return table
    columns: dict[str, Any] = {}
    for name, data in table.data_vars.items():
        if "quantile" not in data.dims:
            columns[str(name)] = data
            continue
        for level in table["quantile"].to_numpy().tolist():
            label = QUANTILES.get(round(level, 6), f"p{100 * level:g}")
            columns[f"{name}_{label}"] = data.sel(quantile=level, drop=True)
    return table.drop_vars([*table.data_vars, "quantile"]).assign(columns)


def frames(table: xr.Dataset) -> Iterator[Any]:
    """Tidy data frames, some rows at a time, with a column for each coordinate and variable."""
    table = table.drop_dims(NOT_ROWS, errors="ignore")
    dims: list[Any] = list(table["status"].dims if "status" in table else next(iter(table.data_vars.values())).dims)
    dims += [dim for dim in table.dims if dim not in dims]
    first = str(dims[0])
    rest = int(np.prod([float(table.sizes[dim]) for dim in dims[1:]]))
    step = max(1, ROWS_AT_ONCE // max(rest, 1))
    for start in range(0, table.sizes[first], step):
        some = table.isel({first: slice(start, start + step)}).load()
        yield some.to_dataframe(dim_order=dims).reset_index()


def provenance(table: xr.Dataset) -> dict[str, Any]:
    """The attributes of a sweep in JSON types, and the unit of every column."""
    units = {str(name): data.attrs["units"] for name, data in table.variables.items() if "units" in data.attrs}
    return {**{key: _plain(value) for key, value in table.attrs.items()}, "column_units": units}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
