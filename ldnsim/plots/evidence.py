"""Predicted against observed values of a validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from ldnsim.calibration.validation.rows import FAMILIES
from ldnsim.plots.scales import label
from ldnsim.plots.style import ACCOUNTS, COLOURWAY, FAINT, MUTED, TEMPLATE

if TYPE_CHECKING:
    from ldnsim.calibration.validation import Validation, ValidationRow

__all__ = ["folds", "occupancies"]

SYMBOLS = {"fit": "circle", "test": "diamond-open"}
LIMIT = 8.0  # percentage points of occupancy error that are tolerated
LAYOUT: dict[str, Any] = {"template": TEMPLATE, "height": 520, "margin": {"t": 88, "b": 64, "l": 78, "r": 18}}


def folds(validation: Validation) -> go.Figure:
    """Predicted against observed, for all values judged by their fold error, each in its own unit."""
    rows = [row for row in _judged(validation) if row.scale == "fold"]
    figure = go.Figure(layout=LAYOUT)
    ends = _ends(rows)
    for factor, dash, name in ((1.0, "solid", "predicted = observed"), (2.0, "dot", "2-fold error"), (0.5, "dot", "")):
        line = {"color": MUTED if factor == 1 else FAINT, "width": 1.2, "dash": dash}
        y = [factor * end for end in ends]
        figure.add_trace(_line(list(ends), y, line, name))
    families = dict.fromkeys([*FAMILIES, *(row.family for row in rows)])
    for colour, family in zip(COLOURWAY, families, strict=False):
        for use, symbol in SYMBOLS.items():
            here = [row for row in rows if row.family == family and row.fact.use == use]
            if here:
                marker = {"color": colour, "symbol": symbol, "size": 10}
                figure.add_trace(_points(here, f"{FAMILIES.get(family, family)}, {use}", marker))
    figure.update_layout(
        title={"text": "Predicted against observed"},
        xaxis={"type": "log", "title": {"text": "Observed (each in its own unit)"}, "tickformat": "~g"},
        yaxis={"type": "log", "title": {"text": "Predicted (the same unit)"}, "tickformat": "~g"},
    )
    return _finished(figure, "An observed range is drawn at its midpoint; errors are relative to the whole range.")


def occupancies(validation: Validation) -> go.Figure:
    """Receptor occupancy, predicted against PET scans, a colour per account."""
    rows = [row for row in _judged(validation) if row.family == "occupancy" and row.scale == "points"]
    figure = go.Figure(layout=LAYOUT)
    dotted = {"color": FAINT, "width": 1.2, "dash": "dot"}
    figure.add_trace(_line([0, 100], [0, 100], {"color": MUTED, "width": 1.2}, "predicted = observed"))
    figure.add_trace(_line([0, 100 - LIMIT], [LIMIT, 100], dotted, f"{LIMIT:g} percentage points off"))
    figure.add_trace(_line([LIMIT, 100], [0, 100 - LIMIT], dotted, ""))
    for colour, account in zip(ACCOUNTS, dict.fromkeys(row.account for row in rows), strict=False):
        for use, symbol in SYMBOLS.items():
            here = [row for row in rows if row.account == account and row.fact.use == use]
            if here:
                marker = {"color": colour, "symbol": symbol, "size": 10}
                figure.add_trace(_points(here, f"{account}, {use}", marker))
    axis = {"range": [-3, 103], "ticksuffix": " %"}
    figure.update_layout(
        title={"text": "Occupancy: predicted against observed (PET)"},
        xaxis={**axis, "title": {"text": "Observed"}},
        yaxis={**axis, "title": {"text": "Predicted"}},
    )
    return _finished(figure, "Bars: predictions over the time window of the scan.")


def _judged(validation: Validation) -> list[ValidationRow]:
    return [row for row in validation.rows if not row.reason and row.observed is not None and row.fact.use in SYMBOLS]


def _ends(rows: Sequence[ValidationRow]) -> tuple[float, float]:
    seen = [number for row in rows for number in (row.predicted, row.observed.middle if row.observed else 1.0)]
    return min(seen, default=1.0) / 2, max(seen, default=1.0) * 2


def _line(x: list[float], y: list[float], line: dict[str, Any], name: str) -> go.Scatter:
    return go.Scatter(x=x, y=y, mode="lines", line=line, name=name, showlegend=bool(name), hoverinfo="skip")


def _points(rows: Sequence[ValidationRow], name: str, marker: dict[str, Any]) -> go.Scatter:
    bars: dict[str, Any] = {}
    if any(row.by_hour for row in rows):
        spans = [[value for _, value in row.by_hour] or [row.predicted] for row in rows]
        up = [max(span) - row.predicted for span, row in zip(spans, rows, strict=True)]
        down = [row.predicted - min(span) for span, row in zip(spans, rows, strict=True)]
        ends = {"array": up, "arrayminus": down}
        bars["error_y"] = {"type": "data", "symmetric": False, "thickness": 1, "width": 3, **ends}
    return go.Scatter(
        x=[row.observed.middle for row in rows if row.observed],
        y=[row.predicted for row in rows],
        mode="markers",
        marker={**marker, "line": {"width": 1.6, "color": marker["color"]}},
        name=label(name),
        text=list(_hover(rows)),
        hovertemplate="%{text}<extra></extra>",
        **bars,
    )


def _hover(rows: Sequence[ValidationRow]) -> Iterator[str]:
    for row in rows:
        lines = [
            f"{row.fact.id} ({row.fact.use}): {row.quantity}",
            row.conditions,
            f"predicted {row.predicted:.3g}, observed {row.fact.value} {row.unit}",
        ]
        yield "<br>".join(map(label, lines))


def _finished(figure: go.Figure, note: str) -> go.Figure:
    return figure.update_layout(
        hovermode="closest",
        legend={"x": 0, "y": 1.02, "yanchor": "bottom"},
        meta={"narrow": [], "notes": [note]},
    )
