"""The page of a run: one file of HTML that opens without a network, question and answer first.

Reads Datasets only, so a result opened from a file gives the same page as a fresh one.
"""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.comparison import Comparison, comparison
from ldnsim.plots import by_arm, last_day, time_course

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import plotly.graph_objects as go
    import xarray as xr

__all__ = ["page"]

DAY = 24.0
MANY_ARMS = 4  # from so many arms on, metrics are drawn against them
MOST_POINTS = 18_000  # of all time courses of a page together
MEANING = {
    "measured": "the data are human and direct",
    "fitted": "a structure fitted to human data",
    "hypothesis": "no human data fix it",
}


def page(result: xr.Dataset, table: xr.Dataset, answers: Iterable[str]) -> str:
    """The whole page as HTML.

    `table` is the result's `summarize`; `answers` are one text per account. The same input gives the same bytes.
    """
    attrs = result.attrs
    body = [
        f"<h1>{escape(str(attrs['question']))}</h1>",
        *(f'<div class="answer"><b>{escape(head)}</b>{escape(text)}</div>' for head, text in _split(answers)),
        _section("What is compared", _arms(result)),
        _section("Over time", _courses(result, table)),
        _section("In numbers", _tables(result, table)),
        _section("What it rests on", _evidence(result)),
        _section("What it cannot say", _limits(result)),
        _section("How to get it again", _again(result)),
        f"<footer>{escape(str(attrs['disclaimer']))}</footer>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(str(attrs['question']))}</title>\n<style>{_style()}</style>\n"
        f"<script>{_plotly()}</script>\n</head>\n<body>\n<main>\n" + "\n".join(body) + "\n</main>\n</body>\n</html>\n"
    )


def _style() -> str:
    return files("ldnsim").joinpath("page.css").read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _section(title: str, parts: Iterable[str]) -> str:
    inner = "\n".join(parts)
    return f"<section>\n<h2>{escape(title)}</h2>\n{inner}\n</section>" if inner else ""


def _soft(text: str) -> str:
    return f'<p class="soft">{escape(text)}</p>'


def _below(text: str) -> str:
    """A small second line under a name; nothing for no text."""
    return f"<br><small>{escape(text)}</small>" if text else ""


def _split(answers: Iterable[str]) -> Iterator[tuple[str, str]]:
    for answer in answers:
        head, _, text = answer.partition(": ")
        yield (head, text) if text else ("", head)


def _titles(result: xr.Dataset, what: str) -> dict[str, str]:
    found = json.loads(result.attrs.get(f"{what}_titles", "{}"))
    return {str(name): str(found.get(str(name), name)) for name in result[what].values}


def _figure(figure: go.Figure, name: str, caption: str = "") -> str:
    """One figure in the page; plotly itself stands in the head once."""
    html = figure.to_html(
        full_html=False, include_plotlyjs=False, div_id=name, config={"displaylogo": False, "responsive": True}
    )
    note = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure aria-label="{escape(str(figure.layout.title.text or name))}">{html}{note}</figure>'


