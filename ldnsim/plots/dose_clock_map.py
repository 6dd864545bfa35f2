"""A metric of a sweep over two axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics.number_text import style_of
from ldnsim.plots.arms import axis_title, value_ticks
from ldnsim.plots.scales import label
from ldnsim.plots.selection import with_picked
from ldnsim.plots.style import INK, TEMPLATE, evidence_mark, faded
from ldnsim.plots.sweep_axes import Floats, axes_of, axis_settings, is_clock, metric_title, of_arm, spread_of, tag_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["dose_clock_map"]

HEAT = "Cividis"  # also in order for colour-blind people and in print
CONTOURS = 8
ONE_SIDED = 0.05  # values on one side of 0 below this share of the largest do not count
BALANCE = "RdBu"  # for values on both sides of 0


def dose_clock_map(grid: xr.Dataset, metric: str, *, arm: str | None = None) -> go.Figure:
    """Draw a metric of a sweep over two axes, such as dose and clock time, as a heat map with contours.

    There is a panel per account, and all panels share one colour scale. A clock time is the x axis. People, and
    quantiles over people or draws (`sweep_draws`), are drawn as their median; a second row of panels shows the width of
    the band from the 5 to the 95 % quantile.

    Parameters
    ----------
    grid : xarray.Dataset
        A result of `sweep` or `sweep_draws` over two axes of numbers.
    metric : str
        Name of a metric in `grid`.
    arm : str, optional
        Name of the arm; default: the one whose address an axis starts with, else the first.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    LdnsimError
        If `grid` lacks the metric or the arm, does not have exactly two axes, or has no value in any cell.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> axes = {"night.dose": ["1.5 mg", "4.5 mg"], "night.at": ["08:00", "22:00"]}
    >>> grid = ldn.sweep(ldn.load_scenario("night_vs_morning"), axes, progress=False)
    >>> figure = ldn.plots.dose_clock_map(grid, "opioid_tone_mean")
    >>> figure.layout.xaxis.title.text
    'night.at (clock time, h:min)'
    """
    grid = with_picked(grid)
    data = of_arm(grid, metric, 2, arm)
    across, up = sorted(axes_of(data), key=lambda name: not is_clock(name))
    style = style_of(data)
    accounts = [str(name) for name in grid["account"].values]
    titles = [f"<b>{label(name)}</b> {label(evidence_mark(tag_of(data, name)))}" for name in accounts]
    places = [np.argsort(np.asarray(data[name].to_numpy(), dtype=float)) for name in (across, up)]
    data = data.isel({across: places[0], up: places[1]})
    spreads = [spread_of(data.transpose(up, across, ...), account) for account in accounts]
    rows = [[middle for _, middle, _ in spreads]]
    if style != "clock":  # a difference of clock times is not a width
        rows += [[high - low for low, _, high in spreads if low is not None and high is not None]]
    rows = [fields for fields in rows if fields]
    if not np.isfinite(rows[0]).any():
        raise LdnsimError(f"There is nothing to draw: {metric} has no value in any cell.")
    below = [] if len(rows) == 1 else ["width of the 5 to 95 % band"] * len(accounts)
    figure = make_subplots(
        len(rows), len(accounts), subplot_titles=[*titles, *below], shared_xaxes=True, shared_yaxes=True,
        horizontal_spacing=0.03, vertical_spacing=0.12,
    )  # fmt: skip
    colours = {}
    for row, fields in enumerate(rows, start=1):
        ends = (float(np.nanmin(fields)), float(np.nanmax(fields)))
        name = f"coloraxis{row if row > 1 else ''}"
        for column, field in enumerate(fields, start=1):
            heat = _heat(data[across].to_numpy(), data[up].to_numpy(), field, ends, style)
            figure.add_trace(heat.update(coloraxis=name), row=row, col=column)
        height = {"len": 1.04 / len(rows), "y": 1 - (row - 0.5) / len(rows)}
        words = axis_title(data, style) if row == 1 else "5 to 95 %"
        bar = {"title": {"text": words, "font": {"size": 12}}, "thickness": 14, **height, **value_ticks(style)}
        for key in ("range", "rangemode", "hoverformat"):  # settings of an axis, not of a colour scale
            bar.pop(key, None)
        colours[name] = {**_colours(ends), "colorbar": bar}
    figure.update_xaxes(axis_settings(grid, across, coarse=len(accounts) > 1))
    figure.update_yaxes(axis_settings(grid, up))
    for row in range(1, len(rows) + 1):
        for column in range(2, len(accounts) + 1):
            figure.update_yaxes({"title": None}, row=row, col=column)
    if len(rows) > 1:
        figure.update_xaxes({"title": None}, row=1)
    figure.update_annotations(font_size=13)
    return figure.update_layout(
        template=TEMPLATE,
        title={"text": label(metric_title(data))},
        height=160 + 280 * len(rows),
        margin={"t": 92, "b": 64, "l": 82, "r": 18},
        hovermode="closest",
        **colours,
    )


def _colours(ends: tuple[float, float]) -> dict[str, Any]:
    """A sequential colour scale; a diverging one around 0 for values on both sides of it."""
    widest = max(map(abs, ends))
    if ends[0] < -ONE_SIDED * widest and ends[1] > ONE_SIDED * widest:
        return {"colorscale": BALANCE, "cmin": -widest, "cmax": widest}
    return {"colorscale": HEAT, "cmin": ends[0], "cmax": ends[1]}


def _heat(x: Floats, y: Floats, field: Floats, ends: tuple[float, float], style: str) -> go.Contour:
    size = _round((ends[1] - ends[0]) / CONTOURS)
    start = float(np.ceil(ends[0] / size) * size)
    text = "%{z:.1%}" if style in ("share", "rise") else "%{z:.3~g}"
    lines = {"coloring": "heatmap", "start": start, "end": ends[1], "size": size, "showlabels": True}
    lines["labelfont"] = {"size": 11, "color": INK}
    lines["labelformat"] = ".0%" if style in ("share", "rise") else ".3~g"
    return go.Contour(
        x=x,
        y=y,
        z=field,
        coloraxis="coloraxis",
        contours=lines,
        line={"color": faded(INK, 0.5), "width": 1},
        hovertemplate=f"%{{x}}, %{{y}}: {text}<extra></extra>",
        connectgaps=False,
    )


def _round(value: float) -> float:
    """The next number of the form 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value)) if value > 0 else 1.0
    return float(next(digit * power for digit in (1, 2, 5, 10) if digit * power >= value))
