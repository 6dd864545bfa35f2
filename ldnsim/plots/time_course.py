"""The whole course of an output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from ldnsim.plots.clock import DAY, TimeAxis
from ldnsim.plots.course_figure import PEOPLE, POINTS, Drawing, course_figure
from ldnsim.plots.curves import chosen, output_named
from ldnsim.plots.observed import observations
from ldnsim.plots.selection import with_picked

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["time_course"]


def time_course(
    result: xr.Dataset,
    output: str,
    *,
    accounts: Sequence[str] | None = None,
    arms: Sequence[str] | None = None,
    log: bool = False,
    people: int = PEOPLE,
    points: int = POINTS,
    observed: pd.DataFrame | None = None,
) -> go.Figure:
    """Draw one output over the whole simulation, with a panel per account and a colour per arm.

    Nights (22:00 to 06:00) are shaded, doses are ticks at the bottom of each panel, and a strip along its top shows
    where human data end. The heading of each panel names its evidence. A population is drawn as its median, the band
    from the 5 to the 95 % quantile, and a few single people. Accounts that give the same curves share one panel.

    Parameters
    ----------
    result : xarray.Dataset
        A result of `simulate`, of dims (account, arm, [subject,] time), fresh or opened from a file.
    output : str
        Name of an output in `result`, such as "opioid_tone".
    accounts, arms : sequence of str, optional
        Names of the accounts and arms to draw; default: all.
    log : bool
        Whether the y axis starts logarithmic; buttons switch it.
    people : int
        Number of single people drawn behind the band of a population.
    points : int
        Largest number of samples drawn in all; curves with more are thinned to the samples that shape them.
    observed : pandas.DataFrame, optional
        Data drawn over the curves, one row each: `time` (h since midnight of day 1), `value` (in the output's unit),
        optionally `low` and `high` (ends of an error bar) and `arm` (without it, all rows are one data set).

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    LdnsimError
        If `result` lacks the output, an account or an arm, or is empty, or if `observed` lacks a column.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> result = ldn.simulate(ldn.load_scenario("night_vs_morning"))
    >>> figure = ldn.plots.time_course(result, "opioid_tone", accounts=["transient"])
    >>> figure.layout.title.text
    'Opioid tone, over 28 days'
    """
    result = with_picked(result)
    values = output_named(result, output)
    time = values["time"].to_numpy().astype(float)
    start, end = float(time[0]), float(time[-1])
    axis = TimeAxis(float(np.floor(start / DAY) * DAY), end if end > start else start + 1)
    title = f"{values.attrs.get('long_name', output)}, {_length(end - start)}"
    names = chosen(result, "account", accounts), chosen(result, "arm", arms)
    data = () if observed is None else observations(observed, names[1])
    return course_figure(result, output, Drawing(title, axis, (start, end), 0.0, *names, log, people, points, data))


def _length(hours: float) -> str:
    if hours == 0:
        return "at a single time"
    days = hours / DAY
    return f"over {hours:.3g} h" if days < 1 else f"over {days:.3g} day{'' if days == 1 else 's'}"
