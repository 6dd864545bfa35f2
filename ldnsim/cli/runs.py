"""Commands that simulate: run, sweep, merge."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ldnsim.cli.answers import FAILED_CELLS, STOPPED, changed, listed, say, swept
from ldnsim.cli.app import app, help_of
from ldnsim.cli.options import (
    AsJson,
    Formats,
    Quiet,
    Rtol,
    ScenarioName,
    Sets,
    SolverOption,
    Start,
)


@app.command(
    **help_of(
        "Simulate every account and arm of a scenario; print the answer and write NAME.nc and NAME.html.",
        "ldnsim run night_vs_morning",
        "ldnsim run dose_sizes --set occupancy.EC50='x 0.5' --out results/half",
        "ldnsim run first_dose --json > answer.json",
    )
)
def run(
    scenario: ScenarioName,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the results.")] = Path("results"),
    changes: Sets = [],  # noqa: B006 - typer wants a list and copies it
    formats: Formats = "",
    solver: SolverOption = "native",
    rtol: Rtol = 1e-6,
    start: Start = "",
    quiet: Quiet = False,
    json: AsJson = False,
) -> None:
    from ldnsim.calibration.spread import mean_spread, spread_text
    from ldnsim.library.files import load_scenario
    from ldnsim.metrics.summary import summarize
    from ldnsim.report.answer import answers
    from ldnsim.report.as_json import run_record
    from ldnsim.report.output_files import check_formats, write_results
    from ldnsim.report.page import page
    from ldnsim.report.terminal import print_answer
    from ldnsim.simulation.simulate import simulate

    wanted = check_formats(listed(formats))
    question = changed(load_scenario(scenario), changes, start)
    result = simulate(question, rtol=rtol, solver=solver)
    table = summarize(result)
    texts = answers(result, table)
    if "subject" in result.dims and result.sizes["account"] > 1:
        texts += spread_text(result, table, mean_spread(question))
    written = write_results(out, question.name, result, table, page(result, table, texts), wanted)
    say(
        quiet,
        json,
        partial(print_answer, result, table, texts, written),
        partial(run_record, result, table, texts, written),
    )
    if bool((result.status != 0).any()):
        raise typer.Exit(FAILED_CELLS)


@app.command(
    **help_of(
        "Compute every cell of a scenario's sweep; started again, it continues where it stopped.",
        'ldnsim sweep night_vs_morning -o map.zarr --axis "night.dose=1.5 mg,3 mg,4.5 mg"',
        'ldnsim sweep night_vs_morning -o clock.zarr --axis "night.at=18:00..23:00/6" --format csv',
    )
)
def sweep(  # noqa: PLR0913, PLR0917 - each is an option of the command
    scenario: ScenarioName,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="STORE", help="Zarr directory for the result.")],
    axes: Annotated[
        list[str],
        typer.Option(
            "--axis",
            metavar="ADDRESS=VALUES",
            help="An axis, instead of those of the file: night.dose='1.5 mg,3 mg' or "
            "EC50='0.7 ng/mL..4.7 ng/mL/9/log'. May be repeated.",
        ),
    ] = [],  # noqa: B006
    design: Annotated[
        str, typer.Option(metavar="KIND:CELLS:SEED", help="grid, list, latin_hypercube, sobol or random.")
    ] = "",
    changes: Sets = [],  # noqa: B006
    keep: Annotated[
        str, typer.Option(metavar="WHAT", help="What is stored: metrics, quantiles (over people) or courses.")
    ] = "metrics",
    workers: Annotated[int | None, typer.Option(metavar="NUMBER", help="Threads; one per core by default.")] = None,
    scheduler: Annotated[str, typer.Option(metavar="ADDRESS", help="A Dask cluster that computes instead.")] = "",
    shard: Annotated[
        str, typer.Option(metavar="K/N", help="Compute part K of N; `ldnsim merge` joins the parts.")
    ] = "",
    formats: Formats = "",
    solver: SolverOption = "native",
    rtol: Rtol = 1e-6,
    start: Start = "",
    quiet: Quiet = False,
    json: AsJson = False,
) -> None:
    from ldnsim.foundation.errors import Fault, LdnsimError
    from ldnsim.library.files import load_scenario
    from ldnsim.report.output_files import check_formats
    from ldnsim.sweeps.options import axes_of, design_of
    from ldnsim.sweeps.sweep import sweep as computed

    tables = check_formats(listed(formats), "sweep")
    if tables and shard:
        raise LdnsimError(Fault("tables of a shard", expected="--format with `ldnsim merge`"))
    question = changed(load_scenario(scenario), changes, start)
    try:
        result = computed(
            question,
            axes_of(axes),
            design=design_of(design),
            keep=keep,  # type: ignore[arg-type]  # anything else is told
            store=out,
            workers=workers,
            scheduler=scheduler or None,
            shard=shard or None,
            rtol=rtol,
            solver=solver,
            progress=not (quiet or json),
        )
    except KeyboardInterrupt:
        typer.echo(f"Stopped. Finished blocks are stored in {out}; the same command continues from there.", err=True)
        raise typer.Exit(STOPPED) from None
    if shard:
        if not quiet:
            typer.echo(f"Shard {shard} of {out} is done. When all are: ldnsim merge {out}", err=json)
        return
    swept(result, out, tables, quiet, json)


@app.command(
    **help_of(
        "Join the shards of a sweep into one store.", "ldnsim merge map.zarr", "ldnsim merge map.zarr --format csv"
    )
)
def merge(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="The store to write, next to its shards.")],
    formats: Formats = "",
    quiet: Quiet = False,
    json: AsJson = False,
) -> None:
    from ldnsim.report.output_files import check_formats
    from ldnsim.sweeps.shards import merge_shards

    tables = check_formats(listed(formats), "sweep")
    swept(merge_shards(store), store, tables, quiet, json)