def _arms(result: xr.Dataset) -> Iterator[str]:
    """Each arm's doses in words, and the accounts."""
    yield "<ul>"
    for name, title in _titles(result, "arm").items():
        times, amounts, inputs = (result[f"dose_{what}"].sel(arm=name) for what in ("time", "amount", "input"))
        if "subject" in times.dims:
            times, amounts, inputs = (data.isel(subject=0) for data in (times, amounts, inputs))
        taken = [
            (float(amount), str(way), _clock(float(time)), int(float(time) // DAY) + 1)
            for time, amount, way in zip(times.values, amounts.values, inputs.values, strict=True)
            if np.isfinite(time)
        ]
        label = f"<b>{escape(title)}</b>" + (f" (<code>{escape(name)}</code>)" if title != name else "")
        words = "; ".join(_doses(taken, str(result.dose_amount.attrs["units"]))) or "no dose"
        yield f"<li>{label}: {escape(words)}</li>"
    yield "</ul>\n<ul>"
    for name, title in _titles(result, "account").items():
        yield f"<li><code>{escape(name)}</code>: {escape(title)}</li>"
    yield "</ul>"
    if "subject" in result.dims:
        people = f"{result.sizes['subject']} virtual people, seed {int(result.attrs['seed'])}"
        yield _soft(f"{people}; doses shown are those of the first.")


def _doses(taken: list[tuple[float, str, str, int]], unit: str) -> Iterator[str]:
    """`4.5 mg oral at 22:00, day 1 to 28 (28 doses)` for each kind of dose."""
    for (amount, way, clock), doses in groupby(sorted(taken, key=lambda dose: dose[:3]), key=lambda dose: dose[:3]):
        days = [day for *_, day in doses]
        when = f"day {days[0]}" if len(days) == 1 else f"day {days[0]} to {days[-1]} ({len(days)} doses)"
        yield f"{amount:g} {unit} {way} at {clock}, {when}"


def _clock(time: float) -> str:
    minutes = round(time * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _outputs(result: xr.Dataset) -> list[str]:
    return [
        str(name)
        for name, data in result.data_vars.items()
        if "kind" in data.attrs and not str(name).endswith("_drug_free")
    ]


def _courses(result: xr.Dataset, table: xr.Dataset) -> Iterator[str]:
    outputs = _outputs(result)
    order = ["drug_free", "endogenous", "blockade"]  # what questions are about comes first
    outputs.sort(
        key=lambda name: next(
            (
                rank
                for rank, key in enumerate(order)
                if key in (result[name].attrs.get("relative_to"), result[name].attrs["kind"])
            ),
            len(order),
        )
    )
    whole_days = result.time.values[-1] >= DAY
    for name in outputs:
        yield f"<h3>{escape(str(result[name].attrs['long_name']))}</h3>"
        rebound = f"{name}_rebound_peak"
        if result.sizes["arm"] >= MANY_ARMS and rebound in table:
            yield _figure(by_arm(table, rebound), f"by-arm-{name}")
        if whole_days:
            yield _figure(last_day(result, name), f"last-day-{name}")
        yield _figure(
            time_course(result, name, points=MOST_POINTS // len(outputs)),
            f"course-{name}",
            str(result[name].attrs.get("observed", "")),
        )


def _tables(result: xr.Dataset, table: xr.Dataset) -> Iterator[str]:
    start, end = table.attrs.get("window", result.attrs["window"])
    yield f'<p class="soft">Over hours {start:g} to {end:g} of the run. Differences are to the first arm.'
    yield " Numbers are medians over people, with their 5 to 95 % range.</p>" if "subject" in result.dims else "</p>"
    arms = _titles(result, "arm")
    for compared in comparison(table):
        yield from _table(compared, arms)


def _table(compared: Comparison, arms: dict[str, str]) -> Iterator[str]:
    heads = "".join(
        f'<th scope="col" title="{escape(column.meaning)}">{escape(column.label)}{_below(column.unit)}</th>'
        for column in compared.columns
    )
    yield f'<div class="scroll"><table><caption>{escape(compared.title)}</caption>'
    names = "".join(f'<th class="text" scope="col">{name}</th>' for name in ("account", "arm"))
    yield f"<thead><tr>{names}{heads}</tr></thead>"
    for account, rows in groupby(compared.rows, key=lambda row: row.account):
        held = list(rows)
        lines = []
        for row in held:
            cells = "".join(
                f"<td>{escape(cell.text)}{''.join(f'<sup>{note + 1}</sup>' for note in cell.notes)}"
                f"{_below(cell.spread)}</td>"
                for cell in row.cells
            )
            lines.append(f'<td class="text">{escape(arms.get(row.arm, row.arm))}</td>{cells}')
            if len(arms) < MANY_ARMS and any(cell.difference for cell in row.cells):
                changes = "".join(f"<td>{escape(cell.difference)}</td>" for cell in row.cells)
                lines.append(f'<td class="text">difference</td>{changes}')
        name = escape(account) + _below(held[0].evidence)
        head = f'<th class="text" scope="rowgroup" rowspan="{len(lines)}">{name}</th>'
        yield '<tbody class="account">'
        for index, line in enumerate(lines):
            kind = ' class="difference"' if line.startswith('<td class="text">difference<') else ""
            yield f"<tr{kind}>{head if index == 0 else ''}{line}</tr>"
        yield "</tbody>"
    yield "</table></div>"
    if compared.footnotes:
        yield (
            '<p class="soft">'
            + "<br>".join(f"<sup>{n}</sup> {escape(note)}" for n, note in enumerate(compared.footnotes, 1))
            + "</p>"
        )


def _evidence(result: xr.Dataset) -> Iterator[str]:
    """The tag of every output in every account, and what the tags mean."""
    accounts = list(_titles(result, "account"))
    yield "<ul>" + "".join(f"<li><b>{tag}</b>: {meaning}</li>" for tag, meaning in MEANING.items()) + "</ul>"
    heads = "".join(f'<th class="text" scope="col">{escape(account)}</th>' for account in accounts)
    yield f'<div class="scroll"><table><thead><tr><th class="text" scope="col">output</th>{heads}</tr></thead><tbody>'
    for name in _outputs(result):
        attrs = result[name].attrs
        found = [str(attrs.get(f"evidence_{account}", attrs["evidence"])) for account in accounts]
        tags = "".join(f'<td class="text"><span class="tag">{escape(tag)}</span></td>' for tag in found)
        title = f"{escape(str(attrs['long_name']))} <small>{escape(name)}</small>"
        yield f'<tr><th class="text" scope="row">{title}</th>{tags}</tr>'
    yield "</tbody></table></div>"
    yield _soft(f"Every equation, parameter and source: ldnsim describe {result.attrs['model']}")


def _limits(result: xr.Dataset) -> Iterator[str]:
    found = result.attrs.get("extrapolated", [])
    sentences = [found] if isinstance(found, str) else list(found)
    if result.attrs.get("cannot_say"):
        yield f"<p>{escape(str(result.attrs['cannot_say']))}</p>"
    for sentence in sentences:
        yield f"<p>{escape(str(sentence))}</p>"
    failed = int((result.status != 0).sum())
    if failed:
        reasons = sorted({str(text) for text in result.reason.values.flat if str(text)})
        yield f"<p>{failed} of {result.status.size} runs could not be solved: {escape('; '.join(reasons[:5]))}.</p>"


def _again(result: xr.Dataset) -> Iterator[str]:
    attrs = result.attrs
    changes = json.loads(attrs.get("changes", "{}"))
    options = "".join(f" --set {address}='{_flat(value)}'" for address, value in changes.items())
    yield f"<pre>ldnsim run {escape(str(attrs['scenario']))}{escape(options)}</pre>"
    model = f"model {attrs['model']} ({str(attrs['model_hash'])[:12]})"
    yield _soft(f"ldnsim {attrs['package_version']}, {model}, seed {int(attrs['seed'])}.")
    if attrs.get("scenario_text"):
        yield f"<details><summary>The scenario</summary><pre>{escape(str(attrs['scenario_text']))}</pre></details>"


def _flat(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
