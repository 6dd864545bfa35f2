"""The validation tables as printed: facts and predictions, overall errors, and facts that contradict each other."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from rich.markup import escape

from ldnsim.calibration.discriminate import best_hours
from ldnsim.calibration.validation.number_text import formatted_error, formatted_mean, formatted_number
from ldnsim.plots.style import MARKS
from ldnsim.report.terminal import console
from ldnsim.simulation.provenance import DISCLAIMER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.table import Table

    from ldnsim.calibration.discriminate import CandidateObservation
    from ldnsim.calibration.validation import FactConflict, Overall, Validation, ValidationRow

__all__ = ["print_observations", "print_validation"]

MAX_OBSERVATIONS = 12


def print_validation(validation: Validation, written: Iterable[Path] = ()) -> None:
    """Print facts and predictions, overall errors, contradictions, and the facts that the model cannot predict.

    Parameters
    ----------
    validation : Validation
        As returned by `evaluate`.
    written : iterable of Path
        Files that were written, listed at the end.
    """
    out = console()
    out.print(f"{validation.model.title}: predictions and facts", style="bold", markup=False)
    out.print()
    out.print(_facts([row for row in validation.rows if not row.reason and row.fact.use != "context"]))
    out.print("Errors: x for fold, pp for points, h for hours; 0 or x1 within a published range.", style="dim")
    marks = ", ".join(f"{mark} {tag}" for tag, mark in MARKS.items())
    out.print(f"Tags: {marks}; account `all`: the same in every account.", style="dim")
    out.print()
    out.print(_overall(validation.overall))
    out.print(
        "x is a geometric mean fold error, pp a root mean square error in percentage points. Test facts are never "
        "fitted; `read` excludes those known from memory only. Scan hours: the range of the error if scans whose hour "
        "is not published were made at the best or the worst hour; the fits assume the hour given in the table.",
        style="dim",
    )
    for conflict in validation.conflicts:
        out.print()
        out.print(_conflict(conflict))
        if conflict.note:
            out.print(f"  {conflict.note}", style="dim", markup=False)
    out.print()
    out.print("Not predicted", style="bold")
    not_predictable = sorted((row for row in validation.rows if row.reason), key=lambda row: row.reason)
    for reason, rows in groupby(not_predictable, key=lambda row: row.reason):
        ids = dict.fromkeys(f"{row.fact.id} ({row.fact.use})" for row in rows)
        out.print(f"- {', '.join(ids)}: {reason}", markup=False)
    out.print()
    if len(validation.model.accounts) > 1:
        out.print("Which observation would discriminate between the accounts: ldnsim discriminate", style="dim")
    out.print(DISCLAIMER, style="dim", markup=False)
    for path in written:
        out.print(f"-> {path}", markup=False, soft_wrap=True)


def print_observations(observations: Sequence[CandidateObservation], written: Iterable[Path] = ()) -> None:
    """Print the observations that discriminate best between accounts, one line per output, dose and regimen.

    Parameters
    ----------
    observations : sequence of CandidateObservation
        By descending separation.
    written : iterable of Path
        Files that were written, listed at the end.
    """
    from rich import box
    from rich.table import Table

    out = console()
    accounts = list(observations[0].values)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", title_style="bold")
    table.title = "Observations that discriminate best between the accounts"
    for head in ("observation", "dose", "hour"):
        table.add_column(head)
    for head in (*accounts, "SDs"):
        table.add_column(head, justify="right")
    for observation in best_hours(observations)[:MAX_OBSERVATIONS]:
        cells = [
            f"{100 * observation.values[account]:.0f} ± {100 * observation.total_sd(account):.0f}"
            for account in accounts
        ]
        dose = f"{observation.dose}, {observation.regimen}"
        table.add_row(observation.output, dose, f"{observation.hour:g}", *cells, f"{observation.separation:.1f}")
    out.print(table)
    shown = dict.fromkeys(
        (observation.output, observation.by, observation.share_of, observation.error) for observation in observations
    )
    for output, by, share_of, error in shown:
        out.print(f"{output}: {by}, % of {share_of}, one measurement ± {100 * error:g}.", style="dim", markup=False)
    out.print(
        "± is a standard deviation: variability between people and parameter uncertainty combined. SDs: the difference "
        "of the two accounts that are hardest to tell apart, in standard deviations, the error of one measurement in "
        "one person included. Hours are from the last dose. Predictions, not data.",
        style="dim",
    )
    out.print(DISCLAIMER, style="dim", markup=False)
    for path in written:
        out.print(f"-> {path}", markup=False, soft_wrap=True)


def _facts(rows: Sequence[ValidationRow]) -> Table:
    """A row per fact, its accounts below each other; the metric and its window under what was measured."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_lines=False)
    table.add_column("fact", no_wrap=True)
    table.add_column("measured quantity, and how it is predicted")
    table.add_column("observed", justify="right", max_width=11)
    table.add_column("account", no_wrap=True)
    table.add_column("model", justify="right", no_wrap=True)
    table.add_column("error", justify="right", no_wrap=True)
    for (id, quantity, conditions), same in groupby(rows, key=lambda row: (row.fact.id, row.quantity, row.conditions)):
        here = list(same)
        fact = here[0].fact
        observed = fact.value if fact.unit in ("text", "clock") else f"{fact.value} {fact.unit}"
        table.add_row(
            f"{id}\n{fact.use}",
            f"{escape(quantity)} ({escape(fact.source)})\n[dim]{escape(conditions)}[/dim]",
            escape(observed),
            escape("\n".join(f"{MARKS.get(row.tag, '')} {row.account}" for row in here)),
            "\n".join(formatted_number(row.predicted, row.unit) for row in here),
            "\n".join(formatted_error(row) for row in here),
        )
    return table


def _overall(found: Sequence[Overall]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="Overall", title_justify="left", title_style="bold")
    for head in ("account", "of"):
        table.add_column(head)
    for head in ("fit (n)", "test (n)", "scan hours"):
        table.add_column(head, justify="right", no_wrap=True)
    for each in found:
        pairs = ((each.fit, each.fit_count), (each.test, each.test_count))
        cells = [formatted_mean(*pair, each.unit) for pair in pairs]
        if each.test_count and abs(each.test - each.test_read) > 1e-9:
            cells[1] += f"\nread x{each.test_read:.2f}"
        hours = "" if each.within is None else f"{each.within[0]:.1f} to {each.within[1]:.1f} pp"
        table.add_row(each.account, each.what, *cells, hours)
    return table


def _conflict(conflict: FactConflict) -> Table:
    from rich import box
    from rich.table import Table

    span = "" if math.isnan(conflict.span) else f": {conflict.span:.1f}-fold apart"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", title_style="bold")
    table.title = f"Facts that contradict each other. {conflict.title}{span}"
    for head in ("fact", "source"):
        table.add_column(head)
    for head in ("observed", "predicted"):
        table.add_column(head, justify="right")
    table.add_column("met by the published set")
    for each in conflict.facts:
        row = each.row
        by = (
            f"{each.parameter_set}: {formatted_number(each.under_set, row.unit)}" if each.parameter_set else each.reason
        )
        by += " (set by this fact)" if each.set_by else ""
        observed = row.fact.value if row.unit == "clock" else f"{row.fact.value} {row.unit}"
        table.add_row(row.fact.id, row.fact.source, escape(observed), formatted_number(row.predicted, row.unit), by)
    return table
