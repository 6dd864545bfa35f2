"""The effect of each parameter on a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from ldnsim.foundation.errors import LdnsimError
from ldnsim.plots.input_tables import columns_of
from ldnsim.plots.scales import label
from ldnsim.plots.style import COLOURWAY, MUTED, TEMPLATE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["tornado"]

BAR = 26  # px
MAX_BARS = 20  # bars


def tornado(table: pd.DataFrame, base: float, metric: str, *, unit: str = "", most: int = MAX_BARS) -> go.Figure:
    """Draw a tornado plot: the effect of each parameter on a metric, the largest on top.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per parameter, as of `sensitivity` for one metric, account and arm: `address`, its values `low` and
        `high`, and the metric at these, `at_low` and `at_high`. A row without a value at one end is drawn to the other.
    base : float
        The metric with all parameters as stated.
    metric : str
        Name of the metric, for title and axis.
    unit : str
        Unit of the metric, for the axis.
    most : int
        Largest number of bars; the title says how many more there are.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    LdnsimError
        If `table` lacks a column, or has no row or no value.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> scenario = ldn.load_scenario("night_vs_morning")
    >>> table = ldn.sensitivity(scenario, ["occupancy.EC50"], ["opioid_tone_mean"])
    >>> rows = table[(table.account == "pet_pool") & (table.arm == "night")]
    >>> ldn.plots.tornado(rows, rows.base.iloc[0], "opioid_tone_mean").layout.title.text
    'Sensitivity of opioid_tone_mean'
    """
    found = columns_of(table, ["at_low", "at_high"], ["address", "low", "high"])
    ends = np.array([found["at_low"], found["at_high"]])
    if not np.isfinite(ends).any() or not np.isfinite(base):
        raise LdnsimError(f"There is nothing to draw: {metric} has no value.")
    reach = np.nanmax(np.abs(np.where(np.isfinite(ends), ends, base) - base), axis=0)
    order = np.argsort(reach, kind="stable")[::-1][: max(1, most)][::-1]  # plotly draws from the bottom up
    names = [label(found["address"][row]) for row in order]
    figure = go.Figure(layout={"template": TEMPLATE, "height": 150 + BAR * len(order), "barmode": "overlay"})
    for column, colour, words in (("at_low", COLOURWAY[0], "low"), ("at_high", COLOURWAY[1], "high")):
        written = [label(found[words][row]) for row in order]
        figure.add_trace(
            go.Bar(
                y=names,
                x=found[column][order] - base,
                base=base,
                orientation="h",
                name=f"at the {words} end",
                marker={"color": colour},
                text=written,
                textposition="outside",
                textfont={"size": 11, "color": MUTED},
                cliponaxis=False,
                customdata=found[column][order],
                hovertemplate=f"%{{y}} = %{{text}}: %{{customdata:.3~g}} {label(unit)}<extra></extra>",
            )
        )
    figure.add_vline(x=base, line={"color": MUTED, "width": 1.2})
    low, high = float(np.nanmin([*ends.ravel(), base])), float(np.nanmax([*ends.ravel(), base]))
    spare = 0.16 * (high - low or abs(base) or 1.0)  # for the labels beside the bars
    left_out = len(table) - len(order)
    more = f" ({left_out} shorter bars not shown)" if left_out else ""
    return figure.update_layout(
        title={"text": label(f"Sensitivity of {metric}{more}")},
        legend={"x": 0, "y": 1, "yanchor": "bottom"},
        margin={"t": 84, "b": 60, "l": 20, "r": 24},
        xaxis={"title": {"text": f"{label(metric)} ({label(unit) or 'ratio'})"}, "range": [low - spare, high + spare]},
        yaxis={"showgrid": False, "ticks": "", "title": None},
        hovermode="closest",
    )
