"""A metric of a sweep over one axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from ldnsim.metrics.number_text import formatted, style_of
from ldnsim.plots.arms import SYMBOLS, axis_title, value_ticks
from ldnsim.plots.scales import label
from ldnsim.plots.selection import with_picked
from ldnsim.plots.style import ACCOUNTS, TEMPLATE, evidence_mark, faded
from ldnsim.plots.sweep_axes import Floats, axes_of, axis_settings, metric_title, of_arm, spread_of, tag_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["dose_response"]


def dose_response(grid: xr.Dataset, metric: str, *, arm: str | None = None) -> go.Figure:
    """Draw a metric of a sweep over one axis, such as a dose, with a line per account.

    People, or draws of uncertain parameters, are drawn as their median and the band from the 5 to the 95 % quantile. A
    maximum between the ends of the axis is labelled. Cells without a solution are gaps.

    Parameters
    ----------
    grid : xarray.Dataset
        A result of `sweep` or `sweep_draws` over one axis of numbers.
    metric : str
        Name of a metric in `grid`, such as "opioid_tone_rebound_peak".
    arm : str, optional
        Name of the arm; default: the one whose address the axis starts with, else the first.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    LdnsimError
        If `grid` lacks the metric or the arm, or does not have exactly one axis.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> doses = {"night.dose": ["1.5 mg", "3 mg", "4.5 mg"]}
    >>> grid = ldn.sweep(ldn.load_scenario("night_vs_morning"), doses, progress=False)
    >>> figure = ldn.plots.dose_response(grid, "opioid_tone_mean")
    >>> [line.x.tolist() for line in figure.data]
    [[1.5, 3.0, 4.5], [1.5, 3.0, 4.5]]
    """
    grid = with_picked(grid)
    data = of_arm(grid, metric, 1, arm)
    axis = axes_of(data)[0]
    style = style_of(data)
    x = np.asarray(data[axis].to_numpy(), dtype=float)
    order = np.argsort(x)
    figure = go.Figure(layout={"template": TEMPLATE, "height": 440, "margin": {"t": 96, "b": 64, "l": 82, "r": 24}})
    for index, account in enumerate(map(str, grid["account"].values)):
        low, typical, high = spread_of(data.isel({axis: order}), account)
        figure.add_traces(list(_line(x[order], low, typical, high, _named(data, account), index)))
        top = int(np.nanargmax(typical)) if np.isfinite(typical).any() else 0
        if 0 < top < x.size - 1 and typical[top] > 0:
            _name_point(figure, grid, axis, order[top], typical[top], style, index)
    return figure.update_layout(
        title={"text": label(metric_title(data))},
        legend={"x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        xaxis=axis_settings(grid, axis),
        yaxis={"title": {"text": axis_title(data, style)}, **value_ticks(style)},
        hovermode="closest",
    )


def _line(
    x: Floats, low: Floats | None, typical: Floats, high: Floats | None, name: str, index: int
) -> Iterator[go.Scatter]:
    colour = ACCOUNTS[index % len(ACCOUNTS)]
    if low is not None and high is not None:
        quiet = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        yield go.Scatter(x=x, y=low, **quiet)
        yield go.Scatter(x=x, y=high, fill="tonexty", fillcolor=faded(colour, 0.15), **quiet)
    marker = {"size": 8, "symbol": SYMBOLS[index % len(SYMBOLS)], "color": colour}
    yield go.Scatter(
        x=x,
        y=typical,
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker=marker,
        hovertemplate="%{x}: %{y}",
    )


def _name_point(
    figure: go.Figure, grid: xr.Dataset, axis: str, place: int, value: float, style: str, index: int
) -> None:
    """Label the highest point."""
    where = float(grid[axis].to_numpy()[place])
    scale = axis_settings(grid, axis)
    figure.add_annotation(
        x=np.log10(where) if scale.get("type") == "log" else where,
        y=value,
        text=f"{formatted(value, style)} at {where:g} {label(grid[axis].attrs.get('units', ''))}",
        showarrow=False,
        yshift=16,
        font={"size": 12, "color": ACCOUNTS[index % len(ACCOUNTS)]},
    )


def _named(data: xr.DataArray, account: str) -> str:
    tag = tag_of(data, account)
    return f"{label(account)} ({label(evidence_mark(tag))})" if tag else label(account)
