"""The figures of a page: which ones, in which order, with how many points, as JSON that the page's script draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics.attributes import is_ratio_to_twin, observed_of
from ldnsim.metrics.outputs import kind_in, outputs_in
from ldnsim.plots import by_arm, calendar, last_day, time_course
from ldnsim.plots.frame import without_text

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr

__all__ = [
    "MANY_ARMS", "OutputFigures", "PageFigure", "calendar_figure", "course_figures", "dose_figures", "ordered",
    "outputs_of", "page_figure",
]  # fmt: skip

# Bytes: the size of a page without plotly itself (4.8 of 6 MB), and of its pieces.
BUDGET = 960_000
SAMPLE, CURVE, FIGURE, NIGHT, DOSE = 22, 450, 9_000, 45, 30
MIN_SAMPLES, MAX_SAMPLES_DAY = 40, 110  # samples of one curve: at least, and at most over one day, which is smooth
MAX_DOSES = 1_500  # on the calendar of a page
SHOWN_BY_CALENDAR = ("dose_taken", "dose_late", "dose_infuse", "missed_time")
MANY_ARMS = 4  # from this number of arms, metrics are plotted against the arms


@dataclass(frozen=True)
class PageFigure:
    """A figure on a page: `key` is unique on the page, `height` is in px, `json` is safe within a script element."""

    key: str
    title: str
    notes: tuple[str, ...]
    height: int
    json: str


@dataclass(frozen=True)
class OutputFigures:
    """The figures of one output; a text instead of a figure says why it cannot be drawn."""

    name: str
    title: str
    observed: str
    figures: tuple[PageFigure | str, ...]


def outputs_of(result: xr.Dataset) -> list[str]:
    """The outputs of a result without their drug-free twins, in its order."""
    return [name for name in outputs_in(result) if "kind" in result[name].attrs and "arm" in result[name].dims]


def calendar_figure(result: xr.Dataset, phrases: int) -> PageFigure | None:
    """The dose calendar, if words (`phrases` for all arms) are not enough and there are not too many doses."""
    plain = phrases <= result.sizes["arm"] and not any(name in result for name in SHOWN_BY_CALENDAR)
    if plain or result.sizes["arm"] * result.sizes.get("dose", 0) > MAX_DOSES:
        return None
    first = int(result["subject"].values[0]) if "subject" in result.dims else 1
    return page_figure(calendar(result, subject=first), "calendar")


def dose_figures(result: xr.Dataset, table: xr.Dataset) -> Iterator[PageFigure]:
    """For many arms: rebound, peak effect and unblocked time against the arms."""
    if result.sizes["arm"] < MANY_ARMS:
        return
    first_of_kind: dict[str, str] = {}
    for name in ordered(result):
        first_of_kind.setdefault(kind_in(result, name).name, name)
    for name in first_of_kind.values():
        kind = kind_in(result, name)
        for metric in kind.arm_figures:
            if f"{name}_{metric}" in table:
                same = kind.is_effect and _nearly_equal(table[f"{name}_{metric}"])
                shown = "least_of_first" if same else metric  # equal peaks: the arms differ in what follows
                yield page_figure(by_arm(table, f"{name}_{shown}"), f"arms-{name}-{shown}")


def _nearly_equal(metric: xr.DataArray) -> bool:
    """Whether arms differ by less than 1 % in every account."""
    spread = metric.max("arm") - metric.min("arm")
    return bool((spread <= 0.01 * metric.max("arm")).all())


def course_figures(result: xr.Dataset) -> Iterator[OutputFigures]:
    """For each output the last day and the whole time course."""
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
    """Largest number of samples in a figure of the last day and of the whole course, for a page of limited size."""
    accounts, curves = result.sizes["account"], result.sizes["account"] * result.sizes["arm"]
    lines = curves * (5 if "subject" in result.dims else 1)  # ribbon and people take as much as four lines
    nights = float(result["time"].values[-1] - result["time"].values[0]) / 24
    doses = result.sizes["arm"] * result.sizes.get("dose", 0)
    fixed = 2 * FIGURE + 2 * CURVE * lines + accounts * (NIGHT * nights + DOSE * doses)
    each = max(0.0, BUDGET / max(1, outputs) - fixed) / SAMPLE
    day = int(min(MAX_SAMPLES_DAY * lines, each / 3))
    return max(day, MIN_SAMPLES * lines), max(int(each - day), MIN_SAMPLES * lines)


def ordered(result: xr.Dataset) -> list[str]:
    """The outputs, the most important first: tone, endogenous opioids, blockade."""

    def rank(name: str) -> int:
        return 0 if is_ratio_to_twin(result[name]) else kind_in(result, name).rank

    return sorted(outputs_of(result), key=rank)


def page_figure(figure: go.Figure, key: str) -> PageFigure:
    """A figure without its title and notes, which the page prints as text."""
    shown = without_text(figure)
    notes = tuple(str(note) for note in (figure.layout.meta or {}).get("notes", ()))
    title = unescape(str(figure.layout.title.text))  # plotly has it as HTML
    return PageFigure(key, title, notes, int(shown.layout.height), _json(shown))


def _json(figure: go.Figure) -> str:
    """The figure as JSON in which an HTML parser can find no markup, whatever texts it contains."""
    from plotly.io import to_json

    text = str(to_json(figure, engine="json", remove_uids=True)).replace("\\u002f", "/")
    unsafe: dict[str, Any] = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
    return text.translate(str.maketrans(unsafe))
