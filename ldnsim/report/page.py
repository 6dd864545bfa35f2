"""The page of a run: one HTML file that opens without a network, question and answer first.

It is made from Datasets only, so that a result opened from a file gives the same page as a new one.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.dosing.dose_text import DoseEntry, dose_words, missed_words
from ldnsim.foundation.clock import clock_text
from ldnsim.foundation.fields import WEEKDAYS
from ldnsim.plots.arm_styles import arm_styles_of
from ldnsim.plots.curves import title_of
from ldnsim.report.comparison import Comparison, comparison
from ldnsim.report.page_figures import calendar_figure, course_figures, dose_figures, ordered
from ldnsim.report.page_tables import metrics_tables, outputs_with_evidence
from ldnsim.report.rendering import rendered_page
from ldnsim.simulation.result import stated

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["page"]

DAY = 24.0
MAX_REASONS = 5


@dataclass(frozen=True)
class Answer:
    """An answer, with name and title of its account."""

    text: str
    account: str = ""
    title: str = ""


@dataclass(frozen=True)
class ComparedArm:
    """An arm with its colour, and its doses in words."""

    name: str
    title: str
    colour: str
    doses: list[str]


def page(result: xr.Dataset, table: xr.Dataset, answers: Iterable[str]) -> str:
    """Write the page as HTML.

    Parameters
    ----------
    result : xarray.Dataset
        As returned by `simulate`.
    table : xarray.Dataset
        Its metrics, as returned by `summarize`.
    answers : iterable of str
        One text per account, as returned by `answers`.

    Returns
    -------
    str
        HTML; the same input gives the same bytes.
    """
    compared, result, table = comparison(table), stated(result), stated(table)
    order = ordered(result)
    compared.sort(key=lambda each: order.index(each.output))
    titles = {str(arm): title_of(table, "arm", str(arm)) or str(arm) for arm in table["arm"].values}
    arms = list(_arms(result))
    return rendered_page(
        "run",
        kicker=_text(result, "scenario"),
        title=_text(result, "question") or _text(result, "title") or _text(result, "scenario"),
        disclaimer=_text(result, "disclaimer"),
        answers=list(_answers(result, answers)),
        arms=arms,
        who=_who(result),
        calendar=calendar_figure(result, sum(len(arm.doses) for arm in arms)),
        changes=_changes(result),
        arm_figures=dose_figures(result, table),
        courses=course_figures(result),
        window=_window(table, compared),
        tables=metrics_tables(compared, titles),
        accounts=[str(name) for name in result["account"].values],
        outputs=outputs_with_evidence(result),
        model=_text(result, "model"),
        cannot_say=_text(result, "cannot_say"),
        notes=_sentences(result, "notes"),
        extrapolated=_sentences(result, "extrapolated"),
        failed=_failed(result),
        command=_command(result),
        provenance=_provenance(result),
        scenario_text=_text(result, "scenario_text"),
    )


def _text(result: xr.Dataset, name: str) -> str:
    """An attribute as text, "" where it is absent."""
    return str(result.attrs.get(name, ""))


def _sentences(result: xr.Dataset, name: str) -> list[str]:
    """An attribute that is a list of texts; netCDF returns a list of one as a text, and none as an empty array."""
    found = result.attrs.get(name, [])
    return (
        [found] * bool(found) if isinstance(found, str) else [str(text) for text in np.ravel(np.asarray(found, object))]
    )


def _changes(result: xr.Dataset) -> dict[str, str]:
    """The changed values by address, as texts for the command line."""
    found = json.loads(_text(result, "changes") or "{}")
    return {address: _flat(value) for address, value in found.items()} if isinstance(found, dict) else {}


def _answers(result: xr.Dataset, answers: Iterable[str]) -> Iterator[Answer]:
    accounts = [str(name) for name in result["account"].values]
    for answer in answers:
        head, _, text = answer.partition(": ")
        is_of_account = head in accounts and text
        yield Answer(text, head, title_of(result, "account", head)) if is_of_account else Answer(answer)


def _arms(result: xr.Dataset) -> Iterator[ComparedArm]:
    look = arm_styles_of(result)
    for name in (str(arm) for arm in result["arm"].values):
        yield ComparedArm(name, title_of(result, "arm", name), look.colours[name], _doses(result, name))


def _who(result: xr.Dataset) -> str:
    """The duration, and who takes the doses."""
    days = (float(result["time"].values[-1]) - float(result["time"].values[0])) / DAY
    accounts = ", ".join(str(name) for name in result["account"].values)
    people = "one typical person"
    if "subject" in result.dims:
        people = (
            f"{result.sizes['subject']} virtual people (seed {_text(result, 'seed')}; doses of the first are listed)"
        )
    return f"{days:.3g} days, {people}, and a drug-free twin of each. Accounts: {accounts}."


def _doses(result: xr.Dataset, arm: str) -> list[str]:
    """The doses of an arm (of its first person) in words, and those missed."""

    def column(name: str) -> Any:
        data = result[name].sel(arm=arm)
        return (data.isel(subject=0) if "subject" in data.dims else data).values

    times, amounts, ways = (column(f"dose_{what}") for what in ("time", "amount", "input"))
    lengths = column("dose_infuse") if "dose_infuse" in result else np.zeros(times.shape)
    unit = str(result["dose_amount"].attrs.get("units", "mg"))
    taken = [
        DoseEntry(float(time), float(amount), str(way), float(np.nan_to_num(length)), unit=unit)
        for time, amount, way, length in zip(times, amounts, ways, lengths, strict=True)
        if np.isfinite(time)
    ]
    missed = [float(time) for time in column("missed_time") if np.isfinite(time)] if "missed_time" in result else []
    start_day = str(result.attrs.get("start_day", ""))
    weekday = WEEKDAYS.index(start_day) if start_day in WEEKDAYS else None
    return [*dose_words(taken, weekday), *missed_words(missed, weekday)]


def _window(table: xr.Dataset, found: list[Comparison]) -> str:
    """The window of the metrics, and how to read them."""
    start, end = (float(edge) for edge in np.ravel(table.attrs["window"]))
    first, last = int(start // DAY) + 1, max(int(-(-end // DAY)), 1)
    until = "24:00" if end % DAY == 0 and end > 0 else clock_text(end)
    days = f"day {first}, {clock_text(start)} to {'' if first == last else f'day {last}, '}{until}"
    people = " Medians over people, with the 5 to 95 % range below; differences are taken within each person first."
    draws = " In brackets: the 5 to 95 % range over draws of the uncertain parameters."
    drawn = any(cell.uncertainty for each in found for row in each.rows for cell in row.cells)
    return (
        f"Metrics over {days} (hours {start:g} to {end:g} of the run). Differences are from the first arm; pp are "
        f"percentage points.{people if 'subject' in table.dims else ''}{draws if drawn else ''}"
    )


def _failed(result: xr.Dataset) -> str:
    """How many runs were not solved and why; "" where all were."""
    failed = int((result["status"] != 0).sum())
    if not failed:
        return ""
    reasons = sorted({str(text) for text in result["reason"].values.flat if str(text)})
    more = f" and {len(reasons) - MAX_REASONS} further reasons" if len(reasons) > MAX_REASONS else ""
    why = f": {'; '.join(reasons[:MAX_REASONS])}{more}" if reasons else ""
    count = f"{failed} of {result['status'].size} runs could not be solved"
    return f"{count}{why}. They are excluded from figures and metrics."


def _command(result: xr.Dataset) -> str:
    """The command that repeats the run."""
    options = "".join(f" --set {shlex.quote(f'{address}={value}')}" for address, value in _changes(result).items())
    name = _text(result, "scenario_file") or _text(result, "scenario")
    return f"ldnsim run {shlex.quote(name)}{options}"


def _provenance(result: xr.Dataset) -> dict[str, str]:
    return {
        "ldnsim": _text(result, "package_version"),
        "model": f"{_text(result, 'model')}, hash {_text(result, 'model_hash')}",
        "seed": _text(result, "seed"),
        "changes": ", ".join(f"{address} = {value}" for address, value in _changes(result).items()) or "none",
    }


def _flat(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
