"""The empty calendar: a panel of days by clock time for each arm, with its axes and nights."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from ldnsim.plots.clock import DAY, NIGHT_END, NIGHT_START
from ldnsim.plots.curves import title_of
from ldnsim.plots.scales import label
from ldnsim.plots.style import NIGHT, TEMPLATE

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["axis_name", "empty_calendar"]

COLUMNS, GAP = 2, 0.055  # panels in a row, and the gap between them as a share of the width
TOP, BOTTOM, BETWEEN = 104, 64, 66  # px
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TITLE_LETTERS, NARROW_LETTERS = 50, 20


def axis_name(letter: str, panel: int) -> str:
    return letter if panel == 0 else f"{letter}{panel + 1}"


def empty_calendar(title: str, data: xr.Dataset, names: Sequence[str], days: int, pixels: float) -> go.Figure:
    """An empty figure with a panel of days by hours for each arm, in two columns."""
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    inner = rows * pixels + (rows - 1) * BETWEEN
    width = (1 - (columns - 1) * GAP) / columns
    start_day = str(data.attrs.get("start_day", ""))
    titles = [title_of(data, "arm", name) or name for name in names]
    layout: dict[str, Any] = {
        "template": TEMPLATE,
        "title": {"text": label(title)},
        "height": TOP + inner + BOTTOM,
        "margin": {"t": TOP, "b": BOTTOM, "l": 78, "r": 18},
        "hovermode": "closest",
        "legend": {"x": 0, "xanchor": "left", "y": 1 + 26 / inner, "yanchor": "bottom", "itemsizing": "constant"},
        "annotations": [],
        "shapes": [],
        "meta": {"narrow": [_heading(text, NARROW_LETTERS) for text in titles], "notes": []},
    }
    for panel, text in enumerate(titles):
        row, column = divmod(panel, columns)
        x, y = axis_name("x", panel), axis_name("y", panel)
        left, top = column * (width + GAP), 1 - row * (pixels + BETWEEN) / inner
        bottom = row == rows - 1 or panel + columns >= len(names)
        layout[x.replace("x", "xaxis")] = _clock_axis(y, [left, left + width], last=bottom)
        layout[y.replace("y", "yaxis")] = _day_axis(
            x, [max(0.0, top - pixels / inner), top], days, start_day, first=column == 0, panel=panel
        )
        place = {"xref": "paper", "x": left, "yref": "paper", "y": top, "xanchor": "left", "yanchor": "bottom"}
        layout["annotations"].append(
            {"name": "heading", "text": _heading(text, TITLE_LETTERS), "showarrow": False, "yshift": 3, **place}
        )
        for dusk, dawn in ((0.0, NIGHT_END - DAY), (NIGHT_START, DAY)):
            look = {"fillcolor": NIGHT, "line": {"width": 0}, "layer": "below"}
            layout["shapes"].append(
                {"type": "rect", "xref": x, "x0": dusk, "x1": dawn, "yref": f"{y} domain", "y0": 0, "y1": 1, **look}
            )
    return go.Figure(layout=layout)


def _heading(text: str, letters: int) -> str:
    return f"<b>{label(textwrap.shorten(text, letters, placeholder='...'))}</b>"


def _clock_axis(anchor: str, domain: list[float], *, last: bool) -> dict[str, Any]:
    return {
        "anchor": anchor,
        "domain": domain,
        "range": [-0.4, 24.4],
        "tickvals": [0, 6, 12, 18, 24],
        "title": {"text": "Clock time (h)" if last else ""},
        "zeroline": False,
    }


def _day_axis(
    anchor: str, domain: list[float], days: int, start_day: str, *, first: bool, panel: int
) -> dict[str, Any]:
    """Days from top to bottom; a tick a week where there are many, with the weekday that they begin on."""
    step = 1 if days <= 14 else next((n for n in (7, 14, 28, 56, 112, 364) if days / n <= 14), 364)
    ticks = list(range(1, days + 1, step))
    offset = WEEK.index(start_day) if start_day in WEEK else None
    words = [f"{WEEK[(offset + day - 1) % 7].capitalize()} {day}" if offset is not None else str(day) for day in ticks]
    return {
        "anchor": anchor,
        "domain": domain,
        "range": [days + 0.6, 0.4],
        "tickvals": ticks,
        "ticktext": words,
        "showticklabels": first,
        "title": {"text": "Day" if first else ""},
        **({"matches": "y"} if panel else {}),
    }
