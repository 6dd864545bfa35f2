"""One metric against the arms of a scenario: how an answer changes with the dose, or with whatever the arms vary."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from ldnsim.comparison import style_of
from ldnsim.errors import Fault, LdnsimError, nearest
from ldnsim.metrics import over_people
from ldnsim.plots.curves import title_of
from ldnsim.plots.scales import label
from ldnsim.plots.style import COLOURWAY, TEMPLATE, evidence_mark

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["by_arm"]

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
CLOCK_TICKS = list(range(0, 25, 3))


def by_arm(table: xr.Dataset, metric: str) -> go.Figure:
    """A metric of a table from `summarize` (such as `opioid_tone_rebound_peak`) against its arms, accounts as series.

    Arms stand in the scenario's order. People are drawn as median with a 5 to 95 % bar; an arm that has no value is a
    gap. Raises LdnsimError for a metric that the table lacks.
    """
    metrics = [str(name) for name, data in table.data_vars.items() if "metric" in data.attrs]
    if metric not in metrics:
        raise LdnsimError(
            Fault(
                f"the table holds no metric {metric!r}",
                expected="a variable of `summarize`'s table",
                nearest=nearest(str(metric), metrics),
            )
        )
    data = table[metric]
    style = style_of(table, str(data.attrs["output"]), str(data.attrs["metric"]))
    figure = go.Figure(
        layout={"template": TEMPLATE, "height": 380, "hovermode": "x unified", "margin": {"t": 84, "b": 60}}
    )
    accounts = [str(name) for name in table["account"].values]
    if not accounts or not table.sizes["arm"]:
        raise LdnsimError("There is nothing to draw: the table has no account or no arm.")
    for index, account in enumerate(accounts):
        figure.add_trace(_series(table, data, account, index))
    title = textwrap.wrap(str(data.attrs.get("long_name", metric)), 84, max_lines=2, placeholder="...")
    unit = {"clock": "clock time, h:min", "share": "%", "rise": "%"}.get(
        style, str(data.attrs.get("units", "1")).replace("*", "·")
    )
    output, _, words = str(data.attrs.get("long_name", metric)).rpartition(": ")
    lines = textwrap.wrap(words if output else metric, 34, max_lines=2, placeholder="...")
    figure.update_layout(
        title={"text": "<br>".join(map(label, title))},
        legend={"x": 0, "y": 1.03, "yanchor": "bottom"},
        xaxis={"type": "category", "title": {"text": "Arm"}, "showgrid": False},
        yaxis={
            "title": {"text": "<br>".join([*map(label, lines), f"({'ratio' if unit == '1' else label(unit)})"])},
            **_ticks(style),
        },
    )
    return figure


def _series(table: xr.Dataset, data: xr.DataArray, account: str, index: int) -> go.Scatter:
    """One account: a marker and a thin line over the arms."""
    tag = str(data.attrs.get(f"evidence_{account}", data.attrs.get("evidence", "")))
    colour = COLOURWAY[index % len(COLOURWAY)]
    low = high = None
    if "subject" in data.dims:
        # only this metric: quantiles of a whole table of 10,000 people take their time
        names = [name for name in (data.name, f"{data.name}_reason") if name in table]
        spread = over_people(table[names])[str(data.name)].sel(account=account).transpose("arm", "quantile").to_numpy()
        low, values, high = spread.T
    else:
        values = data.sel(account=account).to_numpy()
    errors: dict[str, Any] = {}
    if low is not None and high is not None:
        errors["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": high - values,
            "arrayminus": values - low,
            "thickness": 1.3,
            "width": 4,
        }
    return go.Scatter(
        x=[label(title_of(table, "arm", str(arm)) or str(arm)) for arm in data["arm"].values],
        y=np.asarray(values, dtype=np.float32),
        name=f"{label(account)} ({label(evidence_mark(tag))})" if tag else label(account),
        mode="lines+markers",
        line={"color": colour, "width": 1.5},
        marker={"size": 9, "symbol": SYMBOLS[index % len(SYMBOLS)], "color": colour},
        connectgaps=False,
        hovertemplate="%{y}",
        **errors,
    )


def _ticks(style: str) -> dict[str, Any]:
    if style == "clock":
        # a metric of clock time reads best on the clock; 24:00 is written so, being the end of a day
        return {"range": [0, 24], "tickvals": CLOCK_TICKS, "ticktext": [f"{hour:02d}:00" for hour in CLOCK_TICKS]}
    if style in ("share", "rise"):
        return {
            "tickformat": "+.0%" if style == "rise" else ".0%",
            "hoverformat": "+.1%" if style == "rise" else ".1%",
            "rangemode": "tozero",
        }
    return {"tickformat": "~g", "hoverformat": ".3~g"}
