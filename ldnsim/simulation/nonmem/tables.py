"""CSV files of records: read as they stand, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ldnsim.foundation.csv_tables import read_csv
from ldnsim.foundation.errors import Fault, LdnsimError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["pandas", "read_table", "write_table"]

LARGEST_DATA_SET, MOST_RECORDS = 1024**3, 10_000_000  # bytes, rows
WITH_TABLES = "pip install 'ldnsim[tables]'"


def pandas() -> ModuleType:
    """The library of data frames; raises LdnsimError where it is not installed."""
    try:
        import pandas as pd
    except ImportError:
        raise LdnsimError(Fault("data sets need pandas, which is not installed", expected=WITH_TABLES)) from None
    return pd  # type: ignore[no-any-return]


def read_table(path: Path | str) -> pd.DataFrame:
    """A CSV file as a data frame of texts, so that what is not used comes out as it went in.

    Raises LdnsimError where there is no such file, or it is no table, with every row that has too many or few cells.
    """
    pd = pandas()
    table = read_csv(path, row_is="record", largest=LARGEST_DATA_SET, most_rows=MOST_RECORDS)
    if table.faults:
        raise LdnsimError(table.faults)
    return pd.DataFrame([row.cells for row in table.rows], columns=table.header.cells)


def write_table(path: Path | str, table: pd.DataFrame) -> None:
    """A data frame as a CSV file, `.` for what is missing; numbers with all their digits. Raises LdnsimError where that
    cannot be, and then leaves nothing behind.
    """
    path = Path(path)
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        table.to_csv(waiting, index=False, na_rep=".")
        waiting.replace(path)
    except OSError as caught:
        raise LdnsimError(Fault(f"cannot be written: {caught.strerror or caught}", file=str(path))) from None
    finally:
        waiting.unlink(missing_ok=True)
