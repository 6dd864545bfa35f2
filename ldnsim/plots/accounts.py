"""One arm under all accounts: how much the explanations differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics.attributes import evidence_of
from ldnsim.plots import frame
from ldnsim.plots.arm_styles import ArmStyles
from ldnsim.plots.clock import DAY, TimeAxis
from ldnsim.plots.coverage import coverage
from ldnsim.plots.curves import chosen, curves, output_named, title_of
from ldnsim.plots.scales import scale_of
from ldnsim.plots.selection import with_picked
from ldnsim.plots.style import ACCOUNTS, MUTED, evidence_mark, faded
from ldnsim.plots.traces import CurveTraces

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["account_fan"]

HEIGHT = 340  # px
POINTS = 2_000  # samples of a curve


def account_fan(result: xr.Dataset, output: str, *, arm: str | None = None, log: bool = False) -> go.Figure:
    """Draw one output of one arm under all accounts, a colour per account.

    The area between the lowest and the highest account is shaded: it is the uncertainty about the mechanism. A
    population is drawn by its median.

    Parameters
    ----------
    result : xarray.Dataset
        A result of `simulate`, of dims (account, arm, [subject,] time).
    output : str
        Name of an output in `result`.
    arm : str, optional
        Name of the arm; default: the first.
    log : bool
        Whether the y axis starts logarithmic; buttons switch it.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    LdnsimError
        If `result` lacks the output or the arm, or if no account was solved.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> result = ldn.simulate(ldn.load_scenario("night_vs_morning"))
    >>> ldn.plots.account_fan(result, "mu_occupancy", arm="night").layout.title.text
    'mu occupancy by naltrexone under 2 accounts'
    """
    result = with_picked(result)
    data = output_named(result, output)
    name = chosen(result, "arm", None if arm is None else [arm])[0]
    time = data["time"].to_numpy().astype(float)
    axis = TimeAxis(float(np.floor(time[0] / DAY) * DAY), float(time[-1]) if time[-1] > time[0] else float(time[0]) + 1)
    accounts = chosen(result, "account", None)
    found = [
        replace(curve, arm=curve.account, title=_named(data, curve.account), low=None, high=None)
        for curve in curves(result, output, accounts, [name], (time[0], time[-1]), people=0)
    ]
    if not any(curve.drawn for curve in found):
        raise LdnsimError(f"There is nothing to draw: no account was solved in {name}. {found[0].reason}".rstrip())
    typical = np.array([curve.typical for curve in found if curve.drawn])
    scale = scale_of(output, data.attrs, typical)
    reach = coverage(result, output, [name])
    heading = frame.Heading(name, title_of(result, "arm", name), "all accounts", reach.words if reach else "")
    title = f"{data.attrs.get('long_name', output)} under {len(found)} account{'' if len(found) == 1 else 's'}"
    figure = frame.framed(title, [heading], HEIGHT, axis, scale, log)
    quiet = {"x": axis.x(time), "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add_trace(go.Scatter(y=typical.min(axis=0), **quiet))
    figure.add_trace(go.Scatter(y=typical.max(axis=0), fill="tonexty", fillcolor=faded(MUTED, 0.14), **quiet))
    colours = {account: ACCOUNTS[index % len(ACCOUNTS)] for index, account in enumerate(accounts)}
    traces = CurveTraces(figure, axis, scale, ArmStyles(colours, dict.fromkeys(accounts, "solid")), 0.0, POINTS)
    traces.draw(0, found, set())
    frame.name_reference(figure, scale)
    frame.stripe_nights(figure, 1, axis)
    frame.add_doses(figure, 1, axis, {accounts[0]: found[0].doses}, dict.fromkeys(accounts, MUTED), "dose")
    if reach:
        frame.add_reach(figure, 1, axis, reach.start, reach.end)
    frame.make_room_for_legend(figure)
    frame.add_scale_buttons(figure, 1, scale, log)
    failed = [f"Not solved and left out: {curve.account}: {curve.reason}." for curve in found if not curve.drawn]
    people = [f"Lines: medians of {found[0].total} people."] if "subject" in data.dims else []
    frame.add_notes(figure, [*people, *failed])
    return figure


def _named(data: xr.DataArray, account: str) -> str:
    tag = evidence_of(data, account)
    return f"{account} ({evidence_mark(tag)})" if tag else account
