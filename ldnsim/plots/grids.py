"""Results of sweeps: a metric against one axis, and over two axes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics.number_text import formatted, style_of
from ldnsim.metrics.summary import over_people
from ldnsim.plots.arms import CLOCK_TICKS, SYMBOLS, axis_title, metric_variable, value_ticks
from ldnsim.plots.scales import label
from ldnsim.plots.selection import with_picked
from ldnsim.plots.style import ACCOUNTS, INK, TEMPLATE, evidence_mark, faded

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["dose_clock_map", "dose_response"]

Floats = NDArray[np.float64]

WIDE = 8.0  # an axis that spans more than this factor is logarithmic
OWN = ("account", "arm", "subject", "quantile")
HEAT = "Cividis"  # also in order for colour-blind people and in print
CONTOURS = 8
ONE_SIDED = 0.05  # values on one side of 0 below this share of the largest do not count
BALANCE = "RdBu"  # for values on both sides of 0


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
    data = _of_arm(grid, metric, 1, arm)
    axis = _axes(data)[0]
    style = style_of(data)
    x = np.asarray(data[axis].to_numpy(), dtype=float)
    order = np.argsort(x)
    figure = go.Figure(layout={"template": TEMPLATE, "height": 440, "margin": {"t": 96, "b": 64, "l": 82, "r": 24}})
    for index, account in enumerate(map(str, grid["account"].values)):
        low, typical, high = _spread(data.isel({axis: order}), account)
        figure.add_traces(list(_line(x[order], low, typical, high, _named(data, account), index)))
        top = int(np.nanargmax(typical)) if np.isfinite(typical).any() else 0
        if 0 < top < x.size - 1 and typical[top] > 0:
            _name_point(figure, grid, axis, order[top], typical[top], style, index)
    return figure.update_layout(
        title={"text": label(_title(data))},
        legend={"x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        xaxis=_axis(grid, axis),
        yaxis={"title": {"text": axis_title(data, style)}, **value_ticks(style)},
        hovermode="closest",
    )


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
    data = _of_arm(grid, metric, 2, arm)
    across, up = sorted(_axes(data), key=lambda name: not _is_clock(name))
    style = style_of(data)
    accounts = [str(name) for name in grid["account"].values]
    titles = [f"<b>{label(name)}</b> {label(evidence_mark(_tag(data, name)))}" for name in accounts]
    places = [np.argsort(np.asarray(data[name].to_numpy(), dtype=float)) for name in (across, up)]
    data = data.isel({across: places[0], up: places[1]})
    spreads = [_spread(data.transpose(up, across, ...), account) for account in accounts]
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
    figure.update_xaxes(_axis(grid, across, coarse=len(accounts) > 1))
    figure.update_yaxes(_axis(grid, up))
    for row in range(1, len(rows) + 1):
        for column in range(2, len(accounts) + 1):
            figure.update_yaxes({"title": None}, row=row, col=column)
    if len(rows) > 1:
        figure.update_xaxes({"title": None}, row=1)
    figure.update_annotations(font_size=13)
    return figure.update_layout(
        template=TEMPLATE,
        title={"text": label(_title(data))},
        height=160 + 280 * len(rows),
        margin={"t": 92, "b": 64, "l": 82, "r": 18},
        hovermode="closest",
        **colours,
    )


def _of_arm(grid: xr.Dataset, metric: str, wanted: int, arm: str | None) -> xr.DataArray:
    """The metric in one arm; raises LdnsimError for a different number of axes or an unknown arm."""
    data = metric_variable(grid, metric)
    axes = _axes(data)
    if len(axes) != wanted:
        found = ", ".join(axes) or "none"
        picks = ", ".join(f"{name!r}: ..." for name in axes[wanted:])
        more = f"; select a cell of the others: grid.sel({{{picks}}})" if len(axes) > wanted else ""
        raise LdnsimError(f"The sweep has {len(axes)} axes ({found}); expected {wanted}{more}.")
    for name in axes:
        if data[name].dtype.kind not in "fiu":
            raise LdnsimError(f"The axis {name!r} holds values that are not numbers, and cannot be drawn.")
    arms = [str(name) for name in grid["arm"].values]
    if arm is not None and arm not in arms:
        raise LdnsimError(f"The sweep has no arm {arm!r}; expected one of: {', '.join(arms)}.")
    heads = [name.split(".")[0] for name in axes]
    return data.sel(arm=arm or next((head for head in heads if head in arms), arms[0]))


def _axes(data: xr.DataArray) -> list[str]:
    return [str(dim) for dim in data.dims if dim not in OWN]


def _spread(data: xr.DataArray, account: str) -> tuple[Floats | None, Floats, Floats | None]:
    """(5 %, 50 %, 95 %) quantiles over people or draws, or (None, values, None) of one person."""
    if "subject" in data.dims:
        data = over_people(data.to_dataset(name="m"))["m"]
    found = data.sel(account=account)
    if "quantile" not in found.dims:
        return None, np.asarray(found.to_numpy(), dtype=float), None
    levels = np.round(found["quantile"].to_numpy(), 6).tolist()
    if not {0.05, 0.5, 0.95} <= set(levels):
        raise LdnsimError(f"The sweep has the quantiles {levels}; expected 0.05, 0.5 and 0.95 among them.")
    low, middle, high = (found.isel(quantile=levels.index(level)).to_numpy() for level in (0.05, 0.5, 0.95))
    return low, middle, high


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
    scale = _axis(grid, axis)
    figure.add_annotation(
        x=np.log10(where) if scale.get("type") == "log" else where,
        y=value,
        text=f"{formatted(value, style)} at {where:g} {label(grid[axis].attrs.get('units', ''))}",
        showarrow=False,
        yshift=16,
        font={"size": 12, "color": ACCOUNTS[index % len(ACCOUNTS)]},
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


def _is_clock(axis: str) -> bool:
    return axis.endswith(".at")


def _axis(grid: xr.Dataset, axis: str, *, coarse: bool = False) -> dict[str, Any]:
    """Settings of an axis: clock times as h:min, a wide span logarithmic, the unit in the title."""
    values = np.sort(np.asarray(grid[axis].to_numpy(), dtype=float))
    if _is_clock(axis):
        hours = CLOCK_TICKS[:: 2 if coarse else 1]
        ticks = {"tickvals": hours, "ticktext": [f"{hour:02d}:00" for hour in hours]}
        return {"title": {"text": f"{label(axis)} (clock time, h:min)"}, **ticks}
    unit = str(grid[axis].attrs.get("units", "1"))
    titled = {"title": {"text": f"{label(axis)} ({'ratio' if unit in ('1', '') else label(unit)})"}}
    if values[0] > 0 and values[-1] / values[0] > WIDE:
        return {**titled, "type": "log", "tickvals": _few(values), "ticktext": [f"{value:g}" for value in _few(values)]}
    return titled


def _few(values: Floats) -> Floats:
    """About a dozen values, far enough apart on a logarithmic axis to be legible."""
    kept: list[float] = []
    for value in values:
        if not kept or np.log(value / kept[-1]) > np.log(values[-1] / values[0]) / 14:
            kept.append(float(value))
    return np.array(kept)


def _tag(data: xr.DataArray, account: str) -> str:
    return str(data.attrs.get(f"evidence_{account}", data.attrs.get("evidence", "")))


def _named(data: xr.DataArray, account: str) -> str:
    tag = _tag(data, account)
    return f"{label(account)} ({label(evidence_mark(tag))})" if tag else label(account)


def _title(data: xr.DataArray) -> str:
    words = str(data.attrs.get("long_name", data.attrs["metric"]))
    return words if len(words) < 90 else words[:87] + "..."
