"""The page of a run: one file of HTML that opens without a network, question and answer first.

Reads Datasets only, so a result opened from a file gives the same page as a fresh one.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.foundation.clock import clock_text
from ldnsim.plots.arm_styles import look_of
from ldnsim.plots.curves import title_of
from ldnsim.report.comparison import Comparison, comparison
from ldnsim.report.dose_text import Taken, dose_words, missed_words
from ldnsim.report.page_figures import calendar_figure, course_figures, dose_figures, ordered
from ldnsim.report.page_tables import MEANING, evidence_table, metrics_table, tag
from ldnsim.simulation.result import stated

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["document", "page"]

DAY = 24.0
MOST_REASONS = 5

# No request leaves the page, whatever a text in it may hold: the browser itself is told so.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"


def page(result: xr.Dataset, table: xr.Dataset, answers: Iterable[str]) -> str:
    """The whole page as HTML.

    `table` is the result's `summarize`; `answers` are one text per account. The same input gives the same bytes.
    """
    compared, result, table = comparison(table), stated(result), stated(table)
    question = escape(_text(result, "question") or _text(result, "title") or _text(result, "scenario"))
    sections = [
        ("arms", "What is compared", _compared(result)),
        ("figures", "Over time", [*dose_figures(result, table), *course_figures(result)]),
        ("numbers", "In numbers", _numbers(result, table, compared)),
        ("evidence", "What it rests on", _evidence(result)),
        ("limits", "What it cannot say", _limits(result)),
        ("again", "How to get it again", _again(result)),
    ]
    written = [(key, title, "\n".join(parts)) for key, title, parts in sections]
    links = " ".join(f'<a href="#{key}">{title}</a>' for key, title, inner in written if inner)
    body = [
        f'<p class="kicker">ldnsim <span aria-hidden="true">/</span> {escape(_text(result, "scenario"))}</p>',
        f"<h1>{question}</h1>",
        '<section id="answer" aria-label="Answer">',
        *_answers(result, answers),
        "</section>",
        f'<p class="disclaimer">{escape(_text(result, "disclaimer"))}</p>',
        f'<nav aria-label="Contents">{links}</nav>',
        '<noscript><p class="disclaimer">The figures need JavaScript; tables and texts do not.</p></noscript>',
        *(f'<section id="{key}">\n<h2>{title}</h2>\n{inner}\n</section>' for key, title, inner in written if inner),
    ]
    return document(question, body)


def document(title: str, body: Iterable[str]) -> str:
    """A whole page: `title` and the lines of `body` are HTML already."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_own('page.css')}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + f"\n</main>\n<script>{_plotly()}</script>\n<script>\n{_own('page.js')}</script>\n</body>\n</html>\n"
    )


