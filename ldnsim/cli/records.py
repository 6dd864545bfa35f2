"""Commands for event records: data, export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ldnsim.cli.answers import FAILED_CELLS, changed, listed
from ldnsim.cli.app import app, help_of
from ldnsim.cli.options import (
    AccountName,
    ModelName,
    Quiet,
    Rtol,
    ScenarioName,
    Sets,
    SolverOption,
)


@app.command(
    **help_of(
        "Simulate a NONMEM-format data set: one output row per input row, with the outputs of the model.",
        "ldnsim data ldn doses.csv --account pet_pool --outputs Cp,mu_occupancy -o out.csv",
    )
)
def data(
    model: ModelName,
    table: Annotated[Path, typer.Argument(metavar="DATA.csv", help="Event records in NONMEM's format.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.csv", help="The file to write.")],
    account: AccountName = "",
    outputs: Annotated[
        str, typer.Option(metavar="NAME,...", help="Outputs, separated by commas; all by default.")
    ] = "",
    solver: SolverOption = "native",
    rtol: Rtol = 1e-6,
    quiet: Quiet = False,
) -> None:
    from ldnsim.foundation.errors import LdnsimError
    from ldnsim.library.files import load_model
    from ldnsim.simulation.nonmem import read_table, simulate_data, write_table

    _not_the_same(table, out)
    loaded, frame = load_model(model, account or None), read_table(table)
    _one_account(f"model {loaded.name} has", list(loaded.accounts), "a data set is simulated in")
    try:
        answer = simulate_data(loaded, frame, outputs=listed(outputs) or None, rtol=rtol, solver=solver)
    except LdnsimError as caught:  # rows are those of the file
        raise LdnsimError(replace(fault, file=str(table)) if fault.path else fault for fault in caught.faults) from None
    write_table(out, answer)
    if not quiet:
        for note in answer.attrs["notes"]:
            typer.echo(note)
        typer.echo(f"{len(answer)} rows written to {out}")
    if answer.attrs["failed"]:
        raise typer.Exit(FAILED_CELLS)


@app.command(
    **help_of(
        "Write the doses of a scenario as event records, for other programs and for `ldnsim data`.",
        "ldnsim export night_vs_morning --to nonmem --account pet_pool -o doses.csv",
    )
)
def export(
    scenario: ScenarioName,
    to: Annotated[
        str, typer.Option("--to", metavar="FORMAT", help="nonmem: the doses of every arm and person as event records.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file to write.")],
    account: AccountName = "",
    changes: Sets = [],  # noqa: B006
    quiet: Quiet = False,
) -> None:
    from ldnsim.library.files import load_scenario
    from ldnsim.report.output_files import check_formats, write_scenario
    from ldnsim.scenario.changes import resolve

    form = to.lower()
    check_formats([form], "scenario")
    question = changed(load_scenario(scenario), changes)
    if not account:
        compared = [setting.account for setting in resolve(question).settings]
        _one_account("the scenario compares", compared, "records are those of")
    written = write_scenario(out, question, form, account or None)
    if not quiet:
        typer.echo(f"{written} written to {out}")


def _not_the_same(source: Path, out: Path) -> None:
    from ldnsim.foundation.errors import Fault, LdnsimError

    if out.exists() and source.exists() and out.samefile(source):
        raise LdnsimError(Fault(f"{out} is the data set itself", expected="another file to write"))


def _one_account(whose: str, accounts: list[str], use: str) -> None:
    from ldnsim.foundation.errors import Fault, LdnsimError

    if len(accounts) > 1:
        message = f"{whose} {len(accounts)} accounts, and {use} one"
        raise LdnsimError(Fault(message, expected=f"--account {' or --account '.join(accounts)}"))
