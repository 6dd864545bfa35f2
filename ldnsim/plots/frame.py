"""The layout of figures over time: stacked panels, headings, nights, doses, the reach of human data.

Sizes are in pixels, so that figures of one panel and of five look alike.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ldnsim.plots.clock import TimeAxis, nights
from ldnsim.plots.coverage import EXTRAPOLATED, HUMAN
from ldnsim.plots.scales import ValueAxis, label
from ldnsim.plots.style import AMBER, COVERED, MUTED, NIGHT, TEMPLATE, evidence_mark

__all__ = [
    "Heading",
    "add_doses",
    "add_notes",
    "add_reach",
    "add_scale_buttons",
    "framed",
    "make_room_for_legend",
    "name_reference",
    "stripe_nights",
    "without_text",
    "write_in_panel",
    "yaxis_name",
]

Floats = NDArray[np.float64]

GAP, TOP, BOTTOM = 68, 112, 82  # px: between panels (for a heading), above the figure (title, legend), below it
HEADING_SPACE, TITLE_SPACE = 50, 34
NOTE_LINE = 16
WIDE, NARROW = 118, 52  # characters per line at 900 px and on a phone
REACH = (1.012, 1.030)  # the strip above a panel, shares of its height
TICK, TICK_STEP = 0.045, 0.056  # a dose's tick, and from one row of ticks to the next, shares of the panel's height
REFERENCE = {"color": "#7b8794", "width": 1.2, "dash": "6px 3px"}
LEGEND_SYMBOL, LEGEND_LETTER, LEGEND_LINE, LEGEND_WIDTH = 52, 6.5, 22, 790  # px
SMALL = "font-size: 11.5px"


@dataclass(frozen=True)
class Heading:
    """The heading of a panel."""

    name: str
    title: str
    tag: str
    reach: str  # where human data end; "" if unknown

    def text(self, width: int) -> str:
        """Two or three lines of at most about `width` characters."""
        lines = textwrap.wrap(
            f"{self.name}: {self.title}" if self.title else self.name, width, max_lines=1, placeholder="..."
        )
        name, lines[0] = label(lines[0][: len(self.name)]), label(lines[0][len(self.name) :])
        below = evidence_mark(self.tag) + (f"; {self.reach}" if self.reach else "")
        small = "<br>".join(label(line) for line in textwrap.wrap(below, width, max_lines=2, placeholder="..."))
        for words, colour in ((HUMAN, COVERED), (EXTRAPOLATED, AMBER)) if self.reach else ():
            small = small.replace(words, f"<span style='color: {colour}'>■</span> {words}", 1)
        return f"<b>{name}</b>{'<br>'.join(lines)}<br><span style='{SMALL}; color: {MUTED}'>{small}</span>"


def yaxis_name(row: int) -> str:
    """Plotly's name of the y axis of panel `row`, counted from 0 at the top."""
    return "y" if row == 0 else f"y{row + 1}"


def framed(
    title: str, headings: Sequence[Heading], height: int, axis: TimeAxis, scale: ValueAxis, log: bool
) -> go.Figure:
    """An empty figure with a panel of `height` px per heading, all with the same time axis and y scale."""
    rows = len(headings)
    inner = rows * height + (rows - 1) * GAP
    layout: dict[str, Any] = {
        "template": TEMPLATE,
        "title": {"text": label(title)},
        "height": TOP + inner + BOTTOM,
        "margin": {"t": TOP, "b": BOTTOM, "l": 78, "r": 18},
        "legend": {"x": 0, "xanchor": "left", "y": 1 + HEADING_SPACE / inner, "yanchor": "bottom"},
        "xaxis": {**axis.layout(), "anchor": yaxis_name(rows - 1)},
        "annotations": [],
        "shapes": [],
        # for pages: headings that fit a phone, and notes that pages set as text (see `without_text`)
        "meta": {"narrow": [heading.text(NARROW) for heading in headings], "notes": []},
    }
    for row, heading in enumerate(headings):
        top = 1 - row * (height + GAP) / inner
        domain = [max(0.0, top - height / inner), top]
        matched = {"matches": "y"} if row else {}
        layout[f"yaxis{row + 1 if row else ''}"] = {**scale.axis(log), "domain": domain, "anchor": "x", **matched}
        layout["annotations"].append(_heading(heading, top))
        if scale.reference is not None:
            layout["shapes"].append(_reference(scale, axis, row))
    return go.Figure(layout=layout)


