"""Outputs over time: the whole course, and the last whole day by clock time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics.summary import NO_MECHANISM
from ldnsim.plots import frame
from ldnsim.plots.arm_styles import look_of
from ldnsim.plots.clock import DAY, TimeAxis
from ldnsim.plots.coverage import coverage
from ldnsim.plots.curves import Curve, chosen, curves, output_named, title_of, twin_curve
from ldnsim.plots.observed import ObservedPoints, observations
from ldnsim.plots.scales import scale_of
from ldnsim.plots.selection import with_picked
from ldnsim.plots.traces import Pen

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["last_day", "time_course"]

Floats = NDArray[np.float64]

POINTS = 20_000  # samples of a figure: half a megabyte
MOST_FAILED = 5  # notes on people or accounts without a solution
ALIKE = 1e-4  # of the range: less than the width of a line
PEOPLE = 8  # single people shown behind a ribbon
PANEL, ONLY_PANEL = 215, 300  # px


@dataclass(frozen=True)
class _Drawing:
    """What to draw: the curves within `span` (h), at their time minus `origin` (h) on `axis`."""

    title: str
    axis: TimeAxis
    span: tuple[float, float]
    origin: float
    accounts: list[str]
    arms: list[str]
    log: bool
    people: int
    points: int
    observed: Sequence[ObservedPoints] = ()


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
    return _figure(result, output, _Drawing(title, axis, (start, end), 0.0, *names, log, people, points, data))


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
    return _figure(result, output, _Drawing(title, axis, (start, end), midnight, *names, log, people, points))


def _length(hours: float) -> str:
    if hours == 0:
        return "at a single time"
    days = hours / DAY
    return f"over {hours:.3g} h" if days < 1 else f"over {days:.3g} day{'' if days == 1 else 's'}"


def _day(result: xr.Dataset, time: Floats) -> tuple[float, float]:
    """The last whole calendar day within the result's window, else the window's last 24 h; h."""
    window = np.ravel(np.asarray(result.attrs.get("window", ()), dtype=float))
    start, end = (float(window[0]), float(window[1])) if window.size == 2 else (float(time[0]), float(time[-1]))
    midnight = float(np.floor(end / DAY + 1e-9) * DAY)
    if midnight - DAY >= start - 1e-6:
        return midnight - DAY, midnight
    return max(start, end - DAY), end


def _figure(result: xr.Dataset, output: str, drawing: _Drawing) -> go.Figure:
    accounts, axis, origin = drawing.accounts, drawing.axis, drawing.origin
    found = curves(result, output, accounts, drawing.arms, drawing.span, drawing.people)
    attrs = result[output].attrs
    tags = {
        account: str(attrs.get(f"evidence_{account}", attrs.get("evidence", "no evidence tag"))) for account in accounts
    }
    alike = len(set(tags.values())) == 1 and _all_alike(found, accounts)
    if alike:  # such as plasma under accounts that differ only in the receptors
        accounts, found = accounts[:1], [curve for curve in found if curve.account == accounts[0]]
    time, peopled = found[0].time, found[0].low is not None or "subject" in result[output].dims
    twins = {account: twin for account in accounts if (twin := twin_curve(result, output, account, time)) is not None}
    given = [ends for data in drawing.observed for ends in (data.value, data.low, data.high)]
    scale = scale_of(output, attrs, np.concatenate([*map(_seen, found), *twins.values(), *given]))
    reach = coverage(result, output, drawing.arms)
    words = reach.words if reach else ""
    headings = [frame.Heading(name, title_of(result, "account", name), tags[name], words) for name in accounts]
    if alike:
        headings = [frame.Heading("All accounts agree", ", ".join(drawing.accounts), headings[0].tag, words)]
    figure = frame.framed(drawing.title, headings, PANEL if len(accounts) > 1 else ONLY_PANEL, axis, scale, drawing.log)
    look, rows = look_of(result), len(accounts)
    lines = len(found) * (5 if peopled else 1) + len(twins)  # a band and single people count as four lines
    pen = Pen(figure, axis, scale, look, origin, max(2, drawing.points // lines))
    told: set[str] = set()
    for row, account in enumerate(accounts):
        here = [curve for curve in found if curve.account == account]
        told |= pen.draw(row, here, told)
        if not any(curve.drawn for curve in here):
            frame.say_in_panel(figure, row, f"{_absence(here[0])}: " + (here[0].reason or "no values"))
    for index, (account, values) in enumerate(twins.items()):
        pen.twin(accounts.index(account), time, values, in_legend=index == 0)
    pen.observed(rows, drawing.observed)
    frame.name_reference(figure, scale)
    frame.stripe_nights(figure, rows, axis)
    schedules = {curve.arm: curve.doses - origin for curve in found if curve.drawn}
    frame.add_doses(figure, rows, axis, schedules, look.colours, "dose (first person)" if peopled else "dose")
    if reach:
        frame.add_reach(figure, rows, axis, reach.start - origin, reach.end - origin)
    frame.make_room_for_legend(figure)
    frame.add_scale_buttons(figure, rows, scale, drawing.log)
    frame.add_notes(figure, _notes(found, peopled))
    return figure


def _absence(curve: Curve) -> str:
    return "No mechanism" if curve.reason == NO_MECHANISM else "Not solved"


def _all_alike(found: Sequence[Curve], accounts: Sequence[str]) -> bool:
    """Whether all accounts give the same curves in every arm, within the width of a line."""
    shown = [np.concatenate([_seen(curve) for curve in found if curve.account == account]) for account in accounts]
    if len({values.size for values in shown}) > 1 or not shown[0].size:
        return False
    size = float(np.ptp(shown[0]))  # NaN where somebody was not solved
    others = shown[1:]
    return bool(
        others and size > 0 and all(np.allclose(other, shown[0], rtol=0, atol=ALIKE * size) for other in others)
    )


def _seen(curve: Curve) -> Floats:
    """All values of a curve that are drawn, flat."""
    ribbon = [] if curve.low is None or curve.high is None else [curve.low, curve.high]
    return np.concatenate([curve.typical, *ribbon, *curve.people])


def _notes(found: Sequence[Curve], peopled: bool) -> list[str]:
    """Notes on who is drawn and who is not."""
    notes, failed = [], []
    if peopled:
        few = max(len(curve.people) for curve in found)
        faint = f"; faint lines: {few} of them" if few else ""
        notes.append(f"Line: median of {found[0].total} people; band: 5 to 95 % quantiles{faint}.")
    for curve in found:
        left_out = curve.total - curve.solved
        if left_out:
            who = f"{left_out} of {curve.total} people in " if peopled else ""
            why = f": {curve.reason}" if curve.reason else ""
            failed.append(f"{_absence(curve)} and left out: {who}{curve.account}, {curve.title}{why}.")
    more = len(failed) - MOST_FAILED
    return [*notes, *failed[:MOST_FAILED], *([f"And {more} more of these."] if more > 0 else [])]
