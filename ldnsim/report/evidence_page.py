"""The page of a validation: facts beside predictions, with figures; one file of HTML that opens without a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ldnsim.calibration.discriminate import best_of_each
from ldnsim.calibration.validation.number_text import formatted_error, formatted_mean, formatted_number
from ldnsim.plots.evidence import folds, occupancies
from ldnsim.plots.style import MARKS
from ldnsim.report.page_figures import page_figure
from ldnsim.report.rendering import rendered_page
from ldnsim.simulation.provenance import DISCLAIMER

if TYPE_CHECKING:
    from ldnsim.calibration.discriminate import Sight
    from ldnsim.calibration.validation import Validation, ValidationRow
    from ldnsim.calibration.validation.summary import Clash, Overall
    from ldnsim.library.facts import Claim

__all__ = ["evidence_page"]

MOST_SIGHTS = 12


def evidence_page(validation: Validation, sights: Sequence[Sight], claims: Iterable[Claim] = ()) -> str:
    """The whole page as HTML; the same input gives the same bytes."""
    shown = best_of_each(sights)[:MOST_SIGHTS] if sights else []
    return rendered_page(
        "validation",
        kicker=validation.model.name,
        title=f"{validation.model.title}: predictions beside facts",
        disclaimer=DISCLAIMER,
        overall=[_overall(each) for each in validation.overall],
        figures=[page_figure(folds(validation), "folds"), page_figure(occupancies(validation), "occupancies")],
        facts=list(_facts(validation)),
        rivals=validation.rivals,
        clashes=[_clash(clash) for clash in validation.clashes],
        accounts=list(sights[0].values) if sights else [],
        sights=[_sight(sight) for sight in shown],
        lacking=list(_lacking(validation)),
        claims=list(claims),
    )


def _overall(each: Overall) -> dict[str, str]:
    """The mean errors of one account in one group of facts."""
    read = f"read x{each.test_read:.2f}" if each.test_count and abs(each.test - each.test_read) > 1e-9 else ""
    return {
        "account": each.account,
        "what": each.what,
        "fit": formatted_mean(each.fit, each.fit_count, each.unit),
        "test": formatted_mean(each.test, each.test_count, each.unit),
        "read": read,
        "hours": "" if each.within is None else f"{each.within[0]:.1f} to {each.within[1]:.1f} pp",
    }


def _facts(validation: Validation) -> Iterator[dict[str, Any]]:
    """A line per fact and question to the model: what was observed, and what each account predicts."""
    rows = [row for row in validation.rows if not row.reason and row.fact.use != "context"]
    for _, same in groupby(rows, key=lambda row: (row.fact.id, row.quantity, row.conditions)):
        here = list(same)
        fact = here[0].fact
        yield {
            "id": fact.id,
            "use": fact.use,
            "quantity": here[0].quantity,
            "details": [here[0].conditions, f"{fact.source}, {fact.status}", fact.note],
            "accounts": [f"{MARKS.get(row.tag, '')} {row.account}" for row in here],
            "is_text": fact.unit == "text",
            "observed": fact.value if fact.unit in ("text", "clock") else f"{fact.value} {fact.unit}",
            "spread": fact.spread,
            "predicted": [formatted_number(row.predicted, row.unit) for row in here],
            "errors": [formatted_error(row) for row in here],
        }


def _clash(clash: Clash) -> dict[str, Any]:
    """Facts that disagree, and the published parameter set that meets each."""
    rows = []
    for each in clash.facts:
        row = each.row
        by = f"{each.rival}: {formatted_number(each.under_rival, row.unit)}" if each.rival else each.without
        by += " (set by this fact)" if each.set_by else ""
        observed = row.fact.value if row.unit == "clock" else f"{row.fact.value} {row.unit}"
        rows.append([row.fact.id, row.fact.source, by, observed, formatted_number(row.predicted, row.unit)])
    span = "" if math.isnan(clash.span) else f", {clash.span:.1f}-fold apart"
    return {"title": f"{clash.title}{span}", "label": clash.title, "note": clash.note, "rows": rows}


def _sight(sight: Sight) -> dict[str, Any]:
    """An observation that would tell accounts apart."""
    predicted = [f"{100 * value:.0f} ± {100 * sight.blur(name):.0f} %" for name, value in sight.values.items()]
    return {
        "output": sight.output,
        "by": sight.by,
        "dose": f"{sight.dose}, {sight.regimen}",
        "numbers": [f"{sight.hour:g} h", *predicted, f"{sight.separation:.1f}"],
    }


def _lacking(validation: Validation) -> Iterator[tuple[str, str]]:
    """Each reason for no prediction, with the facts that it concerns."""

    def reason(row: ValidationRow) -> str:
        return row.reason

    for words, rows in groupby(sorted((row for row in validation.rows if row.reason), key=reason), key=reason):
        told = dict.fromkeys(f"{row.fact.id} ({row.fact.use}): {row.fact.quantity}" for row in rows)
        yield words, "; ".join(told)
