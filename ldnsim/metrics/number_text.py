"""Values of metrics as people read them: 3 significant digits, shares in %, clock times as HH:MM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.clock import clock_change_text, clock_text
from ldnsim.metrics.catalogue import metric_named
from ldnsim.model.output_kinds import kind_named

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["DASH", "difference_text", "formatted", "label_of", "style_of"]

DASH, MINUS = "—", "−"
NOTHING = 1e-9  # smaller numbers are the solver's, not the model's


def label_of(metric: str) -> str:
    """The heading of a metric in a narrow column."""
    entry = metric_named(metric)
    return (entry.label or entry.name) if entry else metric


def style_of(data: xr.DataArray) -> str:
    """How the numbers of a variable of `summarize` read: `clock`, `share` (%), `rise` (signed %) or `plain`."""
    entry = metric_named(data.attrs["metric"])
    if entry is None:
        return "plain"
    if entry.style == "output":
        return "share" if kind_named(data.attrs.get("kind", "other")).is_share else "plain"
    return entry.style


def formatted(value: float, style: str) -> str:
    """A number as people read it; a dash for NaN."""
    if not np.isfinite(value):
        return DASH
    if style == "clock":
        return clock_text(value)
    if style == "plain":
        return _digits(value)
    sign = "+" if style == "rise" and value > NOTHING else ""
    return f"{sign}{_digits(100 * value)} %"


def _digits(value: float) -> str:
    """At least 3 significant digits, without an exponent where that stays short."""
    if abs(value) < NOTHING:
        return "0"
    size = abs(value)
    text = (
        f"{size:.{_decimals(size)}f}"
        if 1e-3 <= size < 1e6
        else f"{size:.2e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    )
    return (MINUS if value < 0 else "") + text.replace("e-", f"e{MINUS}")


def _decimals(value: float) -> int:
    """Decimals that show 3 significant digits."""
    return max(0, 2 - int(f"{abs(value):.2e}".split("e")[1])) if abs(value) >= NOTHING else 0


def difference_text(here: float, first: float, change: float, style: str) -> str:
    """A signed difference with the decimals of the finer of both numbers; 0 if it does not reach them."""
    if not np.isfinite(change):
        return DASH
    if style == "clock":
        return clock_change_text(change)
    scale, unit = (1.0, "") if style == "plain" else (100.0, " pp")
    shown = [scale * value for value in (here, first) if abs(scale * value) >= NOTHING]
    decimals = max((_decimals(value) for value in shown), default=0)
    size = f"{abs(scale * change):.{decimals}f}"
    if float(size) == 0:
        return "0"
    return f"{'+' if change > 0 else MINUS}{size}{unit}"
