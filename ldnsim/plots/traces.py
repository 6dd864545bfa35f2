"""Traces of one curve: single people, the band of a population, the typical course, the drug-free twin."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ldnsim.plots.arm_styles import ArmStyles
from ldnsim.plots.clock import TimeAxis
from ldnsim.plots.curves import Curve
from ldnsim.plots.frame import yaxis_name
from ldnsim.plots.observed import ObservedPoints
from ldnsim.plots.scales import ValueAxis, label
from ldnsim.plots.style import INK, MUTED, faded
from ldnsim.plots.thinning import shape_points

__all__ = ["CurveTraces"]

Floats = NDArray[np.float64]

PERSON_POINTS = 200  # samples of a single person's line


@dataclass(frozen=True)
class CurveTraces:
    """Draws into the panels of a figure, at time minus `origin` (h), with at most `most` samples per curve."""

    figure: go.Figure
    axis: TimeAxis
    scale: ValueAxis
    look: ArmStyles
    origin: float
    most: int

    def draw(self, row: int, curves: Sequence[Curve], told: Set[str]) -> set[str]:
        """Draw the curves into panel `row`, bands below lines; arms not yet in `told` get a legend entry.

        Returns the arms drawn; a curve without a solution is not drawn.
        """
        seen = [(curve, self._kept(curve)) for curve in curves if curve.drawn]
        for curve, keep in seen:
            self._spread(row, curve, keep)
        for curve, keep in seen:
            self._line(row, curve, keep, in_legend=curve.arm not in told)
        return {curve.arm for curve, _ in seen}

    def _kept(self, curve: Curve) -> NDArray[np.intp]:
        ribbon = () if curve.low is None or curve.high is None else (curve.low, curve.high)
        return shape_points(curve.time, np.array([curve.typical, *ribbon]), self.most)

    def _spread(self, row: int, curve: Curve, keep: NDArray[np.intp]) -> None:
        """Single people and the band, if the curve has them."""
        if curve.low is None or curve.high is None:
            return
        colour = self.look.colours[curve.arm]
        shared = {"yaxis": yaxis_name(row), "legendgroup": label(curve.arm)}
        quiet = {**shared, "mode": "lines", "hoverinfo": "skip", "showlegend": False}
        if curve.people.size:
            self._people(curve, {**quiet, "line": {"width": 0.7, "color": faded(colour, 0.35)}})
        x = self.axis.x(curve.time[keep] - self.origin)
        fill = {"fill": "tonexty", "fillcolor": faded(colour, 0.2)}
        self.figure.add_trace(go.Scatter(x=x, y=_short(curve.low[keep]), line={"width": 0}, **quiet))
        self.figure.add_trace(go.Scatter(x=x, y=_short(curve.high[keep]), line={"width": 0}, **fill, **quiet))

    def _line(self, row: int, curve: Curve, keep: NDArray[np.intp], *, in_legend: bool) -> None:
        """The typical course."""
        colour = self.look.colours[curve.arm]
        shared = {"yaxis": yaxis_name(row), "legendgroup": label(curve.arm)}
        x = self.axis.x(curve.time[keep] - self.origin)
        line = {"color": colour, "width": 2, "dash": self.look.dashes[curve.arm]}
        mode = {"mode": "lines"} if keep.size > 1 else {"mode": "markers", "marker": {"size": 9, "color": colour}}
        hover = self._hover(curve, keep)
        names = {"name": label(curve.title), "showlegend": in_legend}
        self.figure.add_trace(
            go.Scatter(x=x, y=_short(curve.typical[keep]), line=line, **mode, **shared, **names, **hover)
        )

    def observed(self, rows: int, sets: Sequence[ObservedPoints]) -> None:
        """Data over the curves, in each of the `rows` panels, since data belong to no account."""
        for data in sets:
            colour = self.look.colours.get(data.arm, INK)
            bars = {}
            if np.isfinite(data.low).any() or np.isfinite(data.high).any():
                ends = {"array": data.high - data.value, "arrayminus": data.value - data.low}
                bars["error_y"] = {"type": "data", "symmetric": False, "thickness": 1.3, "width": 3, **ends}
            marker = {"size": 8, "color": "white", "line": {"color": colour, "width": 2}}
            name = f"observed, {data.arm}" if data.arm else "observed"
            hover = {"hovertemplate": f"observed %{{y:{self.scale.hover}}}"}
            for row in range(rows):
                ties = {"yaxis": yaxis_name(row), "legendgroup": label(name), "showlegend": row == 0}
                x = self.axis.x(data.time - self.origin)
                look = {"mode": "markers", "marker": marker, "name": label(name)}
                self.figure.add_trace(go.Scatter(x=x, y=data.value, **look, **ties, **hover, **bars))

    def twin(self, row: int, time: Floats, values: Floats, *, in_legend: bool) -> None:
        """The drug-free twin (n,) over `time` (n,), h, into panel `row`."""
        keep = shape_points(time, values[None], self.most)
        look = {"line": {"color": MUTED, "width": 1.3, "dash": "1px 3px"}, "mode": "lines", "name": "without drug"}
        ties = {"yaxis": yaxis_name(row), "legendgroup": "without drug", "showlegend": in_legend}
        hover = {"hovertemplate": f"%{{y:{self.scale.hover}}}"}
        x = self.axis.x(time[keep] - self.origin)
        self.figure.add_trace(go.Scatter(x=x, y=_short(values[keep]), **look, **ties, **hover))

    def _people(self, curve: Curve, look: dict[str, Any]) -> None:
        """Single people as one trace, with gaps between them."""
        most = max(2, min(PERSON_POINTS, self.most // len(curve.people)))
        xs: list[Floats] = []
        ys: list[Floats] = []
        gap = np.array([np.nan])
        for values in curve.people:
            keep = shape_points(curve.time, values[None], most)
            xs += [self.axis.x(curve.time[keep] - self.origin), gap]
            ys += [values[keep], gap]
        self.figure.add_trace(go.Scatter(x=np.concatenate(xs), y=_short(np.concatenate(ys)), **look))

    def _hover(self, curve: Curve, keep: NDArray[np.intp]) -> dict[str, Any]:
        """Hover text: value, quantiles over people, and time since the last dose (before any dose: to the first)."""
        value = f"%{{y:{self.scale.hover}}}"
        columns = []
        if curve.low is not None and curve.high is not None:
            columns += [curve.low[keep], curve.high[keep]]
            low, high = (f"%{{customdata[{column}]:{self.scale.hover}}}" for column in (0, 1))
            value = f"median {value} (5 to 95 %: {low} to {high})"
        if curve.doses.size:
            time = curve.time[keep]
            last = curve.doses[np.maximum(np.searchsorted(curve.doses, time, side="left") - 1, 0)]
            value += f", %{{customdata[{len(columns)}]:.1f}} h after dose"
            columns.append(time - last)
        return {"hovertemplate": value, **({"customdata": _short(np.column_stack(columns))} if columns else {})}


def _short(values: Floats) -> NDArray[np.float32]:
    """Single precision, which is enough for a figure and halves the size of a page."""
    return np.asarray(values, dtype=np.float32)
