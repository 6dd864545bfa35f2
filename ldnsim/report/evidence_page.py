"""The page of a validation: facts and predictions, with figures; one HTML file that opens without a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ldnsim.calibration.discriminate import best_hours
from ldnsim.calibration.validation.number_text import formatted_error, formatted_mean, formatted_number
from ldnsim.plots.evidence import folds, occupancies
from ldnsim.plots.style import MARKS
from ldnsim.report.page_figures import page_figure
from ldnsim.report.rendering import rendered_page
from ldnsim.simulation.provenance import DISCLAIMER

if TYPE_CHECKING:
    from ldnsim.calibration.discriminate import CandidateObservation
    from ldnsim.calibration.validation import Validation, ValidationRow
    from ldnsim.calibration.validation.summary import FactConflict, Overall
    from ldnsim.library.facts import Claim

__all__ = ["evidence_page"]

MAX_OBSERVATIONS = 12


def evidence_page(
    validation: Validation, observations: Sequence[CandidateObservation], claims: Iterable[Claim] = ()
) -> str:
    """Write the page as HTML.

    Parameters
    ----------
    validation : Validation
        As returned by `evaluate`.
    observations : sequence of CandidateObservation
        Observations that discriminate between accounts, by descending separation; empty for one account.
    claims : iterable of Claim
        Claims of popular texts, with the facts that answer them.

    Returns
    -------
    str
        HTML; the same input gives the same bytes.
    """
    shown = best_hours(observations)[:MAX_OBSERVATIONS] if observations else []
    return rendered_page(
        "validation",
        kicker=validation.model.name,
        title=f"{validation.model.title}: predictions and facts",
        disclaimer=DISCLAIMER,
        overall=[_overall(each) for each in validation.overall],
        figures=[page_figure(folds(validation), "folds"), page_figure(occupancies(validation), "occupancies")],
        facts=list(_facts(validation)),
        parameter_sets=validation.parameter_sets,
        conflicts=[_conflict(conflict) for conflict in validation.conflicts],
        accounts=list(observations[0].values) if observations else [],
        observations=[_observation(observation) for observation in shown],
        not_predictable=list(_not_predictable(validation)),
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
    """A row per predicted number of a fact: what was observed, and what each account predicts."""
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


def _conflict(conflict: FactConflict) -> dict[str, Any]:
    """Facts that contradict each other, and the published parameter set that meets each."""
    rows = []
    for each in conflict.facts:
        row = each.row
        by = (
            f"{each.parameter_set}: {formatted_number(each.under_set, row.unit)}" if each.parameter_set else each.reason
        )
        by += " (set by this fact)" if each.set_by else ""
        observed = row.fact.value if row.unit == "clock" else f"{row.fact.value} {row.unit}"
        rows.append([row.fact.id, row.fact.source, by, observed, formatted_number(row.predicted, row.unit)])
    span = "" if math.isnan(conflict.span) else f", {conflict.span:.1f}-fold apart"
    return {"title": f"{conflict.title}{span}", "label": conflict.title, "note": conflict.note, "rows": rows}


def _observation(observation: CandidateObservation) -> dict[str, Any]:
    """An observation that discriminates between accounts."""
    predicted = [
        f"{100 * value:.0f} ± {100 * observation.total_sd(name):.0f} %" for name, value in observation.values.items()
    ]
    return {
        "output": observation.output,
        "by": observation.by,
        "dose": f"{observation.dose}, {observation.regimen}",
        "numbers": [f"{observation.hour:g} h", *predicted, f"{observation.separation:.1f}"],
    }


def _not_predictable(validation: Validation) -> Iterator[tuple[str, str]]:
    """Each reason for no prediction, with the facts that it concerns."""

    def reason(row: ValidationRow) -> str:
        return row.reason

    for words, rows in groupby(sorted((row for row in validation.rows if row.reason), key=reason), key=reason):
        facts = dict.fromkeys(f"{row.fact.id} ({row.fact.use}): {row.fact.quantity}" for row in rows)
        yield words, "; ".join(facts)
