"""The dose calendar: days down, clock time across; doses taken, their amounts, and doses missed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.plots.clock import DAY, NIGHT_END, NIGHT_START
from ldnsim.plots.curves import chosen, title_of
from ldnsim.plots.frame import add_notes, make_room_for_legend
from ldnsim.plots.scales import label
from ldnsim.plots.selection import with_picked
from ldnsim.plots.style import COLOURWAY, MUTED, NIGHT, TEMPLATE, faded, ladder
from ldnsim.scenario.scenario import Scenario
from ldnsim.simulation.dose_variables import planned_intake

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["calendar"]

Floats = NDArray[np.float64]

COLUMNS, GAP = 2, 0.055  # panels beside each other, and the share of the width between them
TOP, BOTTOM, BETWEEN = 104, 64, 66  # px
ROW, FEWEST_PIXELS, MOST_PIXELS = 18.0, 130.0, 560.0  # px of a day; of a panel
DOT, SMALLEST = (5.0, 13.0), 0.5  # px across of the largest dose; the smallest dose as a share of it
MOST_KINDS = 8  # doses with a legend entry of their own
MISSED, LINES = 901, 902  # after all doses in the legend
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "star", "hexagon")
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE = 1 / 60
NIGHT_WORDS = "night, 22:00 to 06:00"
TITLE_LETTERS, NARROW_LETTERS = 50, 20


@dataclass(frozen=True)
class _Doses:
    """The doses of one arm, arrays (d,): taken at `time` (h), `late` hours after the planned time."""

    time: Floats
    late: Floats
    label: Floats  # mg, as labelled
    taken: Floats  # mg, as contained
    infuse: Floats  # h
    way: NDArray[np.object_]


def calendar(of: xr.Dataset | Scenario, *, arms: Sequence[str] | None = None, subject: int = 1) -> go.Figure:
    """Draw the doses as a calendar: a panel per arm, a row per day, clock time along the x axis.

    Colour is the labelled dose, size the dose actually contained, and the symbol the input. A ring is a missed dose, a
    line leads from the planned to the actual time, and a bar is an infusion.

    Parameters
    ----------
    of : xarray.Dataset or Scenario
        A result of `simulate`, or a scenario that has not been run.
    arms : sequence of str, optional
        Names of the arms to draw; default: all.
    subject : int
        Number of the person whose doses are drawn, from 1.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    LdnsimError
        If the arm or the person does not exist, or if the dataset holds no doses.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> figure = ldn.plots.calendar(ldn.load_scenario("missed_doses"), arms=["one"])
    >>> figure.layout.title.text
    'Doses by day and clock time'
    """
    data, who = _of_person(of, subject)
    names = chosen(data, "arm", arms)
    end = float(data.attrs["hours"]) if "hours" in data.attrs else float(data["time"].values[-1])
    days = max(1, int(np.ceil(round(end / DAY, 9))))
    taken = {name: _doses(data.sel(arm=name), "dose") for name in names}
    missed = {name: _doses(data.sel(arm=name), "missed") for name in names}
    pixels = float(np.clip(days * ROW, FEWEST_PIXELS, MOST_PIXELS))
    figure = _framed(f"Doses by day and clock time{who}", data, names, days, pixels)
    pen = _Pen(figure, _kinds(taken.values()), _largest(taken.values()), pixels / days, end)
    for panel, name in enumerate(names):
        pen.draw(panel, taken[name], missed[name])
    night = {"symbol": "square", "size": 13, "color": "rgba(61, 78, 112, 0.2)"}
    figure.add_trace(
        go.Scatter(
            x=[None], y=[None], mode="markers", name=NIGHT_WORDS, marker=night, legendrank=LINES, hoverinfo="skip"
        )
    )
    make_room_for_legend(figure)
    add_notes(figure, ["Colour: labelled dose; size: dose actually contained."] if "dose_taken" in data else [])
    return figure


def _of_person(of: xr.Dataset | Scenario, subject: int) -> tuple[xr.Dataset, str]:
    """The doses of one person, and the words of the title that name the person."""
    if isinstance(of, Scenario):
        return planned_intake(of, subject), f", person {subject}" if of.population else ""
    of = with_picked(of)
    if "dose_time" not in of:
        raise LdnsimError("There is nothing to draw: the dataset holds no doses (`dose_time`).")
    names = [name for name in of.data_vars if str(name).split("_")[0] in ("dose", "missed")]
    data = of[names] if "time" not in of.coords else of[names].assign_coords(time=of["time"])
    data.attrs = dict(of.attrs)
    known = [int(each) for each in of["subject"].values] if "subject" in of.dims else [1]
    if subject not in known:
        expected = f"{known[0]} to {known[-1]}" if len(known) > 1 else str(known[0])
        raise LdnsimError(Fault(f"the result has no person {subject}", expected=expected))
    return (data.sel(subject=subject), f", person {subject} of {len(known)}") if "subject" in of.dims else (data, "")


def _doses(data: xr.Dataset, dim: str) -> _Doses:
    """The doses of one person in one arm, without padding."""

    def column(name: str, otherwise: Any) -> Any:
        return data[f"{dim}_{name}"].values if f"{dim}_{name}" in data else np.full(there.shape, otherwise)

    there = data[f"{dim}_time"].values.astype(float) if f"{dim}_time" in data else np.empty(0)
    amount = column("amount", 0.0)
    found = (there, column("late", 0.0), amount, column("taken", 0.0), column("infuse", 0.0), column("input", ""))
    keep = np.isfinite(there)
    time, late, amount, taken, infuse, way = (np.asarray(each)[keep] for each in found)
    return _Doses(
        time, late, amount, taken if f"{dim}_taken" in data else amount, np.nan_to_num(infuse), way.astype(object)
    )


def _kinds(arms: Iterable[_Doses]) -> dict[tuple[str, float], tuple[str, str, str]]:
    """(input, mg) -> (name in the legend, colour, symbol); many doses of one input share a name."""
    seen = [(str(way), float(mg)) for doses in arms for way, mg in zip(doses.way, doses.label, strict=True)]
    ways = list(dict.fromkeys(way for way, _ in seen))
    found = sorted(set(seen), key=lambda kind: (ways.index(kind[0]), kind[1]))
    sizes = sorted({mg for _, mg in found})
    colours = dict(zip(sizes, ladder(len(sizes)) if len(sizes) > 1 else COLOURWAY, strict=False))
    kinds = {}
    for way, mg in found:
        own = [size for each, size in found if each == way]
        name = f"{mg:.4g} mg" if len(found) <= MOST_KINDS or len(own) == 1 else f"{own[0]:.4g} to {own[-1]:.4g} mg"
        kinds[way, mg] = f"{name} {way}", colours[mg], SYMBOLS[ways.index(way) % len(SYMBOLS)]
    return kinds


def _largest(arms: Iterable[_Doses]) -> dict[str, float]:
    """The largest dose of each input, mg: on the scale of a 380 mg depot, tablets would not be seen."""
    largest: dict[str, float] = {}
    for doses in arms:
        for way, mg in zip(doses.way, np.fmax(doses.taken, doses.label), strict=True):
            largest[str(way)] = max(largest.get(str(way), 0.0), float(mg))
    return largest


@dataclass(frozen=True)
class _Pen:
    """Draws the doses of an arm into its panel. `row` is the height of a day, px; `end` the end of the run, h."""

    figure: go.Figure
    kinds: dict[tuple[str, float], tuple[str, str, str]]
    largest: dict[str, float]
    row: float
    end: float

    def draw(self, panel: int, doses: _Doses, missed: _Doses) -> None:
        self._moved(panel, doses)
        groups: dict[tuple[str, str], list[int]] = {}
        for index, key in enumerate(zip(doses.way, doses.label, strict=True)):
            name, _, symbol = self.kinds[str(key[0]), float(key[1])]
            groups.setdefault((name, symbol), []).append(index)
        for (name, _), places in groups.items():
            self._bars(panel, doses, np.array(places), name)
        names = list(dict.fromkeys(name for name, _, _ in self.kinds.values()))
        for (name, symbol), places in groups.items():
            here = np.array(places)
            colours = [self.kinds[str(doses.way[at]), float(doses.label[at])][1] for at in places]
            shade: Any = colours[0] if len(set(colours)) == 1 else colours
            marker = {
                "symbol": symbol,
                "size": self._sizes(doses, here),
                "color": shade,
                "opacity": 1,
                "line": {"width": 0},
            }
            self._marks(panel, doses, here, name, marker, names.index(name))
        if missed.time.size:
            every = np.arange(missed.time.size)
            ring = {"symbol": "circle-open", "size": self._dot(), "color": MUTED, "line": {"width": 1.3}}
            self._marks(panel, missed, every, "missed", ring, MISSED)

    def _dot(self) -> float:
        return float(np.clip(0.85 * self.row, *DOT))

    def _sizes(self, doses: _Doses, here: NDArray[np.intp]) -> Any:
        """Diameters, px: areas are proportional to the dose contained; one number if all are equal."""
        most = np.array([self.largest[str(way)] or 1.0 for way in doses.way[here]])
        sizes = np.round(self._dot() * np.maximum(np.sqrt(doses.taken[here] / most), SMALLEST), 1)
        return float(sizes[0]) if np.ptp(sizes) == 0 else sizes

    def _marks(
        self, panel: int, doses: _Doses, here: NDArray[np.intp], name: str, marker: dict[str, Any], rank: int
    ) -> None:
        day, clock = _places(doses.time[here])
        words = [_words(doses, at, missed=rank == MISSED) for at in here]
        dots = {"mode": "markers", "marker": marker, "text": words, "hovertemplate": "%{text}"}
        self._add(panel, name, rank, x=clock, y=day, **dots)

    def _bars(self, panel: int, doses: _Doses, here: NDArray[np.intp], name: str) -> None:
        """Infusions, continued from day to day until the infusion or the run ends."""
        running = [at for at in here if doses.infuse[at] > 0]
        pieces = [
            piece
            for at in running
            for piece in _by_day(doses.time[at], min(doses.time[at] + doses.infuse[at], self.end))
        ]
        if pieces:
            colour = self.kinds[str(doses.way[running[0]]), float(doses.label[running[0]])][1]
            line = {"width": float(np.clip(0.5 * self.row, 2, 8)), "color": faded(colour, 0.4)}
            self._add(panel, f"{name}, infusion", LINES, **_path(pieces), mode="lines", line=line, hoverinfo="skip")

    def _moved(self, panel: int, doses: _Doses) -> None:
        """Lines from planned to actual times; if more than a day apart, straight across the rows."""
        moved = np.flatnonzero(np.abs(doses.late) > MINUTE)
        pieces: list[tuple[float, float]] = []
        for at in moved:
            ends = sorted((doses.time[at] - doses.late[at], doses.time[at]))
            pieces += _by_day(*ends) if ends[1] - ends[0] <= DAY else [(ends[0], ends[1])]
        if pieces:
            line = {"width": 1.2, "color": MUTED}
            self._add(
                panel, "from planned to actual time", LINES, **_path(pieces), mode="lines", line=line, hoverinfo="skip"
            )
            day, clock = _places(doses.time[moved] - doses.late[moved])
            tick = {"symbol": "line-ns-open", "size": 0.6 * self._dot(), "color": MUTED, "line": {"width": 1.2}}
            group = {"legendgroup": "from planned to actual time", "showlegend": False, "hoverinfo": "skip"}
            axes = {"xaxis": _axis("x", panel), "yaxis": _axis("y", panel)}
            self.figure.add_trace(go.Scatter(x=clock, y=day, mode="markers", marker=tick, **group, **axes))

    def _add(self, panel: int, name: str, rank: int, **settings: Any) -> None:
        """A trace in a panel; the first trace of each name is in the legend."""
        first = all(trace.name != label(name) for trace in self.figure.data)
        shared = {"name": label(name), "legendgroup": label(name), "legendrank": rank, "showlegend": first}
        axes = {"xaxis": _axis("x", panel), "yaxis": _axis("y", panel)}
        self.figure.add_trace(go.Scatter(**settings, **shared, **axes))


def _axis(letter: str, panel: int) -> str:
    return letter if panel == 0 else f"{letter}{panel + 1}"


def _places(time: Floats) -> tuple[NDArray[np.intp], Floats]:
    """(day, clock time in h) of hours since midnight of day 1, to the second."""
    seconds = np.round(time * 3600)
    day = seconds // 86_400
    return day.astype(np.intp) + 1, np.round((seconds - 86_400 * day) / 3600, 4)


def _by_day(start: float, stop: float) -> list[tuple[float, float]]:
    """The interval from `start` to `stop` (h), cut at midnights."""
    edges = [start, *np.arange((start // DAY + 1) * DAY, stop, DAY), stop]
    return [(float(a), float(b)) for a, b in pairwise(edges) if b > a]


def _path(pieces: Sequence[tuple[float, float]]) -> dict[str, list[float | None]]:
    """Intervals as one line with gaps; one that ends at midnight ends at 24:00."""
    x: list[float | None] = []
    y: list[float | None] = []
    for start, stop in pieces:
        (first, last), (a, b) = _places(np.array([start, stop]))
        if b == 0.0 and last == first + 1:
            last, b = first, DAY
        x += [float(a), float(b), None]
        y += [int(first), int(last), None]
    return {"x": x, "y": y}


def _words(doses: _Doses, at: int, *, missed: bool) -> str:
    """The hover text of a dose."""
    (day,), (clock,) = _places(doses.time[at : at + 1])
    minutes = round(clock * 60)
    said = [f"day {day}, {minutes // 60:02d}:{minutes % 60:02d}", f"{doses.label[at]:.4g} mg {doses.way[at]}"]
    if missed:
        said.append("missed")
    elif doses.taken[at] != doses.label[at]:
        said.append(f"contained {doses.taken[at]:.3g} mg")
    if doses.infuse[at]:
        said.append(f"over {doses.infuse[at]:.3g} h")
    if not missed and abs(doses.late[at]) > MINUTE:
        said.append(f"{abs(doses.late[at]):.2g} h {'late' if doses.late[at] > 0 else 'early'}")
    return label(", ".join(said)) + "<extra></extra>"


def _framed(title: str, data: xr.Dataset, names: Sequence[str], days: int, pixels: float) -> go.Figure:
    """An empty figure with a panel of days by hours for each arm, in two columns."""
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    inner = rows * pixels + (rows - 1) * BETWEEN
    width = (1 - (columns - 1) * GAP) / columns
    start_day = str(data.attrs.get("start_day", ""))
    titles = [title_of(data, "arm", name) or name for name in names]
    layout: dict[str, Any] = {
        "template": TEMPLATE,
        "title": {"text": label(title)},
        "height": TOP + inner + BOTTOM,
        "margin": {"t": TOP, "b": BOTTOM, "l": 78, "r": 18},
        "hovermode": "closest",
        "legend": {"x": 0, "xanchor": "left", "y": 1 + 26 / inner, "yanchor": "bottom", "itemsizing": "constant"},
        "annotations": [],
        "shapes": [],
        "meta": {"narrow": [_heading(text, NARROW_LETTERS) for text in titles], "notes": []},
    }
    for panel, text in enumerate(titles):
        row, column = divmod(panel, columns)
        x, y = _axis("x", panel), _axis("y", panel)
        left, top = column * (width + GAP), 1 - row * (pixels + BETWEEN) / inner
        bottom = row == rows - 1 or panel + columns >= len(names)
        layout[x.replace("x", "xaxis")] = _clock_axis(y, [left, left + width], last=bottom)
        layout[y.replace("y", "yaxis")] = _day_axis(
            x, [max(0.0, top - pixels / inner), top], days, start_day, first=column == 0, panel=panel
        )
        place = {"xref": "paper", "x": left, "yref": "paper", "y": top, "xanchor": "left", "yanchor": "bottom"}
        layout["annotations"].append(
            {"name": "heading", "text": _heading(text, TITLE_LETTERS), "showarrow": False, "yshift": 3, **place}
        )
        for dusk, dawn in ((0.0, NIGHT_END - DAY), (NIGHT_START, DAY)):
            look = {"fillcolor": NIGHT, "line": {"width": 0}, "layer": "below"}
            layout["shapes"].append(
                {"type": "rect", "xref": x, "x0": dusk, "x1": dawn, "yref": f"{y} domain", "y0": 0, "y1": 1, **look}
            )
    return go.Figure(layout=layout)


def _heading(text: str, letters: int) -> str:
    return f"<b>{label(textwrap.shorten(text, letters, placeholder='...'))}</b>"


def _clock_axis(anchor: str, domain: list[float], *, last: bool) -> dict[str, Any]:
    return {
        "anchor": anchor,
        "domain": domain,
        "range": [-0.4, 24.4],
        "tickvals": [0, 6, 12, 18, 24],
        "title": {"text": "Clock time (h)" if last else ""},
        "zeroline": False,
    }


def _day_axis(
    anchor: str, domain: list[float], days: int, start_day: str, *, first: bool, panel: int
) -> dict[str, Any]:
    """Days from top to bottom; a tick a week where there are many, with the weekday that they begin on."""
    step = 1 if days <= 14 else next((n for n in (7, 14, 28, 56, 112, 364) if days / n <= 14), 364)
    ticks = list(range(1, days + 1, step))
    offset = WEEK.index(start_day) if start_day in WEEK else None
    words = [f"{WEEK[(offset + day - 1) % 7].capitalize()} {day}" if offset is not None else str(day) for day in ticks]
    return {
        "anchor": anchor,
        "domain": domain,
        "range": [days + 0.6, 0.4],
        "tickvals": ticks,
        "ticktext": words,
        "showticklabels": first,
        "title": {"text": "Day" if first else ""},
        **({"matches": "y"} if panel else {}),
    }
