"""Numbers of the evidence table as people read them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldnsim.foundation.clock import clock_text

if TYPE_CHECKING:
    from ldnsim.calibration.validation.rows import ValidationRow

__all__ = ["formatted_error", "formatted_mean", "formatted_number"]

MINUS = "−"


def formatted_number(value: float, unit: str) -> str:
    """Three digits; clock times as HH:MM; a dash where there is no number."""
    if math.isnan(value):
        return "—"
    if unit == "clock":
        return clock_text(value)
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(decimals, 6)}f}"


def formatted_error(row: ValidationRow) -> str:
    """A fold error as x1.20, others signed with their unit."""
    if math.isnan(row.error):
        return ""
    if row.scale == "fold":
        return f"x{row.error:.2f}"
    sign = "+" if row.error > 0 else MINUS if row.error < 0 else ""
    return f"{sign}{abs(row.error):.1f} {'pp' if row.scale == 'points' else 'h'}"


def formatted_mean(value: float, count: int, unit: str) -> str:
    """A mean error over some rows and how many: x1.08 (4), or 6.2 pp (11); nothing of none."""
    if not count:
        return ""
    return f"x{value:.2f} ({count})" if unit == "fold" else f"{value:.2f} pp ({count})"