def _heading(heading: Heading, top: float) -> dict[str, Any]:
    place = {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": top, "yanchor": "bottom", "yshift": 7}
    return {
        "name": "heading",
        "text": heading.text(WIDE),
        "showarrow": False,
        "align": "left",
        "font": {"size": 13},
        **place,
    }


def _reference(scale: ValueAxis, axis: TimeAxis, row: int) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "x",
        "x0": axis.point(axis.start),
        "x1": axis.point(axis.end),
        "yref": yaxis_name(row),
        "y0": scale.reference,
        "y1": scale.reference,
        "layer": "between",  # above the grid, below the curves
        "line": REFERENCE,
    }


def name_reference(figure: go.Figure, scale: ValueAxis) -> None:
    """Name the reference line in the legend; a label at the line would overlap the curves."""
    if scale.reference_label:
        line = go.Scatter(x=[None], y=[None], mode="lines", line=REFERENCE, hoverinfo="skip")
        figure.add_trace(line.update(name=label(scale.reference_label)))


def stripe_nights(figure: go.Figure, rows: int, axis: TimeAxis) -> None:
    """Shade 22:00 to 06:00 in every panel, with one path per panel."""
    boxes = "".join(f"M{axis.in_path(dusk)},0V1H{axis.in_path(dawn)}V0Z" for dusk, dawn in nights(axis.start, axis.end))
    if not boxes:
        return
    look = {"fillcolor": NIGHT, "line": {"width": 0}, "layer": "below"}
    _add_shapes(figure, [{"type": "path", "path": boxes, **_panel(row), **look} for row in range(rows)])
    _legend_only(figure, "night, 22:00 to 06:00", {"symbol": "square", "size": 13, "color": "rgba(61, 78, 112, 0.2)"})


def add_doses(
    figure: go.Figure, rows: int, axis: TimeAxis, schedules: dict[str, Floats], colours: dict[str, str], name: str
) -> None:
    """Ticks at the bottom of every panel at the dose times (h) of each arm; arms with the same times share ticks.

    Ticks of arms that share only some of their times are stacked, so that they do not hide each other.
    """
    groups: dict[tuple[float, ...], list[str]] = {}
    for arm, times in schedules.items():
        seen = times[(times >= axis.start) & (times <= axis.end)]
        if seen.size:
            groups.setdefault(tuple(seen.tolist()), []).append(arm)
    floors: list[set[float]] = []  # the times of each row of ticks
    ticks: list[dict[str, Any]] = []
    for moments, arms in groups.items():
        level = next((row for row, taken in enumerate(floors) if not taken & set(moments)), len(floors))
        if level == len(floors):
            floors.append(set())
        floors[level] |= set(moments)
        low, high = level * TICK_STEP, level * TICK_STEP + TICK
        path = "".join(f"M{axis.in_path(time)},{low:.3g}V{high:.3g}" for time in moments)
        colour = colours[arms[0]] if len(arms) == 1 else MUTED
        line = {"color": colour, "width": 2}
        ticks += [{"type": "path", "path": path, **_panel(row), "line": line} for row in range(rows)]
    _add_shapes(figure, ticks)
    if groups:
        only = [arms[0] for arms in groups.values() if len(groups) == len(arms) == 1]
        colour = colours[only[0]] if only else MUTED
        _legend_only(
            figure, name, {"symbol": "line-ns", "size": 9, "line": {"width": 2, "color": colour}, "color": colour}
        )


def add_reach(figure: go.Figure, rows: int, axis: TimeAxis, start: float, end: float) -> None:
    """A strip along the top of every panel: green where human data cover the output (start to end, h), then amber.

    The headings explain the colours.
    """
    first, middle = max(start, axis.start), min(max(end, axis.start), axis.end)
    strips = [(first, middle, COVERED), (max(first, middle), axis.end, AMBER)]
    boxes = []
    for row in range(rows):
        for left, right, colour in strips:
            if left < right:
                box = {"x0": axis.point(left), "x1": axis.point(right), "y0": REACH[0], "y1": REACH[1]}
                boxes.append({"type": "rect", **_panel(row), "fillcolor": colour, "line": {"width": 0}, **box})
    _add_shapes(figure, boxes)


