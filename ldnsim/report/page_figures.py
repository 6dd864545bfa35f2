"""The figures of a page: which ones, in what order, how many points, and how they are put into HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape, unescape
from typing import TYPE_CHECKING, Any

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics.outputs import kind_in, outputs_in
from ldnsim.model.baselines import DRUG_FREE
from ldnsim.plots import by_arm, calendar, last_day, time_course
from ldnsim.plots.frame import bare

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr

__all__ = ["MANY_ARMS", "calendar_figure", "course_figures", "dose_figures", "embedded", "ordered", "outputs_of"]

# Bytes: what a page may hold beside plotly itself (4.8 of 6 MB), and what its pieces take.
ROOM = 960_000
SAMPLE, CURVE, FIGURE, NIGHT, DOSE = 22, 450, 9_000, 45, 30
FEWEST, DAY_MOST = 40, 110  # samples of one curve: at least, and at most over one day, which is smooth
MOST_DOSES = 1_500  # on the calendar of a page
TOLD_BY_CALENDAR = ("dose_taken", "dose_late", "dose_infuse", "missed_time")
MANY_ARMS = 4  # from so many arms on, metrics are drawn against them


def outputs_of(result: xr.Dataset) -> list[str]:
    """The outputs of a result without their drug-free twins, in its order."""
    return [name for name in outputs_in(result) if "kind" in result[name].attrs and "arm" in result[name].dims]


def calendar_figure(result: xr.Dataset, phrases: int) -> Iterator[str]:
    """The dose calendar, where the arms' doses are more than the same every day: told in `phrases` for all of them."""
    plain = phrases <= result.sizes["arm"] and not any(name in result for name in TOLD_BY_CALENDAR)
    if not plain and result.sizes["arm"] * result.sizes.get("dose", 0) <= MOST_DOSES:
        first = int(result["subject"].values[0]) if "subject" in result.dims else 1
        yield embedded(calendar(result, subject=first), "calendar")


def dose_figures(result: xr.Dataset, table: xr.Dataset) -> Iterator[str]:
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
                yield embedded(by_arm(table, f"{name}_{shown}"), f"arms-{name}-{shown}")


def _alike(metric: xr.DataArray) -> bool:
    """Whether arms differ by less than a hundredth of it in every account."""
    spread = metric.max("arm") - metric.min("arm")
    return bool((spread <= 0.01 * metric.max("arm")).all())


def course_figures(result: xr.Dataset) -> Iterator[str]:
    """For each output its last day and its whole course; a figure that cannot be drawn says why in its place."""
    outputs = ordered(result)
    day_points, points = _points(result, len(outputs))
    for name in outputs:
        attrs = result[name].attrs
        title = f"{escape(str(attrs.get('long_name', name)))} <code>{escape(name)}</code>"
        yield f'<section class="output">\n<h3>{title}</h3>'
        if attrs.get("observed"):
            yield f'<p class="soft">What human data cover: {escape(str(attrs["observed"]))}</p>'
        for make, key, most in ((last_day, "day", day_points), (time_course, "course", points)):
            try:
                figure = make(result, name, points=most)
            except LdnsimError as caught:
                yield f'<p class="soft">{escape(str(caught))}</p>'
            else:
                yield embedded(figure, f"{key}-{name}")
        yield "</section>"


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
        return 0 if result[name].attrs.get("relative_to") == DRUG_FREE else kind_in(result, name).rank

    return sorted(outputs_of(result), key=rank)


def embedded(figure: go.Figure, name: str) -> str:
    """A place for the figure, and the figure as data that the page's script draws into it."""
    title = escape(
        unescape(str(figure.layout.title.text))
    )  # plotly's texts leave quotes as they are, attributes must not
    notes = "<br>".join(escape(str(note)) for note in (figure.layout.meta or {}).get("notes", ()))
    shown, key = bare(figure), escape(name)
    return (
        f'<figure aria-labelledby="caption-{key}">\n<figcaption id="caption-{key}">{title}</figcaption>\n'
        f'<div class="plot" id="{key}" style="min-height: {int(shown.layout.height)}px" role="img" '
        f'aria-label="{title}. The tables below hold its main numbers."></div>\n'
        + (f'<p class="soft notes">{notes}</p>\n' if notes else "")
        + f'<script type="application/json" class="figure" data-for="{key}">{_json(shown)}</script>\n</figure>'
    )


def _json(figure: go.Figure) -> str:
    """The figure as JSON that no HTML parser can take for markup, whatever texts it holds."""
    from plotly.io import to_json

    text = str(to_json(figure, engine="json", remove_uids=True)).replace("\\u002f", "/")
    unsafe: dict[str, Any] = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
    return text.translate(str.maketrans(unsafe))
