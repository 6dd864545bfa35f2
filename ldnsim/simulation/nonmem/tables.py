"""CSV files of records: read as they stand, written whole or not at all."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["pandas", "read_table", "write_table"]

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

    Raises LdnsimError where there is no such file, or it is no table.
    """
    pd = pandas()
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, skipinitialspace=True) if row]
    except FileNotFoundError:
        raise LdnsimError(Fault("there is no such file", file=str(path))) from None
    except OSError as caught:
        raise LdnsimError(Fault(f"cannot be read: {caught.strerror or caught}", file=str(path))) from None
    except UnicodeDecodeError:
        raise LdnsimError(Fault("is no text in UTF-8", file=str(path))) from None
    except csv.Error as caught:
        raise LdnsimError(
            Fault(f"is no table: {caught}", file=str(path), expected="cells with commas between")
        ) from None
    if not rows:
        raise LdnsimError(Fault("the file is empty", file=str(path), expected="a header, and a row for each record"))
    header, size = [name.strip() for name in rows[0]], len(rows[0])
    uneven = [number for number, row in enumerate(rows) if len(row) != size][:MOST_FAULTS]
    if uneven:
        raise LdnsimError(
            Fault(f"{len(rows[row])} cells", (f"row {row}",), f"{size} cells, as in the header", file=str(path))
            for row in uneven
        )
    return pd.DataFrame(rows[1:], columns=header)


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