def _own(name: str) -> str:
    return files("ldnsim.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _text(result: xr.Dataset, name: str) -> str:
    """An attribute as text, "" where it is absent."""
    return str(result.attrs.get(name, ""))


def _sentences(result: xr.Dataset, name: str) -> list[str]:
    """An attribute that is a list of texts; netCDF hands a list of one back as a text, and none as an empty array."""
    found = result.attrs.get(name, [])
    return (
        [found] * bool(found) if isinstance(found, str) else [str(text) for text in np.ravel(np.asarray(found, object))]
    )


def _changes(result: xr.Dataset) -> dict[str, Any]:
    found = json.loads(_text(result, "changes") or "{}")
    return found if isinstance(found, dict) else {}


def _answers(result: xr.Dataset, answers: Iterable[str]) -> Iterator[str]:
    """A card per answer; one that starts with an account's name is headed by its name and title."""
    accounts = [str(name) for name in result["account"].values]
    for answer in answers:
        head, _, text = answer.partition(": ")
        if head not in accounts or not text:
            yield f'<div class="answer"><p>{escape(answer)}</p></div>'
            continue
        title = title_of(result, "account", head)
        named = f"<b>{escape(head)}</b>" + (f" <span>{escape(title)}</span>" if title else "")
        yield f'<div class="answer"><h2>{named}</h2><p>{escape(text)}</p></div>'


def _compared(result: xr.Dataset) -> Iterator[str]:
    """Each arm's doses in words, with its colour; who takes them; what was changed."""
    look, phrases = look_of(result), 0
    yield '<dl class="arms">'
    for name in (str(arm) for arm in result["arm"].values):
        title = title_of(result, "arm", name)
        named = escape(title) + f" <code>{escape(name)}</code>" if title else escape(name)
        swatch = f'<span class="swatch" style="background: {look.colours[name]}" aria-hidden="true"></span>'
        doses = _doses(result, name)
        phrases += len(doses)
        yield f"<dt>{swatch}{named}</dt>" + "".join(f"<dd>{escape(words)}</dd>" for words in doses)
    yield "</dl>"
    days = (float(result["time"].values[-1]) - float(result["time"].values[0])) / DAY
    accounts = ", ".join(str(name) for name in result["account"].values)
    people = "one typical person"
    if "subject" in result.dims:
        people = (
            f"{result.sizes['subject']} virtual people (seed {_text(result, 'seed')}; the doses are those of the first)"
        )
    words = f"{days:.3g} days, {people}, and a drug-free twin of each. Accounts: {accounts}."
    yield f'<p class="soft">{escape(words)}</p>'
    yield from calendar_figure(result, phrases)
    if changes := _changes(result):
        listed = ", ".join(
            f"<code>{escape(address)} = {escape(_flat(value))}</code>" for address, value in changes.items()
        )
        yield f'<p class="soft">Changed from the scenario as written: {listed}.</p>'


def _doses(result: xr.Dataset, arm: str) -> list[str]:
    """The doses of an arm (of its first person) in words, and those missed."""

    def column(name: str) -> Any:
        data = result[name].sel(arm=arm)
        return (data.isel(subject=0) if "subject" in data.dims else data).values

    times, amounts, ways = (column(f"dose_{what}") for what in ("time", "amount", "input"))
    lengths = column("dose_infuse") if "dose_infuse" in result else np.zeros(times.shape)
    taken = [
        Taken(float(time), float(amount), f"{way} over {length:.4g} h" if length > 0 else str(way))
        for time, amount, way, length in zip(times, amounts, ways, lengths, strict=True)
        if np.isfinite(time)
    ]
    unit = str(result["dose_amount"].attrs.get("units", "mg"))
    missed = [float(time) for time in column("missed_time") if np.isfinite(time)] if "missed_time" in result else []
    return [*dose_words(taken, unit), *missed_words(missed)]


def _numbers(result: xr.Dataset, table: xr.Dataset, found: list[Comparison]) -> Iterator[str]:
    start, end = (float(edge) for edge in np.ravel(table.attrs["window"]))
    first, last = int(start // DAY) + 1, max(int(-(-end // DAY)), 1)
    until = "24:00" if end % DAY == 0 and end > 0 else clock_text(end)
    days = f"day {first}, {clock_text(start)} to {'' if first == last else f'day {last}, '}{until}"
    people = " Medians over people, their 5 to 95 % range below; a difference is taken within each person first."
    doubt = " A range in brackets is that of the number over the draws of what is uncertain, 5 to 95 %."
    doubted = any(cell.doubt for each in found for row in each.rows for cell in row.cells)
    yield f'<p class="soft">Over {days} (hours {start:g} to {end:g} of the run). Differences are to the first arm;'
    yield f" pp are percentage points.{people if 'subject' in table.dims else ''}{doubt if doubted else ''}</p>"
    titles = {str(arm): title_of(table, "arm", str(arm)) or str(arm) for arm in table["arm"].values}
    order, told = ordered(result), set[str]()
    for compared in sorted(found, key=lambda each: order.index(each.output)):
        yield from metrics_table(compared, titles, told)


def _evidence(result: xr.Dataset) -> Iterator[str]:
    """The tag of every output in every account, what the tags mean, where the sources are."""
    yield (
        '<ul class="plain">' + "".join(f"<li>{tag(name)} {meaning}</li>" for name, meaning in MEANING.items()) + "</ul>"
    )
    yield '<p class="soft">An output carries the weakest tag of all that it depends on.</p>'
    yield from evidence_table(result)
    command = escape(f"ldnsim describe {_text(result, 'model')}")
    yield f"<p>Every equation, and every parameter with its published source: <code>{command}</code>.</p>"


def _limits(result: xr.Dataset) -> Iterator[str]:
    if cannot := _text(result, "cannot_say"):
        yield f"<p>{escape(cannot)}</p>"
    if notes := _sentences(result, "notes"):
        yield (
            "<h3>To know before believing a number</h3>\n<ul>"
            + "".join(f"<li>{escape(n)}</li>" for n in notes)
            + "</ul>"
        )
    if extrapolated := _sentences(result, "extrapolated"):
        yield "<h3>Extrapolated</h3>\n<ul>" + "".join(f"<li>{escape(text)}</li>" for text in extrapolated) + "</ul>"
    failed = int((result["status"] != 0).sum())
    if failed:
        reasons = sorted({str(text) for text in result["reason"].values.flat if str(text)})
        more = f" and {len(reasons) - MOST_REASONS} further reasons" if len(reasons) > MOST_REASONS else ""
        yield "<h3>Not solved</h3>"
        why = f": {escape('; '.join(reasons[:MOST_REASONS]))}{more}" if reasons else ""
        count = f"{failed} of {result['status'].size} runs could not be solved"
        yield f"<p>{count}{why}. They are in no figure and no number.</p>"


def _again(result: xr.Dataset) -> Iterator[str]:
    options = "".join(
        f" --set {shlex.quote(f'{address}={_flat(value)}')}" for address, value in _changes(result).items()
    )
    name = _text(result, "scenario_file") or _text(result, "scenario")
    yield f"<pre><code>{escape('ldnsim run ' + shlex.quote(name) + options)}</code></pre>"
    facts = {
        "ldnsim": _text(result, "package_version"),
        "model": f"{_text(result, 'model')}, hash {_text(result, 'model_hash')}",
        "seed": _text(result, "seed"),
        "changes": ", ".join(f"{address} = {_flat(value)}" for address, value in _changes(result).items()) or "none",
    }
    yield (
        '<dl class="facts">'
        + "".join(f"<dt>{name}</dt><dd>{escape(fact)}</dd>" for name, fact in facts.items())
        + "</dl>"
    )
    if text := _text(result, "scenario_text"):
        yield f"<details><summary>The scenario as written</summary><pre><code>{escape(text)}</code></pre></details>"


def _flat(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
