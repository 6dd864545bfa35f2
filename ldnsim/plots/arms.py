"""One metric against the arms of a scenario."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from ldnsim.foundation.errors import Fault, LdnsimError, nearest
from ldnsim.metrics.attributes import evidence_of
from ldnsim.metrics.number_text import label_of, style_of
from ldnsim.metrics.summary import over_people
from ldnsim.plots.curves import title_of
from ldnsim.plots.scales import label
from ldnsim.plots.selection import with_picked
from ldnsim.plots.style import ACCOUNTS, TEMPLATE, evidence_mark

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CLOCK_TICKS", "SYMBOLS", "axis_title", "by_arm", "metric_variable", "value_ticks"]

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
DODGE = 0.07  # of the distance between arms
CLOCK_TICKS = list(range(0, 25, 3))


def by_arm(table: xr.Dataset, metric: str) -> go.Figure:
    """Draw a metric against the arms of a scenario, a series per account.

    Arms are in the order of the scenario. A population is drawn as its median with a bar from the 5 to the 95 %
    quantile. An arm without a value is a gap.

    Parameters
    ----------
    table : xarray.Dataset
        Metrics of `summarize`, of dims (account, arm[, subject]).
    metric : str
        Name of a variable of `table`, such as "opioid_tone_rebound_peak".

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    LdnsimError
        If `table` has no such metric, no account or no arm.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> table = ldn.summarize(ldn.simulate(ldn.load_scenario("night_vs_morning")))
    >>> figure = ldn.plots.by_arm(table, "opioid_tone_mean")
    >>> figure.layout.xaxis.ticktext
    ('night', 'morning')
    """
    table = with_picked(table)
    data = metric_variable(table, metric)
    accounts, arms = ([str(name) for name in table[dim].values] for dim in ("account", "arm"))
    if not accounts or not arms:
        raise LdnsimError("There is nothing to draw: the table has no account or no arm.")
    style = style_of(data)
    words = textwrap.wrap(str(data.attrs.get("long_name", metric)), 90, max_lines=1, placeholder="...")
    figure = go.Figure(layout={"template": TEMPLATE, "height": 380, "margin": {"t": 88, "b": 58, "l": 78, "r": 18}})
    for trace in _series(table, data, accounts):
        figure.add_trace(trace)
    titles = [label(title_of(table, "arm", arm) or arm) for arm in arms]
    return figure.update_layout(
        title={"text": "<br>".join(map(label, words))},
        legend={"x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={
            "tickvals": list(range(len(arms))),
            "ticktext": titles,
            "range": [-0.4, len(arms) - 0.6],
            "title": {"text": "Arm"},
            "showgrid": False,
        },
        yaxis={"title": {"text": axis_title(data, style)}, **value_ticks(style)},
        meta={"narrow": [], "notes": []},
    )


def metric_variable(table: xr.Dataset, metric: str) -> xr.DataArray:
    """A metric of a table or sweep; raises LdnsimError with the nearest name if it does not exist."""
    metrics = [str(name) for name, data in table.data_vars.items() if "metric" in data.attrs]
    if metric not in metrics:
        expected, near = "a variable of `summarize`'s table", nearest(str(metric), metrics)
        raise LdnsimError(Fault(f"the table has no metric {metric!r}", expected=expected, nearest=near))
    return table[metric]


def axis_title(data: xr.DataArray, style: str) -> str:
    """Output, metric and unit on separate lines."""
    output, metric = str(data.attrs["output"]), str(data.attrs["metric"])
    long_name = str(data.attrs.get("long_name", "")).rpartition(": ")[0] or output
    units = str(data.attrs.get("units", "1")).replace("*", "·")
    unit = {"clock": "clock time, h:min", "share": "%", "rise": "% above no drug"}.get(style, units)
    lines = [*textwrap.wrap(long_name, 34, max_lines=2, placeholder="..."), label_of(metric)]
    return "<br>".join([*map(label, lines[:-1]), f"{label(lines[-1])} ({'ratio' if unit == '1' else label(unit)})"])


def _series(table: xr.Dataset, data: xr.DataArray, accounts: list[str]) -> Iterator[go.Scatter]:
    """A trace per account: a marker per arm and a thin line; people as median with a 5 to 95 % bar."""
    spread = None
    if "subject" in data.dims:
        # only this metric: quantiles of a whole table of 10,000 people are slow
        names = [name for name in (data.name, f"{data.name}_reason") if name in table]
        spread = over_people(table[names])[str(data.name)]
        data = spread.sel(quantile=0.5)
    titles = [title_of(table, "arm", str(arm)) or str(arm) for arm in data["arm"].values]
    for index, account in enumerate(accounts):
        tag = evidence_of(data, account)
        colour = ACCOUNTS[index % len(ACCOUNTS)]
        values = data.sel(account=account).to_numpy()
        bars: dict[str, Any] = {}
        if spread is not None:
            low, high = (spread.sel(account=account, quantile=level).to_numpy() for level in (0.05, 0.95))
            ends = {"array": high - values, "arrayminus": values - low}
            bars["error_y"] = {"type": "data", "symmetric": False, "thickness": 1.3, "width": 4, **ends}
        aside = DODGE * (index - (len(accounts) - 1) / 2)  # so that equal values do not hide each other
        yield go.Scatter(
            x=np.arange(len(titles)) + aside,
            y=np.asarray(values, dtype=np.float32),
            name=f"{label(account)} ({label(evidence_mark(tag))})" if tag else label(account),
            mode="lines+markers",
            line={"color": colour, "width": 1.5},
            marker={"size": 9, "symbol": SYMBOLS[index % len(SYMBOLS)], "color": colour},
            hovertemplate="%{y}",
            **bars,
        )


def value_ticks(style: str) -> dict[str, Any]:
    if style == "clock":
        # a clock axis; the end of the day is 24:00
        return {"range": [0, 24], "tickvals": CLOCK_TICKS, "ticktext": [f"{hour:02d}:00" for hour in CLOCK_TICKS]}
    if style in ("share", "rise"):
        return {
            "tickformat": ".0%",
            "hoverformat": "+.1%" if style == "rise" else ".1%",
            "rangemode": "tozero",
        }
    return {"tickformat": "~g", "hoverformat": ".3~g"}
