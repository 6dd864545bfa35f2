"""The dose calendar: days down, clock time across; doses taken, their amounts, and doses missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ldnsim.dosing.dose_text import dose_text, lateness_text
from ldnsim.foundation.clock import clock_text, day_of
from ldnsim.plots.calendar_doses import CalendarDoses, doses_in_arm, doses_of_person, largest_doses, legend_entries
from ldnsim.plots.calendar_panels import axis_name, empty_calendar
from ldnsim.plots.clock import DAY
from ldnsim.plots.curves import chosen
from ldnsim.plots.frame import add_notes, make_room_for_legend
from ldnsim.plots.scales import label
from ldnsim.plots.style import MUTED, faded
from ldnsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["calendar"]

Floats = NDArray[np.float64]

ROW, FEWEST_PIXELS, MOST_PIXELS = 18.0, 130.0, 560.0  # px of a day; of a panel
DOT, SMALLEST = (5.0, 13.0), 0.5  # px across of the largest dose; the smallest dose as a share of it
MISSED, LINES = 901, 902  # after all doses in the legend
MINUTE = 1 / 60
NIGHT_WORDS = "night, 22:00 to 06:00"


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
    data, who = doses_of_person(of, subject)
    names = chosen(data, "arm", arms)
    end = float(data.attrs["hours"]) if "hours" in data.attrs else float(data["time"].values[-1])
    days = max(1, int(np.ceil(round(end / DAY, 9))))
    taken = {name: doses_in_arm(data.sel(arm=name), "dose") for name in names}
    missed = {name: doses_in_arm(data.sel(arm=name), "missed") for name in names}
    pixels = float(np.clip(days * ROW, FEWEST_PIXELS, MOST_PIXELS))
    figure = empty_calendar(f"Doses by day and clock time{who}", data, names, days, pixels)
    traces = _CalendarPen(figure, legend_entries(taken.values()), largest_doses(taken.values()), pixels / days, end)
    for panel, name in enumerate(names):
        traces.draw(panel, taken[name], missed[name])
    night = {"symbol": "square", "size": 13, "color": "rgba(61, 78, 112, 0.2)"}
    figure.add_trace(
        go.Scatter(
            x=[None], y=[None], mode="markers", name=NIGHT_WORDS, marker=night, legendrank=LINES, hoverinfo="skip"
        )
    )
    make_room_for_legend(figure)
    add_notes(figure, ["Colour: labelled dose; size: dose actually contained."] if "dose_taken" in data else [])
    return figure


@dataclass(frozen=True)
class _CalendarPen:
    """Draws the doses of an arm into its panel. `row` is the height of a day, px; `end` the end of the run, h."""

    figure: go.Figure
    kinds: dict[tuple[str, float], tuple[str, str, str]]
    largest: dict[str, float]
    row: float
    end: float

    def draw(self, panel: int, doses: CalendarDoses, missed: CalendarDoses) -> None:
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

    def _sizes(self, doses: CalendarDoses, here: NDArray[np.intp]) -> Any:
        """Diameters, px: areas are proportional to the dose contained; one number if all are equal."""
        most = np.array([self.largest[str(way)] or 1.0 for way in doses.way[here]])
        sizes = np.round(self._dot() * np.maximum(np.sqrt(doses.taken[here] / most), SMALLEST), 1)
        return float(sizes[0]) if np.ptp(sizes) == 0 else sizes

    def _marks(
        self, panel: int, doses: CalendarDoses, here: NDArray[np.intp], name: str, marker: dict[str, Any], rank: int
    ) -> None:
        day, clock = _places(doses.time[here])
        words = [_words(doses, at, missed=rank == MISSED) for at in here]
        dots = {"mode": "markers", "marker": marker, "text": words, "hovertemplate": "%{text}"}
        self._add(panel, name, rank, x=clock, y=day, **dots)

    def _bars(self, panel: int, doses: CalendarDoses, here: NDArray[np.intp], name: str) -> None:
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

    def _moved(self, panel: int, doses: CalendarDoses) -> None:
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
            axes = {"xaxis": axis_name("x", panel), "yaxis": axis_name("y", panel)}
            self.figure.add_trace(go.Scatter(x=clock, y=day, mode="markers", marker=tick, **group, **axes))

    def _add(self, panel: int, name: str, rank: int, **settings: Any) -> None:
        """A trace in a panel; the first trace of each name is in the legend."""
        first = all(trace.name != label(name) for trace in self.figure.data)
        shared = {"name": label(name), "legendgroup": label(name), "legendrank": rank, "showlegend": first}
        axes = {"xaxis": axis_name("x", panel), "yaxis": axis_name("y", panel)}
        self.figure.add_trace(go.Scatter(**settings, **shared, **axes))


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


def _words(doses: CalendarDoses, at: int, *, missed: bool) -> str:
    """The hover text of a dose."""
    time = float(doses.time[at])
    said = [
        f"day {day_of(time)}, {clock_text(time)}",
        dose_text(doses.label[at], "mg", doses.way[at], infuse=doses.infuse[at]),
    ]
    if missed:
        said.append("missed")
    elif doses.taken[at] != doses.label[at]:
        said.append(f"contained {doses.taken[at]:.3g} mg")
    if not missed and abs(doses.late[at]) > MINUTE:
        said.append(lateness_text(doses.late[at]))
    return label(", ".join(said)) + "<extra></extra>"
