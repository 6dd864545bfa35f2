"""A data frame's columns as numbers, and everything in them that is no number.

Headers are case-insensitive; `.` and empty cells are missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.foundation.clock import parse_clock
from ldnsim.foundation.errors import MOST_FAULTS, Fault, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd

__all__ = ["Columns", "faults_at", "place_of"]

REQUIRED = ("ID", "TIME", "EVID")
OPTIONAL = ("AMT", "CMT", "RATE", "II", "ADDL", "SS")
RESERVED = (*REQUIRED, *OPTIONAL)
PASSED = ("DV", "MDV")  # of the observations: they go from one side to the other, and nobody need be told
MISSING = (".", "")
NUMBER = "a number, or . where there is none"


class Columns:
    """The columns of a data frame by their upper-case names, read as they are asked for; `faults` fills meanwhile."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame, self.faults = frame, list(_header_faults(frame))
        self.place: dict[str, int] = {}
        for place, header in enumerate(frame.columns):
            self.place.setdefault(str(header).strip().upper(), place)

    def __contains__(self, name: str) -> bool:
        return name in self.place

    def others(self) -> list[str]:
        """The names, as written, of the columns that records are not made of."""
        used = {self.place[name] for name in (*RESERVED, *PASSED) if name in self.place}
        return [str(header).strip() for place, header in enumerate(self.frame.columns) if place not in used]

    def cells(self, name: str) -> pd.Series:
        return self.frame.iloc[:, self.place[name.upper()]]

    def numbers(self, name: str, missing: float = np.nan) -> np.ndarray:
        """A column as floats; `missing` where cells are, where they were told as faults, and without such a column."""
        if name.upper() not in self.place:
            return np.full(len(self.frame), missing)
        cells = self.cells(name)
        found, blank = _parsed(cells, clock=name.upper() == "TIME")
        unknown = ~np.isfinite(found)
        if not unknown.any():
            return found
        bad = np.flatnonzero(unknown & ~blank)
        self.faults += faults_at(bad, name, lambda row: _no_number(cells.iloc[row], name), NUMBER)
        return np.where(unknown, missing, found)

    def whole(self, name: str, missing: int, most: int) -> np.ndarray:
        """A column of whole numbers up to `most`. What is negative is the caller's to tell, where `most` is large."""
        found = self.numbers(name, missing)
        least, few = (0, True) if most < 10 else (-np.inf, False)
        bad = np.flatnonzero((found != np.rint(found)) | (found > most) | (found < least))
        if len(bad):
            expected = f"0 to {most}" if few else "a whole number"
            self.faults += faults_at(bad, name, lambda row: f"{name} is {found[row]:.12g}", expected)
            found = found.copy()
            found[bad] = missing
        return found

    def labels(self, name: str) -> tuple[np.ndarray, list[str | None]]:
        """(which label stands in each row, the labels as text, None where missing). 2 and "2" are one label."""
        import pandas as pd

        cells = self.cells(name)
        lengths = None
        if pd.api.types.is_numeric_dtype(cells.dtype):  # of numbers it is cheap to look at the first of equal ones only
            values = cells.to_numpy()
            begins = np.append(0, 1 + np.flatnonzero(values[1:] != values[:-1]))
            lengths = np.diff(np.append(begins, len(values)))
            cells = cells.iloc[begins]
        codes, distinct = pd.factorize(cells, use_na_sentinel=False)
        texts = [_text(found) for found in distinct]
        merged = {text: place for place, text in reversed(list(enumerate(texts)))}  # `1` and `1.0` are one
        codes = np.array([merged[text] for text in texts], np.int64)[codes]
        return codes if lengths is None else np.repeat(codes, lengths), texts


def place_of(row: int, column: str = "") -> tuple[str, ...]:
    """Where a fault is: rows count from 1 below the header."""
    return (f"row {row + 1}", column) if column else (f"row {row + 1}",)


def faults_at(rows: np.ndarray, column: str, what: str | Callable[[int], str], expected: str = "") -> Iterator[Fault]:
    """A fault for each of the rows, as many as are ever collected. `what` is its text, or makes it of the row."""
    for row in rows[:MOST_FAULTS].tolist():
        yield Fault(what if isinstance(what, str) else what(row), place_of(row, column), expected)


def _header_faults(frame: pd.DataFrame) -> Iterator[Fault]:
    names = [str(header).strip().upper() for header in frame.columns]
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in seen:
            first = str(frame.columns[seen[name]])
            message = f"columns {seen[name] + 1} and {place + 1} are both called {shown(first)} (case does not count)"
            yield Fault(message, ("header",), "each name once")
        elif not name:
            yield Fault(f"column {place + 1} has no name", ("header",), "a name for each column")
        seen.setdefault(name, place)
    for name in REQUIRED:
        if name not in seen:
            near = nearest(name, _unknown(names))
            yield Fault(
                f"there is no column {name}", ("header",), f"{', '.join(REQUIRED)} and, for doses, AMT, CMT", near
            )
    if not len(frame):
        yield Fault("the data set has no rows", ("row 1",), "a row for each record below the header")


def _unknown(names: Iterable[str]) -> list[str]:
    return [name for name in names if name not in RESERVED]


def _parsed(cells: pd.Series, *, clock: bool) -> tuple[np.ndarray, np.ndarray]:
    """(numbers, with NaN for what is none; which cells are blank)."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_complex_dtype(cells.dtype):
        found = cells.to_numpy(np.float64, na_value=np.nan)
        return found, np.isnan(found)
    absent = cells.isna().to_numpy()
    texts = cells.astype(str).str.strip()
    blank = absent | texts.isin(MISSING).to_numpy()
    found = pd.to_numeric(texts.where(~blank, "nan"), errors="coerce").to_numpy(np.float64, copy=True)
    if clock:
        for row in np.flatnonzero(np.isnan(found) & texts.str.contains(":", regex=False).to_numpy()).tolist():
            found[row] = _hours(texts.iloc[row])
    return found, blank


def _hours(text: str) -> float:
    time = parse_clock(text)
    return np.nan if time is None else time


def _no_number(found: Any, name: str) -> str:
    if name.upper() == "TIME" and isinstance(found, str) and ":" in found:
        return f"{shown(found)} is no clock time (00:00 to 23:59)"
    return f"{shown(found)} is no finite number"


def _text(found: Any) -> str | None:
    """A label as text, without the .0 that a column of floats gives to whole numbers."""
    if found is None or found != found:  # noqa: PLR0124 - NaN, of any library
        return None
    text = str(found).strip()
    if text in MISSING:
        return None
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdigit() else text
