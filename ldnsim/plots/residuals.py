"""What a fit leaves of each datum, in standard errors."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from ldnsim.plots.fit_figures import SYMBOLS, arm_colours, refuse_empty, series_name
from ldnsim.plots.style import FAINT, TEMPLATE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["residuals"]

LABELLED = 40  # up to this many data, each has a labelled row


def residuals(predictions: pd.DataFrame) -> go.Figure:
    """Draw the residuals of a fit: predicted minus observed, in standard errors of the datum.

    Data whose prediction is too high are on the right; open diamonds are data that were not fitted.

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
        If no datum has both a prediction and a standard error.

    Examples
    --------
    >>> import pandas as pd
    >>> import ldnsim as ldn
    >>> predictions = pd.DataFrame(
    ...     {"arm": "oral", "use": "fit", "residual": [1.0, -1.1]},
    ...     index=["1 h", "2 h"],
    ... )
    >>> [float(x) for x in ldn.plots.residuals(predictions).data[-1].x]
    [1.0, -1.1]
    """
    rows = predictions[predictions["residual"].notna()]
    refuse_empty(rows)
    few = len(rows) <= LABELLED
    labels = list(rows.index) if few else list(range(1, len(rows) + 1))
    colours = arm_colours(predictions)
    figure = go.Figure(layout={"template": TEMPLATE, "hovermode": "closest"})
    for edge, dash in ((0, "solid"), (-2, "dot"), (2, "dot")):
        figure.add_vline(x=edge, line={"color": FAINT, "width": 1, "dash": dash})
    numbered = list(zip(labels, rows.itertuples(), strict=True))
    by_series = sorted(numbered, key=lambda pair: (list(colours).index(pair[1].arm), pair[1].use))
    for (arm, use), pairs in groupby(by_series, key=lambda pair: (pair[1].arm, pair[1].use)):
        held = list(pairs)
        figure.add_trace(
            go.Scatter(
                x=[row.residual for _, row in held],
                y=[label for label, _ in held],
                text=[str(row.Index) for _, row in held],
                name=series_name(arm, use),
                mode="markers",
                marker={"color": colours[arm], "symbol": SYMBOLS[use], "size": 9},
                hovertemplate="%{text}: %{x:.2f} errors<extra></extra>",
            )
        )
    reach = 1.1 * max(2.5, float(rows["residual"].abs().max()))
    axis = {"categoryorder": "array", "categoryarray": labels[::-1]} if few else {"title": {"text": "datum"}}
    return figure.update_layout(
        height=150 + (22 * len(rows) if few else 420),
        title={"text": "Predicted minus observed"},
        xaxis={"title": {"text": "Residual (standard errors of the datum)"}, "range": [-reach, reach]},
        yaxis=axis,
        legend={"x": 0, "y": 1.01, "yanchor": "bottom"},
        margin={"t": 100, "b": 64},
    )
