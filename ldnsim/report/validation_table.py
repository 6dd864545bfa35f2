"""The evidence beside the model as it is printed: a table of facts, what they amount to, and what they contradict."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from rich.markup import escape

from ldnsim.calibration.discriminate import best_of_each
from ldnsim.calibration.validation.number_text import formatted_error, formatted_mean, formatted_number
from ldnsim.plots.style import MARKS
from ldnsim.report.terminal import console
from ldnsim.simulation.provenance import DISCLAIMER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.table import Table

    from ldnsim.calibration.discriminate import Sight
    from ldnsim.calibration.validation import Clash, Overall, Validation, ValidationRow

__all__ = ["print_sights", "print_validation"]

MOST_SIGHTS = 12


def print_validation(validation: Validation, written: Iterable[Path] = ()) -> None:
    """Facts and predictions, overall numbers, contradictions, and facts that the model cannot predict."""
    out = console()
    out.print(f"{validation.model.title}: predictions beside facts", style="bold", markup=False)
    out.print()
    out.print(_facts([row for row in validation.rows if not row.reason and row.fact.use != "context"]))
    out.print("Errors: x for fold, pp for points, h for hours; 0 or x1 within a published range.", style="dim")
    marks = ", ".join(f"{mark} {tag}" for tag, mark in MARKS.items())
    out.print(f"Tags: {marks}; account `all`: the same in every account.", style="dim")
    out.print()
    out.print(_overall(validation.overall))
    out.print(
        "x is a geometric mean fold error, pp a root mean square error in points. Test facts are never fitted to; "
        "`read` leaves out those known from memory only. Scan hours: the error, had the scans whose hour is not "
        "published been made at the best or the worst hour; the fits assume the hour that the table names.",
        style="dim",
    )
    for clash in validation.clashes:
        out.print()
        out.print(_clash(clash))
        if clash.note:
            out.print(f"  {clash.note}", style="dim", markup=False)
    out.print()
    out.print("Not predicted", style="bold")
    lacking = sorted((row for row in validation.rows if row.reason), key=lambda row: row.reason)
    for reason, rows in groupby(lacking, key=lambda row: row.reason):
        ids = dict.fromkeys(f"{row.fact.id} ({row.fact.use})" for row in rows)
        out.print(f"- {', '.join(ids)}: {reason}", markup=False)
    out.print()
    if len(validation.model.accounts) > 1:
        out.print("What would tell the accounts apart: ldnsim apart", style="dim")
    out.print(DISCLAIMER, style="dim", markup=False)
    for path in written:
        out.print(f"-> {path}", markup=False, soft_wrap=True)


def print_sights(sights: Sequence[Sight], written: Iterable[Path] = ()) -> None:
    """The observations that tell the accounts apart best, one line for each output, dose and regimen."""
    from rich import box
    from rich.table import Table

    out = console()
    accounts = list(sights[0].values)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", title_style="bold")
    table.title = "What would best tell the accounts apart"
    for head in ("observation", "dose", "hour"):
        table.add_column(head)
    for head in (*accounts, "apart"):
        table.add_column(head, justify="right")
    for sight in best_of_each(sights)[:MOST_SIGHTS]:
        cells = [f"{100 * sight.values[account]:.0f} ± {100 * sight.blur(account):.0f}" for account in accounts]
        dose = f"{sight.dose}, {sight.regimen}"
        table.add_row(sight.output, dose, f"{sight.hour:g}", *cells, f"{sight.separation:.1f}")
    out.print(table)
    shown = dict.fromkeys((sight.output, sight.by, sight.share_of, sight.error) for sight in sights)
    for output, by, share_of, error in shown:
        out.print(f"{output}: {by}, % of {share_of}, one measurement ± {100 * error:g}.", style="dim", markup=False)
    out.print(
        "± is a standard deviation: between people and from uncertain parameters together. `apart` is the difference "
        "of the two accounts hardest to tell apart over that and the error of one measurement in one person; hours "
        "count from the last dose. Predictions, not data.",
        style="dim",
    )
    out.print(DISCLAIMER, style="dim", markup=False)
    for path in written:
        out.print(f"-> {path}", markup=False, soft_wrap=True)


def _facts(rows: Sequence[ValidationRow]) -> Table:
    """A line per fact, its accounts below each other; what was read off, and where, under what was measured."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_lines=False)
    table.add_column("fact", no_wrap=True)
    table.add_column("what was measured, and what the model was asked")
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


def _clash(clash: Clash) -> Table:
    from rich import box
    from rich.table import Table

    span = "" if math.isnan(clash.span) else f": they ask for numbers {clash.span:.1f}-fold apart"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", title_style="bold")
    table.title = f"Facts that disagree. {clash.title}{span}"
    for head in ("fact", "source"):
        table.add_column(head)
    for head in ("observed", "predicted"):
        table.add_column(head, justify="right")
    table.add_column("met by the rival set")
    for each in clash.facts:
        row = each.row
        by = f"{each.rival}: {formatted_number(each.under_rival, row.unit)}" if each.rival else each.without
        by += " (set by this fact)" if each.set_by else ""
        observed = row.fact.value if row.unit == "clock" else f"{row.fact.value} {row.unit}"
        table.add_row(row.fact.id, row.fact.source, escape(observed), formatted_number(row.predicted, row.unit), by)
    return table