def _panel(row: int) -> dict[str, str]:
    """References of a shape to the time axis and to the height of panel `row`."""
    return {"xref": "x", "yref": f"{yaxis_name(row)} domain"}


def _add_shapes(figure: go.Figure, shapes: list[dict[str, Any]]) -> None:
    """Add all shapes at once: plotly validates all shapes of a figure whenever one is added."""
    figure.layout.shapes = (*figure.layout.shapes, *shapes)


def write_in_panel(figure: go.Figure, row: int, text: str) -> None:
    """A sentence in the middle of panel `row`, which has no curve."""
    place = {"xref": "x domain", "x": 0.5, "yref": f"{yaxis_name(row)} domain", "y": 0.5}
    lines = "<br>".join(map(label, textwrap.wrap(text, 60, max_lines=3, placeholder="...")))
    figure.add_annotation(text=lines, showarrow=False, font={"size": 13, "color": MUTED}, bgcolor="white", **place)


def _legend_only(figure: go.Figure, name: str, marker: dict[str, Any]) -> None:
    figure.add_trace(go.Scatter(x=[None], y=[None], mode="markers", name=name, marker=marker, hoverinfo="skip"))


def add_scale_buttons(figure: go.Figure, rows: int, scale: ValueAxis, log: bool) -> None:
    """Two buttons, linear and logarithmic, below the right end of the axis."""
    buttons = []
    for words, settings in (("linear", scale.axis(False)), ("log", scale.axis(True))):
        names = ["yaxis" if row == 0 else f"yaxis{row + 1}" for row in range(rows)]
        changes = {f"{name}.{key}": settings[key] for name in names for key in ("type", "range")}
        buttons.append({"label": words, "method": "relayout", "args": [changes]})
    place = {"x": 1, "xanchor": "right", "y": 0, "yanchor": "top", "pad": {"t": 44, "r": 0}}
    look = {
        "bgcolor": "white",
        "bordercolor": "#cbd2d9",
        "borderwidth": 1,
        "font": {"size": 10, "color": MUTED},
        "showactive": True,
    }
    figure.update_layout(
        updatemenus=[{"type": "buttons", "direction": "left", "active": int(log), "buttons": buttons, **place, **look}]
    )


def make_room_for_legend(figure: go.Figure) -> None:
    """Make room for the lines of the legend beyond the first, at a width of 900 px."""
    names = [str(trace.name) for trace in figure.data if trace.name and trace.showlegend is not False]
    lines = math.ceil(sum(LEGEND_SYMBOL + LEGEND_LETTER * len(name) for name in names) / LEGEND_WIDTH)
    extra = max(0, lines - 1) * LEGEND_LINE
    figure.update_layout(height=figure.layout.height + extra, margin_t=figure.layout.margin.t + extra)


def add_notes(figure: go.Figure, notes: Sequence[str]) -> None:
    """Notes below the axis; also in `layout.meta`, for pages that show them as text."""
    if not notes:
        return
    lines = [line for note in notes for line in textwrap.wrap(note, WIDE)]
    space = NOTE_LINE * len(lines)
    place = {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 0, "yanchor": "top", "yshift": -62}
    text = "<br>".join(map(label, lines))
    figure.add_annotation(
        name="note", text=text, showarrow=False, align="left", font={"size": 11.5, "color": MUTED}, **place
    )
    bottom = figure.layout.margin.b + space
    figure.update_layout(
        height=figure.layout.height + space, margin={"b": bottom}, meta={**figure.layout.meta, "notes": list(notes)}
    )


def without_text(figure: go.Figure) -> go.Figure:
    """A copy without title and notes, for pages that show both as text."""
    copy = go.Figure(figure)
    notes = [note for note in copy.layout.annotations if note.name == "note"]
    space = NOTE_LINE * sum(note.text.count("<br>") + 1 for note in notes)
    copy.layout.annotations = [note for note in copy.layout.annotations if note.name != "note"]
    copy.layout.title = None
    margin = copy.layout.margin
    return copy.update_layout(
        height=copy.layout.height - TITLE_SPACE - space,
        margin_t=margin.t - TITLE_SPACE,
        margin_b=margin.b - space,
    )
