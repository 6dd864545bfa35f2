"""A sweep as tables: CSV with a row per cell, account and arm; Parquet with a row per person where there are people.

Units and provenance are in a `-metadata.json` next to the CSV (CSV on the Web, W3C) and in the schema of the Parquet
file, where pandas finds them as `attrs`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.foundation.errors import Fault, LdnsimError, nearest
from ldnsim.metrics.summary import over_people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import xarray as xr

__all__ = ["TABLES", "check_tables", "write_tables"]

ROWS_AT_ONCE = 200_000
QUANTILES = {0.05: "p5", 0.5: "p50", 0.95: "p95"}
NOT_ROWS = ("dose",)  # a dimension that is not tabulated


def check_tables(formats: Sequence[str]) -> Sequence[str]:
    """The formats, if all can be written; raises LdnsimError otherwise, before the sweep starts."""
    unknown = [form for form in formats if form not in TABLES]
    if unknown:
        raise LdnsimError(
            Fault(f"unknown format {form!r}", expected=", ".join(TABLES), nearest=nearest(form, TABLES))
            for form in unknown
        )
    if formats:
        try:
            import pandas  # noqa: F401
            import pyarrow  # noqa: F401
        except ImportError as caught:
            raise LdnsimError(
                Fault(f"{caught.name} is not installed", expected="pip install 'ldnsim[tables]'")
            ) from None
    return formats


def write_tables(store: Path, table: xr.Dataset, formats: Sequence[str]) -> list[Path]:
    """Write tables next to the store, with its name, each whole or not at all. Returns the paths."""
    written = []
    for form in formats:
        path = store.with_suffix(f".{form}")
        beside = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            TABLES[form](beside, table)
            beside.replace(path)
            if form == "csv":
                about = path.with_name(f"{path.name}-metadata.json")
                beside.write_text(json.dumps(_described(path, table), indent=1), encoding="utf-8")
                beside.replace(about)
                written.append(about)
        except OSError as caught:
            raise LdnsimError(Fault(f"cannot write {path}: {caught.strerror or caught}")) from None
        finally:
            beside.unlink(missing_ok=True)
        written.append(path)
    return written


def _per_cell(table: xr.Dataset) -> xr.Dataset:
    """The table without dims of people or quantiles: quantiles become columns."""
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


def _frames(table: xr.Dataset) -> Iterator[Any]:
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


def _csv(path: Path, table: xr.Dataset) -> None:
    for number, frame in enumerate(_frames(_per_cell(table))):
        frame.to_csv(path, index=False, mode="w" if number == 0 else "a", header=number == 0)


def _parquet(path: Path, table: xr.Dataset) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    attrs = json.dumps(_provenance(table))
    writer = None
    try:
        for frame in _frames(table):
            made = pa.Table.from_pandas(frame, preserve_index=False)
            if writer is None:
                about = {**(made.schema.metadata or {}), b"ldnsim": attrs.encode(), b"PANDAS_ATTRS": attrs.encode()}
                fields = [_with_labels(field, table) for field in made.schema]
                schema = pa.schema(fields, metadata=about)
                writer = ParquetWriter(path, schema)
            writer.write_table(made.cast(schema))
    finally:
        if writer is not None:
            writer.close()


def _with_labels(field: Any, table: xr.Dataset) -> Any:
    """A Parquet column with its unit and name, nullable."""
    labels = {
        key: str(table[field.name].attrs[key]) for key in ("units", "long_name") if key in table[field.name].attrs
    }
    return field.with_metadata(labels).with_nullable(True)


def _provenance(table: xr.Dataset) -> dict[str, Any]:
    units = {str(name): data.attrs["units"] for name, data in table.variables.items() if "units" in data.attrs}
    return {**{key: _plain(value) for key, value in table.attrs.items()}, "column_units": units}


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _described(path: Path, table: xr.Dataset) -> dict[str, Any]:
    """Metadata by CSV on the Web: columns with unit and title, and the provenance."""
    per_cell = _per_cell(table.isel(subject=slice(0, 2)) if "subject" in table.dims else table)
    names = next(_frames(per_cell.isel({dim: slice(0, 1) for dim in per_cell.dims}))).columns
    columns = []
    for name in map(str, names):
        attrs = per_cell[name].attrs
        columns.append(
            {"name": name, "titles": name}
            | ({"unit": str(attrs["units"])} if "units" in attrs else {})
            | ({"dc:description": str(attrs["long_name"])} if "long_name" in attrs else {})
        )
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": path.name,
        "tableSchema": {"columns": columns},
        "notes": _provenance(table),
    }


TABLES: dict[str, Callable[[Path, xr.Dataset], None]] = {"csv": _csv, "parquet": _parquet}
