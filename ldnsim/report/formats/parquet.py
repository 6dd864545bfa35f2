"""Parquet: the time courses of a run, or the rows of a sweep, one per person if there is a population.

Units and provenance of a sweep are in the schema of the file, where pandas finds them as `attrs`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ldnsim.report.output_files import FORMATS, Format
from ldnsim.report.sweep_rows import frames, provenance

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

__all__: list[str] = []


def _courses(path: Path, result: xr.Dataset, table: xr.Dataset) -> None:
    """Tidy: a row per account, arm, person and time."""
    del table
    courses = result.drop_dims([dim for dim in ("dose", "missed", "state") if dim in result.dims])
    courses.to_dataframe().reset_index().to_parquet(path, index=False)


def _rows(path: Path, table: xr.Dataset) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    attrs = json.dumps(provenance(table))
    writer = None
    try:
        for frame in frames(table):
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


FORMATS.add("parquet", Format("time courses of a run, rows of a sweep", run=_courses, sweep=_rows, needs=("pyarrow",)))
