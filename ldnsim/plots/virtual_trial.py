"""The power of a trial against its size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from ldnsim.foundation.errors import LdnsimError
from ldnsim.plots.input_tables import columns_of
from ldnsim.plots.scales import label
from ldnsim.plots.style import COLOURWAY, MUTED, TEMPLATE, faded

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["virtual_trial"]

ENOUGH = 0.8  # usual target power of a trial


def virtual_trial(table: pd.DataFrame) -> go.Figure:
    """Draw the power of a trial against its size, a line per assumption, with 80 % marked.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per size, as of `ldnsim.virtual_trial`: `people` per arm and `power` (0 to 1), optionally its 95 %
        interval `low` and `high`, and `assumption` where there are several.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    LdnsimError
        If `table` lacks a column or has no row, or if a power lies outside 0 to 1.

    Examples
    --------
    >>> import pandas as pd
    >>> import ldnsim as ldn
    >>> table = pd.DataFrame({"people": [20, 40], "power": [0.45, 0.81]})
    >>> ldn.plots.virtual_trial(table).layout.xaxis.title.text
    'People per arm (number)'
    """
    several = "assumption" in table.columns
    found = columns_of(table, ["people", "power"], ["assumption"] if several else [], ["low", "high"])
    if not np.all((found["power"] >= 0) & (found["power"] <= 1) | np.isnan(found["power"])):
        raise LdnsimError("The column 'power' has values outside 0 to 1; expected shares from 0 to 1.")
    figure = go.Figure(layout={"template": TEMPLATE, "height": 420, "margin": {"t": 92, "b": 62, "l": 78, "r": 20}})
    assumptions = found.get("assumption", np.full(len(table), "power"))
    for index, words in enumerate(dict.fromkeys(assumptions)):
        rows = np.flatnonzero(assumptions == words)
        rows = rows[np.argsort(found["people"][rows])]
        colour, people = COLOURWAY[index % len(COLOURWAY)], found["people"][rows]
        if {"low", "high"} <= found.keys():
            quiet = {"x": people, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
            figure.add_trace(go.Scatter(y=found["low"][rows], **quiet))
            ribbon = {"fill": "tonexty", "fillcolor": faded(colour, 0.18)}
            figure.add_trace(go.Scatter(y=found["high"][rows], **ribbon, **quiet))
        figure.add_trace(
            go.Scatter(
                x=people,
                y=found["power"][rows],
                name=label(words),
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"size": 8},
                showlegend=several,
                hovertemplate="%{x} people per arm: %{y:.0%}<extra></extra>",
            )
        )
    line = {"color": MUTED, "width": 1.2, "dash": "6px 3px"}
    figure.add_hline(y=ENOUGH, line=line, annotation={"text": "80 %", "font": {"size": 11, "color": MUTED}})
    return figure.update_layout(
        title={"text": "Power of the trial by size"},
        legend={"x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        xaxis={"title": {"text": "People per arm (number)"}, "rangemode": "tozero"},
        yaxis={
            "title": {"text": "Power (% of trials that succeed)"},
            "tickformat": ".0%",
            "range": [0, 1.03],
        },
        hovermode="closest",
    )
