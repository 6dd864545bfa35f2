"""The tables of a page: metrics by account and arm, and what each output rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from ldnsim.plots.style import MARKS
from ldnsim.report.comparison import Cell, Comparison, Row
from ldnsim.report.page_figures import MANY_ARMS, outputs_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MEANING", "evidence_table", "metrics_table", "tag"]

MEANING = {
    "measured": "the data are human and direct",
    "fitted": "a structure fitted to human data",
    "hypothesis": "no human data fix it",
}


def tag(name: str) -> str:
    """An evidence tag as a small label."""
    mark = f'<span aria-hidden="true">{MARKS[name]}</span> ' if name in MARKS else ""
    kind = name if name in MARKS else "unknown"
    return f'<span class="tag {kind}">{mark}{escape(name)}</span>'


def _small(text: str) -> str:
    """A small second line; nothing for no text."""
    return f"<br><small>{escape(text)}</small>" if text else ""


def metrics_table(compared: Comparison, titles: Mapping[str, str], told: set[str]) -> Iterator[str]:
    """One output: rows are accounts and arms (by their `titles`), columns its headline metrics.

    Metrics that are not in `told` yet are explained below, and added to it.
    """
    heads = "".join(f'<th scope="col">{escape(c.label)}{_small(c.unit)}</th>' for c in compared.columns)
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="Numbers: {escape(compared.title)}">'
    yield f"<table><caption>{escape(compared.title)}</caption>"
    yield f"<thead><tr>{_heads(['account', 'arm'])}{heads}</tr></thead>"
    for account, rows in groupby(compared.rows, key=lambda row: row.account):
        held = list(rows)
        lines = list(_lines(held, titles))
        named = f"{escape(account)}<br>{tag(held[0].evidence)}"
        first = f'<th class="text" scope="rowgroup" rowspan="{len(lines)}">{named}</th>'
        yield "<tbody>" + "".join(
            f"<tr{kind}>{'' if index else first}{cells}</tr>" for index, (kind, cells) in enumerate(lines)
        )
        yield "</tbody>"
    yield "</table></div>"
    new = [column for column in compared.columns if column.metric not in told]
    told |= {column.metric for column in new}
    below = ["; ".join(f"<b>{escape(column.label)}</b>: {escape(column.meaning)}" for column in new)] if new else []
    below += [f"<sup>{n}</sup> {escape(note)}" for n, note in enumerate(compared.footnotes, 1)]
    yield f'<p class="soft key">{"<br>".join(below)}</p>' if below else ""


def _heads(names: list[str]) -> str:
    return "".join(f'<th class="text" scope="col">{escape(name)}</th>' for name in names)


def _lines(rows: list[Row], titles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(attributes of the line, its cells without the account), a line per arm; for few arms, one per difference too."""
    for row in rows:
        title = escape(titles.get(row.arm, row.arm))
        yield "", f'<th class="text" scope="row">{title}</th>' + "".join(map(_cell, row.cells))
        if len(rows) < MANY_ARMS and any(cell.difference for cell in row.cells):
            hidden = f'<span class="hidden"> of {title}</span>'
            name = f'<th class="text" scope="row">difference{hidden}</th>'
            yield ' class="difference"', name + "".join(f"<td>{escape(cell.difference)}</td>" for cell in row.cells)


def _cell(cell: Cell) -> str:
    notes = "".join(f"<sup>{note + 1}</sup>" for note in cell.notes)
    doubt = f"[{cell.doubt}]" if cell.doubt else ""
    return f"<td>{escape(cell.text)}{notes}{_small(cell.spread)}{_small(doubt)}</td>"


def evidence_table(result: xr.Dataset) -> Iterator[str]:
    """The tag of every output in every account, and the reach of human data."""
    accounts = [str(name) for name in result["account"].values]
    heads = _heads(["output", *accounts, "what human data cover"])
    yield '<div class="scroll" tabindex="0" role="region" aria-label="Evidence"><table class="evidence">'
    yield f"<thead><tr>{heads}</tr></thead><tbody>"
    for name in outputs_of(result):
        attrs = result[name].attrs
        tags = [str(attrs.get(f"evidence_{account}", attrs.get("evidence", "unknown"))) for account in accounts]
        cells = "".join(f'<td class="text">{tag(found)}</td>' for found in tags)
        title = f"{escape(str(attrs.get('long_name', name)))}{_small(name)}"
        covers = escape(str(attrs.get("observed") or "not stated"))
        yield f'<tr><th class="text" scope="row">{title}</th>{cells}<td class="text wide">{covers}</td></tr>'
    yield "</tbody></table></div>"
