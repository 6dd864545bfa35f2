"""A course of an output: panels, curves, doses and notes, over the whole run or a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ldnsim.metrics.attributes import evidence_of
from ldnsim.metrics.summary import NO_MECHANISM
from ldnsim.plots import frame
from ldnsim.plots.arm_styles import arm_styles_of
from ldnsim.plots.clock import TimeAxis
from ldnsim.plots.coverage import coverage
from ldnsim.plots.curves import Curve, curves, title_of, twin_curve
from ldnsim.plots.observed import ObservedPoints
from ldnsim.plots.scales import scale_of
from ldnsim.plots.traces import CurveTraces

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["PEOPLE", "POINTS", "Drawing", "Floats", "course_figure"]

Floats = NDArray[np.float64]
POINTS = 20_000  # samples of a figure: half a megabyte
MAX_FAILED = 5  # notes on people or accounts without a solution
SAME_CURVE = 1e-4  # of the range: less than the width of a line
PEOPLE = 8  # single people shown behind a ribbon
PANEL = 215  # px, of one of several panels
ONLY_PANEL = 300


@dataclass(frozen=True)
class Drawing:
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


def course_figure(result: xr.Dataset, output: str, drawing: Drawing) -> go.Figure:
    accounts, axis, origin = drawing.accounts, drawing.axis, drawing.origin
    found = curves(result, output, accounts, drawing.arms, drawing.span, drawing.people)
    attrs = result[output].attrs
    tags = {account: evidence_of(result[output], account, "no evidence tag") for account in accounts}
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
    look, rows = arm_styles_of(result), len(accounts)
    lines = len(found) * (5 if peopled else 1) + len(twins)  # a band and single people count as four lines
    traces = CurveTraces(figure, axis, scale, look, origin, max(2, drawing.points // lines))
    told: set[str] = set()
    for row, account in enumerate(accounts):
        here = [curve for curve in found if curve.account == account]
        told |= traces.draw(row, here, told)
        if not any(curve.drawn for curve in here):
            frame.write_in_panel(figure, row, f"{_absence(here[0])}: " + (here[0].reason or "no values"))
    for index, (account, values) in enumerate(twins.items()):
        traces.twin(accounts.index(account), time, values, in_legend=index == 0)
    traces.observed(rows, drawing.observed)
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
        others and size > 0 and all(np.allclose(other, shown[0], rtol=0, atol=SAME_CURVE * size) for other in others)
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
    more = len(failed) - MAX_FAILED
    return [*notes, *failed[:MAX_FAILED], *([f"And {more} more of these."] if more > 0 else [])]
