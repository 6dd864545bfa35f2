"""Numbers of the validation tables as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldnsim.foundation.clock import clock_text

if TYPE_CHECKING:
    from ldnsim.calibration.validation.rows import ValidationRow

__all__ = ["formatted_error", "formatted_mean", "formatted_number"]

MINUS = "−"


def formatted_number(value: float, unit: str) -> str:
    """Format a number with three digits, a clock time as HH:MM, and NaN as a dash.

    Parameters
    ----------
    value : float
        In `unit`; clock times in h since midnight.
    unit : str
        Unit of the row; only "clock" makes a difference.

    Returns
    -------
    str
        The number without its unit.
    """
    if math.isnan(value):
        return "—"
    if unit == "clock":
        return clock_text(value)
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(decimals, 6)}f}"


def formatted_error(row: ValidationRow) -> str:
    """Format the error of a row: a fold error as x1.20, others with sign and unit; "" for NaN.

    Parameters
    ----------
    row : ValidationRow
        The row of a fact.

    Returns
    -------
    str
        The error with its unit: x (fold), pp (percentage points) or h.
    """
    if math.isnan(row.error):
        return ""
    if row.scale == "fold":
        return f"x{row.error:.2f}"
    sign = "+" if row.error > 0 else MINUS if row.error < 0 else ""
    return f"{sign}{abs(row.error):.1f} {'pp' if row.scale == 'points' else 'h'}"


def formatted_mean(value: float, count: int, unit: str) -> str:
    """Format a mean error and the number of rows: x1.08 (4), or 6.20 pp (11); "" for no rows.

    Parameters
    ----------
    value : float
        Mean fold error, or root mean square error in percentage points.
    count : int
        Number of rows.
    unit : {"fold", "points"}
        Scale of the error.

    Returns
    -------
    str
        The mean and, in brackets, the count.
    """
    if not count:
        return ""
    return f"x{value:.2f} ({count})" if unit == "fold" else f"{value:.2f} pp ({count})"
