"""The last whole day of an output by clock time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from ldnsim.foundation.errors import LdnsimError
from ldnsim.plots.clock import DAY, TimeAxis
from ldnsim.plots.course_figure import PEOPLE, POINTS, Drawing, Floats, course_figure
from ldnsim.plots.curves import chosen, output_named
from ldnsim.plots.selection import with_picked

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["last_day"]


def last_day(
    result: xr.Dataset,
    output: str,
    *,
    accounts: Sequence[str] | None = None,
    arms: Sequence[str] | None = None,
    log: bool = False,
    people: int = PEOPLE,
    points: int = POINTS,
) -> go.Figure:
    """Draw one output by clock time over the last whole day of the result's window, all arms in one panel.

    Without a whole calendar day in the window, the last 24 h of the window are drawn.

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
        Largest number of samples drawn in all.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    LdnsimError
        If `result` lacks the output, an account or an arm, or has fewer than two samples on that day.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> result = ldn.simulate(ldn.load_scenario("night_vs_morning"))
    >>> ldn.plots.last_day(result, "opioid_tone").layout.title.text
    'Opioid tone on day 28'
    """
    result = with_picked(result)
    data = output_named(result, output)
    time = data["time"].to_numpy().astype(float)
    start, end = _day(result, time)
    inside = int(((time >= start) & (time <= end)).sum())
    if inside < 2:
        found = f"{inside} sample{'' if inside == 1 else 's'}"
        raise LdnsimError(
            f"The last day of {output!r} ({start:g} to {end:g} h) holds {found}; expected at least two to draw."
        )
    midnight = float(np.floor(start / DAY) * DAY)
    axis = TimeAxis(start - midnight, end - midnight, clock_only=True)
    title = f"{data.attrs.get('long_name', output)} on day {midnight / DAY + 1:.0f}"
    names = chosen(result, "account", accounts), chosen(result, "arm", arms)
    return course_figure(result, output, Drawing(title, axis, (start, end), midnight, *names, log, people, points))


def _day(result: xr.Dataset, time: Floats) -> tuple[float, float]:
    """The last whole calendar day within the result's window, else the window's last 24 h; h."""
    window = np.ravel(np.asarray(result.attrs.get("window", ()), dtype=float))
    start, end = (float(window[0]), float(window[1])) if window.size == 2 else (float(time[0]), float(time[-1]))
    midnight = float(np.floor(end / DAY + 1e-9) * DAY)
    if midnight - DAY >= start - 1e-6:
        return midnight - DAY, midnight
    return max(start, end - DAY), end
