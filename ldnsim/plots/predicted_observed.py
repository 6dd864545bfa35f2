"""Data of a fit against the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ldnsim.plots.fit_figures import SYMBOLS, arm_colours, refuse_empty, series_name
from ldnsim.plots.style import FAINT, MUTED, TEMPLATE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["predicted_observed"]

ROW = 340  # px
ACROSS = 3  # panels
WIDE = 10  # ratio of largest to smallest value above which axes are logarithmic
MARGIN = 1.25  # margin around the data on a logarithmic axis, as a factor


def predicted_observed(predictions: pd.DataFrame) -> go.Figure:
    """Draw predicted against observed values of a fit, a panel per output and unit, with the line of identity.

    Colours are arms; open diamonds are data that were not fitted; horizontal bars are one standard error. Axes are
    logarithmic where the values span more than a factor of 10.

    Parameters
    ----------
    predictions : pandas.DataFrame
        The `predictions` of a result of `fit`, one row per datum.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    LdnsimError
        If there is no row.

    Examples
    --------
    >>> import pandas as pd
    >>> import ldnsim as ldn
    >>> predictions = pd.DataFrame(
    ...     {"output": "Cp", "unit": "ng/mL", "arm": "oral", "use": "fit", "what": "mean", "observed": [1.0, 2.0],
    ...      "predicted": [1.1, 1.8], "error": 0.1, "residual": [1.0, -1.1], "logarithmic": True},
    ...     index=["1 h", "2 h"],
    ... )
    >>> ldn.plots.predicted_observed(predictions).layout.title.text
    'Predicted against observed'
    """
    refuse_empty(predictions)
    panels = list(predictions.groupby(["output", "unit"], sort=False))
    across, down = min(ACROSS, len(panels)), -(-len(panels) // ACROSS)
    titles = [f"{output}, {unit if unit != '1' else 'share'}" for (output, unit), _ in panels]
    figure = make_subplots(down, across, subplot_titles=titles, horizontal_spacing=0.09, vertical_spacing=0.32 / down)
    colours = arm_colours(predictions)
    shown: set[tuple[str, str]] = set()
    for place, (_, rows) in enumerate(panels):
        at = {"row": place // ACROSS + 1, "col": place % ACROSS + 1}
        both = rows[["observed", "predicted"]].to_numpy(float)
        logarithmic = bool(np.nanmin(both) > 0 and np.nanmax(both) > WIDE * np.nanmin(both))
        ends = _ends(rows, logarithmic)
        line = {"color": FAINT, "width": 1, "dash": "dash"}
        figure.add_trace(go.Scatter(x=ends, y=ends, mode="lines", line=line, hoverinfo="skip", showlegend=False), **at)
        for (arm, use), group in rows.groupby(["arm", "use"], sort=False):
            figure.add_trace(_points(group, arm, use, colours[arm], (arm, use) not in shown), **at)
            shown.add((arm, use))
        reach = [float(np.log10(end)) for end in ends] if logarithmic else ends
        kind = "log" if logarithmic else "linear"
        for update, word in ((figure.update_xaxes, "observed"), (figure.update_yaxes, "predicted")):
            update(type=kind, range=reach, title_text=word, dtick="D2" if logarithmic else None, **at)
    return figure.update_layout(
        template=TEMPLATE,
        height=ROW * down + 100,
        hovermode="closest",
        title={"text": "Predicted against observed"},
        legend={"x": 0, "y": -0.2 / down, "yanchor": "top"},
        margin={"t": 100, "b": 110},
    )


def _points(rows: pd.DataFrame, arm: str, use: str, colour: str, in_legend: bool) -> go.Scatter:
    observed, error = rows["observed"].to_numpy(float), np.nan_to_num(rows["error"].to_numpy(float))
    spread = np.where(rows["logarithmic"], observed * np.expm1(error), error)
    below = np.where(rows["logarithmic"], observed * -np.expm1(-error), error)
    bars = {"type": "data", "array": spread, "arrayminus": below, "color": MUTED, "thickness": 1, "width": 0}
    return go.Scatter(
        x=observed,
        y=rows["predicted"],
        error_x=bars,
        text=[f"{label} ({what})" for label, what in zip(rows.index, rows["what"], strict=True)],
        name=series_name(arm, use),
        legendgroup=series_name(arm, use),
        showlegend=in_legend,
        mode="markers",
        marker={"color": colour, "symbol": SYMBOLS[use], "size": 9},
        hovertemplate="%{text}<br>observed %{x:.3g}, predicted %{y:.3g}<extra></extra>",
    )


def _ends(rows: pd.DataFrame, logarithmic: bool) -> list[float]:
    both = rows[["observed", "predicted"]].to_numpy(float)
    low, high = float(np.nanmin(both)), float(np.nanmax(both))
    if logarithmic:
        return [low / MARGIN, high * MARGIN]
    room = max(0.08 * (high - low), 0.15 * max(abs(low), abs(high))) or 1.0
    return [low - room, high + room]
