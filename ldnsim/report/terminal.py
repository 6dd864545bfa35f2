"""What commands print: sentences first, then one table per output, at least 80 columns wide."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from typing import TYPE_CHECKING

from rich.markup import escape

from ldnsim.report.comparison import Comparison, MetricCell, comparison
from ldnsim.report.overview import extremes, failures

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd
    import xarray as xr
    from rich.console import Console
    from rich.table import Table

__all__ = ["console", "print_answer", "print_fit", "print_sweep"]

WIDTH = 80  # if the output is not a terminal
MAX_DATA = 40  # printed; the page has all
MAX_DIFFERENCES = 3  # largest number of arms for which each difference has a line


def console() -> Console:
    """Make the console that commands print to.

    Returns
    -------
    rich.console.Console
        With colours and the real width on a terminal, else plain text of 80 columns.
    """
    from rich.console import Console

    class PipedConsole(Console):
        def on_broken_pipe(self) -> None:
            raise  # noqa: PLE0704 - called while it is handled; rich would end the program with exit code 1

    return PipedConsole(width=None if sys.stdout.isatty() else WIDTH, highlight=False, soft_wrap=False)


def print_answer(result: xr.Dataset, table: xr.Dataset, answers: Iterable[str], written: Iterable[Path]) -> None:
    """Print the answer of a run: question, answers, tables, extrapolations, notes, and the files.

    Parameters
    ----------
    result, table : xarray.Dataset
        As returned by `simulate` and `summarize`.
    answers : iterable of str
        As returned by `answers`.
    written : iterable of Path
        Files that were written.
    """
    out = console()
    out.print(result.attrs["question"], style="bold", markup=False)
    out.print()
    for answer in answers:
        out.print(f"- {answer}", markup=False)
    titles = json.loads(result.attrs["arm_titles"])
    for compared in comparison(table):
        out.print()
        out.print(_table(compared, titles))
        for number, note in enumerate(compared.footnotes, start=1):
            out.print(f"  {number} {note}", style="dim", markup=False)
    out.print()
    for sentence in _sentences(result):
        out.print(sentence, style="dim", markup=False)
    for path in written:
        out.print(f"-> {path}", markup=False, soft_wrap=True)


def print_fit(
    question: str,
    summary: str,
    estimates: pd.DataFrame,
    data: pd.DataFrame,
    statements: Iterable[str],
    written: Iterable[Path],
) -> None:
    """Print a fit: estimates, identifiability, and data with predictions.

    Parameters
    ----------
    question, summary : str
        The question of the fit, and how good it is.
    estimates, data : pandas.DataFrame
        Tables of texts, as returned by `estimates_table` and `data_table`.
    statements : iterable of str
        What the data determine, and what they do not.
    written : iterable of Path
        Files that were written.
    """
    out = console()
    out.print(question, style="bold", markup=False)
    out.print()
    out.print(summary, markup=False)
    out.print()
    out.print(_plain_table(estimates, left=("unit",)))
    for statement in statements:
        out.print(f"- {statement}", markup=False)
    shown = data if len(data) <= MAX_DATA else data.head(MAX_DATA)
    out.print()
    out.print(_plain_table(shown, left=("output", "unit", "use")))
    if len(data) > len(shown):
        out.print(f"... and {len(data) - len(shown)} more data, in the page", style="dim", markup=False)
    out.print("Residual: predicted minus observed, in standard errors of the datum.", style="dim", markup=False)
    for path in written:
        out.print(f"-> {path}", markup=False, soft_wrap=True)


MAX_REASONS = 5  # of failed cells


def print_sweep(table: xr.Dataset, written: Iterable[Path]) -> None:
    """Print a sweep: extremes of the main metrics, how many cells failed and why, notes, and the files.

    Parameters
    ----------
    table : xarray.Dataset
        As returned by `sweep`.
    written : iterable of Path
        Files that were written.
    """
    from rich import box
    from rich.table import Table

    out = console()
    found = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    for heading in ("", "lowest", "where", "highest", "where"):
        found.add_column(heading, justify="right" if heading.endswith("est") else "left")
    for account, group in groupby(extremes(table), key=lambda extreme: extreme.account):
        found.add_row(f"[bold]{escape(account)}[/]")
        for one in group:
            cells = (f"  {one.output} {one.metric}", one.lowest, one.lowest_at, one.highest, one.highest_at)
            found.add_row(*map(escape, cells))
    if found.row_count:
        out.print(found)
    if "subject" in table.dims:
        out.print("Values of a population are medians.", style="dim")
    failed, whole, reasons = failures(table)
    if failed:
        out.print(f"{failed:,} of {whole:,} could not be solved:", style="bold")
        for reason, count in list(reasons.items())[:MAX_REASONS]:
            out.print(f"  {count:,}: {reason}", markup=False)
    for sentence in (*_texts(table, "notes"), str(table.attrs["disclaimer"])):
        out.print(sentence, style="dim", markup=False)
    for path in written:
        out.print(f"-> {path}", markup=False, soft_wrap=True)


def _plain_table(rows: pd.DataFrame, left: tuple[str, ...]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold")
    for name in rows.columns:
        table.add_column(str(name), justify="left" if name in left else "right", overflow="fold")
    for name, cells in rows.iterrows():
        table.add_row(*(escape(str(text)) for text in (name, *cells)))
    return table


def _sentences(result: xr.Dataset) -> list[str]:
    found = _texts(result, "extrapolated")
    start, end = result.attrs["window"]
    lead = f"Metrics over hours {start:g} to {end:g}; differences are from the first arm."
    if "subject" in result.dims:
        lead += " Numbers are medians over people (5 to 95 % range); differences are taken within each person first."
    if "draw" in result.dims:
        draws = result.sizes["draw"] - 1
        lead += f" In braces: 5 to 95 % range over {draws} draws of uncertain parameters ({_uncertain(result)})."
    changes = json.loads(result.attrs.get("changes", "{}"))
    changed = "Changed: " + ", ".join(f"{address} = {value}" for address, value in changes.items()) if changes else ""
    notes = [f"Note: {note}" for note in _texts(result, "notes")]
    limits = f"Limitations: {result.attrs['cannot_say']}" if result.attrs.get("cannot_say") else ""
    return [text for text in (lead, changed, *notes, *found, limits, str(result.attrs["disclaimer"])) if text]


def _uncertain(result: xr.Dataset) -> str:
    return ", ".join(json.loads(result.attrs.get("uncertain", "[]")))


def _texts(result: xr.Dataset, name: str) -> list[str]:
    """An attribute that is a list of texts; a file returns a list of one as a text."""
    found = result.attrs.get(name, [])
    return [found] if isinstance(found, str) else [str(text) for text in found]


def _table(compared: Comparison, titles: dict[str, str]) -> Table:
    """Accounts and arms by metrics; for few arms, also the difference of each from the first."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=compared.title, title_justify="left", title_style="bold")
    table.add_column("account", no_wrap=True)
    table.add_column("arm", no_wrap=True)
    for column in compared.columns:
        table.add_column(f"{column.label}, {column.unit}" if column.unit else column.label, justify="right")
    arms = len({row.arm for row in compared.rows})
    for account, rows in groupby(compared.rows, key=lambda row: row.account):
        lines: list[tuple[str, list[str], str]] = []
        for row in rows:
            lines.append((titles.get(row.arm, row.arm), [_text(cell) for cell in row.cells], ""))
            if arms <= MAX_DIFFERENCES and any(cell.difference for cell in row.cells):
                lines.append(("  difference", [cell.difference for cell in row.cells], "dim"))
        lines += [("", [], "")] * (2 - len(lines))  # a line for the tag under the account
        headings = [account, f"  {row.evidence}", *[""] * (len(lines) - 2)]
        for heading, (arm, cells, style) in zip(headings, lines, strict=True):
            table.add_row(*(escape(text) for text in (heading, arm, *cells)), style=style)
        table.add_section()
    return table


def _text(cell: MetricCell) -> str:
    notes = "".join(f" [{note + 1}]" for note in cell.notes)
    spread = f" ({cell.spread})" if cell.spread else ""
    return cell.text + spread + (f" {{{cell.uncertainty}}}" if cell.uncertainty else "") + notes
