"""The style of figures: one plotly template, colours that colour-blind people can tell apart, evidence marks."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio

__all__ = [
    "ACCOUNTS",
    "AMBER",
    "COLOURWAY",
    "COVERED",
    "FAINT",
    "INK",
    "MARKS",
    "MUTED",
    "NIGHT",
    "TEMPLATE",
    "evidence_mark",
    "faded",
    "ladder",
]

TEMPLATE = "ldnsim"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
INK, MUTED, FAINT, GRID = "#1f2933", "#52606d", "#9aa5b1", "#e8ecf0"
NIGHT = "rgba(61, 78, 112, 0.085)"
AMBER, COVERED = "#e0a100", "#00806a"  # beyond human data; within them

# Okabe and Ito (2008) without yellow, which is hard to see on white; neighbours also differ in lightness
COLOURWAY = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#7a5c00", "#000000", "#e69f00")

# for accounts, in figures without colours of arms: different from the first colours of arms
ACCOUNTS = (INK, "#b5407f", "#009e73", "#e69f00", "#56b4e9", "#7a5c00")

# viridis without its light end, from low (light) to high (dark); also in order for colour-blind people and in grey
LADDER = ("#7ad151", "#43bf71", "#22a884", "#21918c", "#2a788e", "#355f8d", "#414487", "#440154")

UPLOAD = "sendChartToCloud"  # plotly's button that uploads the figure to a server

MARKS = {"measured": "●", "fitted": "◐", "hypothesis": "○"}


def evidence_mark(tag: str) -> str:
    """The tag with its symbol, such as `◐ fitted`; an unknown tag is returned unchanged."""
    return f"{MARKS[tag]} {tag}" if tag in MARKS else tag


def faded(colour: str, opacity: float) -> str:
    """`#rrggbb` as rgba with the given opacity, 0 to 1."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def ladder(count: int) -> list[str]:
    """`count` colours from light to dark, for arms that are dose levels."""
    steps = np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in LADDER], dtype=float)
    where = np.linspace(0, len(LADDER) - 1, count)
    channels = [np.interp(where, np.arange(len(LADDER)), steps[:, channel]) for channel in range(3)]
    return ["#" + "".join(f"{round(value):02x}" for value in colour) for colour in zip(*channels, strict=True)]


def _template() -> go.layout.Template:
    axis: dict[str, Any] = {
        "showline": True,
        "linecolor": FAINT,
        "linewidth": 1,
        "gridcolor": GRID,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": FAINT,
        "tickfont": {"size": 12, "color": MUTED},
        "title": {"font": {"size": 12, "color": INK}, "standoff": 10},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": INK},
            "title": {
                "font": {"size": 18},
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "yref": "container",
                "y": 1,
                "yanchor": "top",
                "pad": {"t": 14},
            },
            "paper_bgcolor": "white",
            "plot_bgcolor": "white",
            "colorway": list(COLOURWAY),
            "xaxis": axis,
            "yaxis": axis,
            "hovermode": "x unified",
            "hoverlabel": {
                "font": {"size": 12},
                "bgcolor": "rgba(255, 255, 255, 0.94)",
                "bordercolor": FAINT,
                "align": "left",
            },
            "legend": {"orientation": "h", "font": {"size": 12}, "itemsizing": "trace", "bgcolor": "rgba(0, 0, 0, 0)"},
            "margin": {"l": 70, "r": 20, "t": 90, "b": 64},
            "modebar": {
                "bgcolor": "rgba(0, 0, 0, 0)",
                "color": FAINT,
                "activecolor": INK,
                "orientation": "h",
                "remove": [UPLOAD],
            },
        }
    )


pio.templates[TEMPLATE] = _template()
