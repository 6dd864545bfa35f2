"""What commands have in common: changes applied, answers printed as text or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.scenario.scenario import Scenario

__all__ = ["FAILED_CELLS", "STOPPED", "changed", "listed", "say", "say_table", "swept"]

FAILED_CELLS = 3
STOPPED = 130  # as shells say it of Ctrl-C


def say(quiet: bool, json: bool, print_it: Callable[[], None], record: Callable[[], dict[str, Any]]) -> None:
    """Print an answer: as JSON, as text, or not at all."""
    from ldnsim.report.as_json import to_json

    if json:
        typer.echo(to_json(record()))
    elif not quiet:
        print_it()


def say_table(
    quiet: bool, json: bool, print_it: Callable[[], None], frame: pd.DataFrame, written: Iterable[Path], **about: Any
) -> None:
    from ldnsim.report.as_json import table_record

    say(quiet, json, print_it, lambda: table_record(frame, **about, files=list(written)))


def swept(result: Any, out: Path, tables: Sequence[str], quiet: bool, json: bool) -> None:
    """Tables and answer of a sweep that is complete."""
    from ldnsim.report.as_json import sweep_record
    from ldnsim.report.output_files import write_sweep
    from ldnsim.report.overview import failures
    from ldnsim.report.terminal import print_sweep

    written = [out, *write_sweep(out, result, tables)]
    failed, _, reasons = failures(result)
    say(quiet, json, partial(print_sweep, result, written), partial(sweep_record, result, reasons, written))
    if failed:
        raise typer.Exit(FAILED_CELLS)


def listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def changed(scenario: Scenario, changes: list[str], start: str = "") -> Scenario:
    """The scenario with `--set ADDRESS=VALUE` and `--start` applied; a list is written a,b,c."""
    from ldnsim.foundation.errors import Fault, LdnsimError, nearest

    pairs = [change.partition("=") for change in changes]
    wrong = [
        Fault(f"--set {change!r}", expected="ADDRESS=VALUE")
        for change, (a, _, v) in zip(changes, pairs, strict=True)
        if not (a and v)
    ]
    starts = ("drug_free", "steady_state")
    if start and start not in starts:
        wrong.append(Fault(f"--start {start!r}", expected=" or ".join(starts), nearest=nearest(start, starts)))
    if wrong:
        raise LdnsimError(wrong)
    if start:
        scenario = scenario.model_copy(update={"start": start})
    if not pairs:
        return scenario
    return scenario.with_changes({address.strip(): _value(text.strip()) for address, _, text in pairs})


def _value(text: str) -> str | list[str | float]:
    return [*listed(text)] if "," in text else text
