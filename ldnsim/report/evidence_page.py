"""The page of a validation: facts beside predictions, with figures; one file of HTML that opens without a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from ldnsim.calibration.discriminate import best_of_each
from ldnsim.calibration.validation.number_text import formatted_error, formatted_mean, formatted_number
from ldnsim.plots.evidence import folds, occupancies
from ldnsim.plots.style import MARKS
from ldnsim.report.page import document
from ldnsim.report.page_figures import embedded
from ldnsim.report.page_tables import MEANING, tag
from ldnsim.simulation.provenance import DISCLAIMER

if TYPE_CHECKING:
    from ldnsim.calibration.discriminate import Sight
    from ldnsim.calibration.validation import Row, Validation
    from ldnsim.library.facts import Claim

__all__ = ["evidence_page"]

MOST_SIGHTS = 12


def evidence_page(validation: Validation, sights: Sequence[Sight], claims: Iterable[Claim] = ()) -> str:
    """The whole page as HTML; the same input gives the same bytes."""
    title = escape(f"{validation.model.title}: predictions beside facts")
    sections = [
        ("overall", "Overall", _overall(validation)),
        ("figures", "Predicted against observed", _figures(validation)),
        ("facts", "Fact by fact", _facts(validation)),
        ("clashes", "Facts that disagree", _clashes(validation)),
        ("apart", "What would tell the accounts apart", _apart(sights)),
        ("lacking", "Not predicted", _lacking(validation)),
        ("claims", "What popular texts say", _claims(claims)),
    ]
    written = [(key, head, "\n".join(lines)) for key, head, lines in sections]
    links = " ".join(f'<a href="#{key}">{head}</a>' for key, head, inner in written if inner)
    body = [
        f'<p class="kicker">ldnsim <span aria-hidden="true">/</span> {escape(validation.model.name)}</p>',
        f"<h1>{title}</h1>",
        f'<p class="disclaimer">{escape(DISCLAIMER)}</p>',
        f'<nav aria-label="Contents">{links}</nav>',
        *(f'<section id="{key}">\n<h2>{head}</h2>\n{inner}\n</section>' for key, head, inner in written if inner),
    ]
    return document(title, body)


def _table(label: str, heads: Sequence[str], rows: Iterable[Sequence[str]], text: int) -> Iterator[str]:
    """A table; the first `text` columns are words. Cells are HTML."""
    kinds = [' class="text"'] * text + [""] * (len(heads) - text)
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}"><table class="evidence">'
    cells = "".join(f'<th scope="col"{kind}>{head}</th>' for kind, head in zip(kinds, heads, strict=True))
    yield f"<thead><tr>{cells}</tr></thead><tbody>"
    for row in rows:
        yield "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
    yield "</tbody></table></div>"


def _overall(validation: Validation) -> Iterator[str]:
    words = (
        "x is a geometric mean fold error, pp a root mean square error in points. Test facts are never fitted to; "
        "`read` leaves out those known from memory only. Scan hour: the error, had the scans whose hour is not "
        "published been made at the best or the worst hour; the fits assume the hour that the table names."
    )
    yield f'<p class="soft">{words}</p>'
    rows = []
    for each in validation.overall:
        pairs = ((each.fit, each.fit_count), (each.test, each.test_count))
        cells = [formatted_mean(*pair, each.unit) for pair in pairs]
        if each.test_count and abs(each.test - each.test_read) > 1e-9:
            cells[1] += f"<br><small>read x{each.test_read:.2f}</small>"
        hours = "" if each.within is None else f"{each.within[0]:.1f} to {each.within[1]:.1f} pp"
        rows.append([escape(each.account), escape(each.what), *cells, hours])
    heads = ("account", "of", "fit (n)", "test (n)", "scan hour")
    yield from _table("Overall", heads, rows, 2)


def _figures(validation: Validation) -> Iterator[str]:
    yield embedded(folds(validation), "folds")
    yield embedded(occupancies(validation), "occupancies")


def _facts(validation: Validation) -> Iterator[str]:
    yield '<ul class="plain">' + "".join(f"<li>{tag(name)} {words}</li>" for name, words in MEANING.items()) + "</ul>"
    rows = [row for row in validation.rows if not row.reason and row.fact.use != "context"]
    lines = []
    for _, same in groupby(rows, key=lambda row: (row.fact.id, row.quantity, row.conditions)):
        here = list(same)
        fact = here[0].fact
        details = [here[0].conditions, f"{fact.source}, {fact.status}", fact.note]
        small = "<br>".join(f"<small>{escape(text)}</small>" for text in details if text)
        observed = fact.value if fact.unit in ("text", "clock") else f"{fact.value} {fact.unit}"
        lines.append(
            [
                f"{fact.id}<br><small>{fact.use}</small>",
                f'<div class="wide">{escape(here[0].quantity)}<br>{small}</div>',
                "<br>".join(f"{MARKS.get(row.tag, '')} {escape(row.account)}" for row in here),
                (f'<div class="wide">{escape(observed)}</div>' if fact.unit == "text" else escape(observed))
                + (f"<br><small>{escape(fact.spread)}</small>" if fact.spread else ""),
                "<br>".join(formatted_number(row.predicted, row.unit) for row in here),
                "<br>".join(formatted_error(row) for row in here),
            ]
        )
    heads = ("fact", "what, and what the model was asked", "account", "observed", "predicted", "error")
    yield from _table("Facts and predictions", heads, lines, 3)
    names = ", ".join(f"<code>{name}</code>" for name in validation.rivals)
    words = f"Predictions under the rival sets ({names}) are in the table that <code>--csv</code> writes."
    yield f'<p class="soft">{words}</p>'


def _clashes(validation: Validation) -> Iterator[str]:
    for clash in validation.clashes:
        span = "" if math.isnan(clash.span) else f", {clash.span:.1f}-fold apart"
        yield f"<h3>{escape(clash.title)}{span}</h3>"
        yield f'<p class="soft">{escape(clash.note)}</p>' if clash.note else ""
        lines = []
        for each in clash.facts:
            row = each.row
            by = f"{each.rival}: {formatted_number(each.under_rival, row.unit)}" if each.rival else each.without
            by += " (set by this fact)" if each.set_by else ""
            observed = row.fact.value if row.unit == "clock" else f"{row.fact.value} {row.unit}"
            cells = [row.fact.id, row.fact.source, by, observed, formatted_number(row.predicted, row.unit)]
            lines.append([escape(cell) for cell in cells])
        heads = ("fact", "source", "met by the rival set", "observed", "predicted")
        yield from _table(clash.title, heads, lines, 3)


def _apart(sights: Sequence[Sight]) -> Iterator[str]:
    if not sights:
        return
    accounts = list(sights[0].values)
    lines = [
        [
            f"{escape(sight.output)}<br><small>{escape(sight.by)}</small>",
            escape(f"{sight.dose}, {sight.regimen}"),
            f"{sight.hour:g} h",
            *(f"{100 * sight.values[name]:.0f} ± {100 * sight.blur(name):.0f} %" for name in accounts),
            f"{sight.separation:.1f}",
        ]
        for sight in best_of_each(sights)[:MOST_SIGHTS]
    ]
    yield from _table("Observations", ("measured", "dose", "after it", *map(escape, accounts), "apart"), lines, 2)
    yield (
        '<p class="soft">± is a standard deviation: between people and from uncertain parameters together. The last '
        "column is the difference of the two accounts that are hardest to tell apart, over that and the error of one "
        "measurement in one person. Predictions, not data.</p>"
    )


def _lacking(validation: Validation) -> Iterator[str]:
    def reason(row: Row) -> str:
        return row.reason

    yield "<ul>"
    for words, rows in groupby(sorted((row for row in validation.rows if row.reason), key=reason), key=reason):
        told = dict.fromkeys(f"{row.fact.id} ({row.fact.use}): {row.fact.quantity}" for row in rows)
        yield f"<li>{escape(words)}<br><small>{escape('; '.join(told))}</small></li>"
    yield "</ul>"


def _claims(claims: Iterable[Claim]) -> Iterator[str]:
    lines = [[escape(claim.claim), escape(claim.data), escape(", ".join(claim.facts))] for claim in claims]
    if lines:
        wide = [[f'<div class="wide">{cell}</div>' for cell in line] for line in lines]
        yield from _table("Claims", ("said", "what the data say", "facts"), wide, 3)
