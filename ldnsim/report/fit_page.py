"""The page of a fit: what was estimated, how well the data fix it, predicted against observed."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from ldnsim.library.files import library
from ldnsim.plots import predicted_observed, residuals
from ldnsim.report.page import document
from ldnsim.report.page_figures import embedded
from ldnsim.simulation.provenance import DISCLAIMER

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.calibration.fitting import FitResult

__all__ = ["fit_page"]


def fit_page(result: FitResult, data: pd.DataFrame, estimates: pd.DataFrame) -> str:
    """The page as HTML; `data` and `estimates` are the tables as they are printed."""
    record = result.fit
    drawn = [(predicted_observed, "predicted-observed")]
    if result.predictions["residual"].notna().any():
        drawn.append((residuals, "residuals"))
    figures = "".join(embedded(make(result.predictions), key) for make, key in drawn)
    sections = [
        ("Estimates", "".join(_table(estimates, "Estimates with 95 % intervals by likelihood profile"))),
        ("What the data fix, and what they do not", _listed(result.statements)),
        ("Data and model", figures + "".join(_table(data, "Each datum; those marked test were not fitted"))),
        ("How to get it again", "".join(_again(result))),
    ]
    body = [
        f'<p class="kicker">ldnsim <span aria-hidden="true">/</span> fit {escape(record.name)}</p>',
        f"<h1>{escape(record.question)}</h1>",
        f'<p class="disclaimer">{escape(DISCLAIMER)}</p>',
        f"<p>{escape(record.cannot_say)}</p>" if record.cannot_say else "",
        *(f"<section>\n<h2>{title}</h2>\n{inner}\n</section>" for title, inner in sections),
    ]
    return document(escape(record.question), body)


def _listed(statements: tuple[str, ...]) -> str:
    if not statements:
        return "<p>Every parameter is fixed within its bounds, and none is tied to another.</p>"
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in statements) + "</ul>"


def _table(rows: pd.DataFrame, caption: str) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in rows.columns)
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
    yield f"<caption>{escape(caption)}</caption>"
    yield f'<thead><tr><th class="text" scope="col"></th>{heads}</tr></thead><tbody>'
    for name, cells in rows.iterrows():
        yield f'<tr><th class="text" scope="row">{escape(str(name))}</th>'
        yield "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"
    yield "</tbody></table></div>"


def _again(result: FitResult) -> Iterator[str]:
    name = result.fit.name
    command = f"ldnsim fit {name if name in library('fits') else name + '.yaml'}"
    yield f"<pre><code>{escape(command)}</code></pre>"
    told = {key: value for key, value in result.provenance.items() if key != "fit_text"}
    yield '<dl class="facts">'
    yield "".join(f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>" for key, value in told.items()) + "</dl>"
    if result.fit.text:
        text = escape(result.fit.text)
        yield f"<details><summary>The fit as written</summary><pre><code>{text}</code></pre></details>"
