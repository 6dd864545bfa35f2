"""CSV files of records: read as they stand, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ldnsim.errors import Fault, LdnsimError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_table", "write_table"]

WITH_TABLES = "pip install 'ldnsim[tables]'"


def read_table(path: Path | str) -> pd.DataFrame:
    """A CSV file as a data frame of texts, so that what is not used comes out as it went in.

    Raises LdnsimError where there is no such file, or it is no table.
    """
    try:
        import pandas as pd
    except ImportError:
        raise LdnsimError(Fault("data sets need pandas, which is not installed", expected=WITH_TABLES)) from None
    try:
        frame = pd.read_csv(
            path, header=None, dtype=str, keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True
        )
    except FileNotFoundError:
        raise LdnsimError(Fault("there is no such file", file=str(path))) from None
    except OSError as caught:
        raise LdnsimError(Fault(f"cannot be read: {caught.strerror or caught}", file=str(path))) from None
    except UnicodeDecodeError:
        raise LdnsimError(Fault("is no text in UTF-8", file=str(path))) from None
    except pd.errors.EmptyDataError:
        raise LdnsimError(
            Fault("the file is empty", file=str(path), expected="a header and a row per record")
        ) from None
    except pd.errors.ParserError as caught:
        text = str(caught).removeprefix("Error tokenizing data. C error: ").strip()
        raise LdnsimError(Fault(f"is no table: {text}", file=str(path), expected="as many cells in each row")) from None
    header, frame = frame.iloc[0].astype(str).str.strip(), frame.iloc[1:].reset_index(drop=True)
    short = frame.isna().any(axis=1)
    if header.isna().any() or short.any():
        rows = [int(row) for row in short.to_numpy().nonzero()[0][:10]]
        raise LdnsimError(
            Fault("has fewer cells than the header", (f"row {row + 1}",), f"{len(header)} cells", file=str(path))
            for row in rows
        )
    frame.columns = list(header)
    return frame


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
