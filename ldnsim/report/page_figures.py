"""The figures of a page: which ones, in what order, with how many points, and as the data that its script draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics.attributes import is_ratio_to_twin, observed_of
from ldnsim.metrics.outputs import kind_in, outputs_in
from ldnsim.plots import by_arm, calendar, last_day, time_course
from ldnsim.plots.frame import bare

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr

__all__ = [
    "MANY_ARMS", "OutputFigures", "PageFigure", "calendar_figure", "course_figures", "dose_figures", "ordered",
    "outputs_of", "page_figure",
]  # fmt: skip

# Bytes: what a page may hold beside plotly itself (4.8 of 6 MB), and what its pieces take.
ROOM = 960_000
SAMPLE, CURVE, FIGURE, NIGHT, DOSE = 22, 450, 9_000, 45, 30
FEWEST, DAY_MOST = 40, 110  # samples of one curve: at least, and at most over one day, which is smooth
MOST_DOSES = 1_500  # on the calendar of a page
TOLD_BY_CALENDAR = ("dose_taken", "dose_late", "dose_infuse", "missed_time")
MANY_ARMS = 4  # from so many arms on, metrics are drawn against them


@dataclass(frozen=True)
class PageFigure:
    """A figure on a page: `key` is unique there, `height` in px, `json` may stand within a script element as it is."""

    key: str
    title: str
    notes: tuple[str, ...]
    height: int
    json: str


@dataclass(frozen=True)
class OutputFigures:
    """The figures of one output; a text in the place of one says why it cannot be drawn."""

    name: str
    title: str
    observed: str
    figures: tuple[PageFigure | str, ...]


def outputs_of(result: xr.Dataset) -> list[str]:
    """The outputs of a result without their drug-free twins, in its order."""
    return [name for name in outputs_in(result) if "kind" in result[name].attrs and "arm" in result[name].dims]


def calendar_figure(result: xr.Dataset, phrases: int) -> PageFigure | None:
    """The dose calendar, where the arms' doses are more than the same every day: told in `phrases` for all of them.

    None where words do, or where there are too many doses for a page.
    """
    plain = phrases <= result.sizes["arm"] and not any(name in result for name in TOLD_BY_CALENDAR)
    if plain or result.sizes["arm"] * result.sizes.get("dose", 0) > MOST_DOSES:
        return None
    first = int(result["subject"].values[0]) if "subject" in result.dims else 1
    return page_figure(calendar(result, subject=first), "calendar")


def dose_figures(result: xr.Dataset, table: xr.Dataset) -> Iterator[PageFigure]:
    """With many arms: the rebound, the peak of an effect and the time unblocked against them."""
    if result.sizes["arm"] < MANY_ARMS:
        return
    first_of_kind: dict[str, str] = {}
    for name in ordered(result):
        first_of_kind.setdefault(kind_in(result, name).name, name)
    for name in first_of_kind.values():
        kind = kind_in(result, name)
        for metric in kind.arm_figures:
            if f"{name}_{metric}" in table:
                alike = kind.is_effect and _alike(table[f"{name}_{metric}"])
                shown = "least_of_first" if alike else metric  # what came later tells the arms apart
                yield page_figure(by_arm(table, f"{name}_{shown}"), f"arms-{name}-{shown}")


def _alike(metric: xr.DataArray) -> bool:
    """Whether arms differ by less than a hundredth of it in every account."""
    spread = metric.max("arm") - metric.min("arm")
    return bool((spread <= 0.01 * metric.max("arm")).all())


def course_figures(result: xr.Dataset) -> Iterator[OutputFigures]:
    """For each output its last day and its whole course."""
    outputs = ordered(result)
    day_points, points = _points(result, len(outputs))
    for name in outputs:
        attrs = result[name].attrs
        figures: list[PageFigure | str] = []
        for make, key, most in ((last_day, "day", day_points), (time_course, "course", points)):
            try:
                figures.append(page_figure(make(result, name, points=most), f"{key}-{name}"))
            except LdnsimError as caught:
                figures.append(str(caught))
        title, observed = str(attrs.get("long_name", name)), observed_of(result[name])
        yield OutputFigures(name, title, observed, tuple(figures))


def _points(result: xr.Dataset, outputs: int) -> tuple[int, int]:
    """Samples that a figure of the last day, and one of the whole course, may hold for the page to stay small."""
    accounts, curves = result.sizes["account"], result.sizes["account"] * result.sizes["arm"]
    lines = curves * (5 if "subject" in result.dims else 1)  # ribbon and people weigh as much as four lines
    nights = float(result["time"].values[-1] - result["time"].values[0]) / 24
    doses = result.sizes["arm"] * result.sizes.get("dose", 0)
    scaffold = 2 * FIGURE + 2 * CURVE * lines + accounts * (NIGHT * nights + DOSE * doses)
    each = max(0.0, ROOM / max(1, outputs) - scaffold) / SAMPLE
    day = int(min(DAY_MOST * lines, each / 3))
    return max(day, FEWEST * lines), max(int(each - day), FEWEST * lines)


def ordered(result: xr.Dataset) -> list[str]:
    """The outputs, those first that questions are about: tone, endogenous opioids, blockade."""

    def rank(name: str) -> int:
        return 0 if is_ratio_to_twin(result[name]) else kind_in(result, name).rank

    return sorted(outputs_of(result), key=rank)


def page_figure(figure: go.Figure, key: str) -> PageFigure:
    """A figure with its title and notes taken out of it, since the page prints them as text."""
    shown = bare(figure)
    notes = tuple(str(note) for note in (figure.layout.meta or {}).get("notes", ()))
    title = unescape(str(figure.layout.title.text))  # plotly has it as HTML
    return PageFigure(key, title, notes, int(shown.layout.height), _json(shown))


def _json(figure: go.Figure) -> str:
    """The figure as JSON that no HTML parser can take for markup, whatever texts it holds."""
    from plotly.io import to_json

    text = str(to_json(figure, engine="json", remove_uids=True)).replace("\\u002f", "/")
    unsafe: dict[str, Any] = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
    return text.translate(str.maketrans(unsafe))
