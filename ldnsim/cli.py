"""The command line. It parses, calls the library, prints and writes; it computes nothing itself.

Exit codes: 0 done; 1 the files or the science are at fault; 2 usage; 3 finished, but some cells failed.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ldnsim.foundation.fields import Record
    from ldnsim.scenario.scenario import Scenario

__all__ = ["main"]

app = typer.Typer(
    help="Low-dose naltrexone, from dose to opioid tone. For research and teaching; never dose advice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Sets = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="ADDRESS=VALUE",
        help="Change a number, for example night.dose='3 mg' or occupancy.EC50='x 0.5'.",
    ),
]
FAILED_CELLS = 3
STOPPED = 130  # as shells say it of Ctrl-C


def main() -> None:
    """Run the command line; every fault becomes one message, a traceback only with --debug."""
    from ldnsim.foundation.errors import LdnsimError

    debug = "--debug" in sys.argv[1:]
    if debug:
        sys.argv.remove("--debug")
    try:
        app()
    except LdnsimError as caught:
        if debug:
            raise
        typer.echo(f"{caught}", err=True)
        raise SystemExit(1) from None
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe has gone
        raise SystemExit(0) from None
    except Exception as caught:
        if debug:
            raise
        typer.echo(
            f"ldnsim failed: {type(caught).__name__}: {caught}\nThis is a fault of ldnsim; --debug shows where.",
            err=True,
        )
        raise SystemExit(1) from None


@app.callback(invoke_without_command=True)
def _version_option(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("ldnsim"))
        raise typer.Exit


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="A scenario's name (see `ldnsim list`) or a path.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("results"),
    changes: Sets = [],  # noqa: B006 - typer wants a list and copies it
    formats: Annotated[
        str, typer.Option("--format", help="Further tables: csv, parquet, zarr, separated by commas.")
    ] = "",
) -> None:
    """Simulate every account and arm of a scenario, print the comparison, write NAME.nc and NAME.html."""
    from ldnsim.calibration.spread import mean_spread, spread_words
    from ldnsim.library.files import load_scenario
    from ldnsim.metrics.summary import summarize
    from ldnsim.report.answer import answers
    from ldnsim.report.output_files import check_formats, write_results
    from ldnsim.report.page import page
    from ldnsim.report.terminal import print_answer
    from ldnsim.simulation.simulate import simulate

    wanted = check_formats([form.strip() for form in formats.split(",") if form.strip()])
    question = _changed(load_scenario(scenario), changes)
    result = simulate(question)
    table = summarize(result)
    texts = answers(result, table)
    if "subject" in result.dims and result.sizes["account"] > 1:
        texts += spread_words(result, table, mean_spread(question))
    written = write_results(out, question.name, result, table, page(result, table, texts), wanted)
    print_answer(result, table, texts, written)
    if bool((result.status != 0).any()):
        raise typer.Exit(FAILED_CELLS)


@app.command("fit")
def fit_(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Names (see `ldnsim list fits`) or paths.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("results"),
) -> None:
    """Estimate parameters from data; write NAME.fit.json, NAME.html and NAME.model.yaml with the fitted account."""
    from ldnsim.calibration.fitting import data_table, estimates_table, fit, fit_files, summary
    from ldnsim.library.files import load_fit
    from ldnsim.report.fit_page import fit_page
    from ldnsim.report.output_files import write_files
    from ldnsim.report.terminal import print_fit

    for record in [load_fit(file) for file in files]:  # all are read before the first one is worked on
        result = fit(record)
        data, estimates = data_table(result), estimates_table(result)
        texts = {**fit_files(result), f"{record.name}.html": fit_page(result, data, estimates)}
        written = write_files(out, {name: partial(_write, text) for name, text in texts.items()})
        print_fit(record.question, summary(result), estimates, data, result.statements, written)


@app.command()
def sweep(  # noqa: PLR0913, PLR0917 - each is an option of the command
    scenario: Annotated[str, typer.Argument(help="A scenario's name (see `ldnsim list`) or a path.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the result goes, a Zarr directory.")],
    axes: Annotated[
        list[str],
        typer.Option(
            "--axis",
            metavar="ADDRESS=VALUES",
            help="An axis instead of the file's own: night.dose='1.5 mg,3 mg' or EC50='0.7 ng/mL..4.7 ng/mL/9/log'.",
        ),
    ] = [],  # noqa: B006
    design: Annotated[
        str, typer.Option(metavar="KIND:CELLS:SEED", help="grid, list, latin_hypercube, sobol or random.")
    ] = "",
    changes: Sets = [],  # noqa: B006
    keep: Annotated[str, typer.Option(help="What is stored: metrics, quantiles (over people) or courses.")] = "metrics",
    workers: Annotated[int | None, typer.Option(help="Threads; one per core where left out.")] = None,
    scheduler: Annotated[str, typer.Option(metavar="ADDRESS", help="A Dask cluster that works instead.")] = "",
    shard: Annotated[str, typer.Option(metavar="K/N", help="One of N jobs; `ldnsim merge` puts them together.")] = "",
    formats: Annotated[str, typer.Option("--format", help="Tables beside the store: csv, parquet.")] = "",
) -> None:
    """Compute every cell of a scenario's sweep; started again, it goes on where it stopped."""
    from ldnsim.foundation.errors import Fault, LdnsimError
    from ldnsim.library.files import load_scenario
    from ldnsim.report.output_files import check_formats, write_sweep
    from ldnsim.report.overview import failures
    from ldnsim.report.terminal import print_sweep
    from ldnsim.sweeps.options import axes_of, design_of
    from ldnsim.sweeps.sweep import sweep as swept

    tables = check_formats([form.strip() for form in formats.split(",") if form.strip()], "sweep")
    if tables and shard:
        raise LdnsimError(Fault("tables of a shard", expected="--format with `ldnsim merge`"))
    question = _changed(load_scenario(scenario), changes)
    try:
        result = swept(
            question,
            axes_of(axes),
            design=design_of(design),
            keep=keep,  # type: ignore[arg-type]  # anything else is told
            store=out,
            workers=workers,
            scheduler=scheduler or None,
            shard=shard or None,
            progress=True,
        )
    except KeyboardInterrupt:
        typer.echo(f"Stopped. What is done stands in {out}: the same command goes on from there.", err=True)
        raise typer.Exit(STOPPED) from None
    if shard:
        typer.echo(f"Shard {shard} of {out} is done. When all are: ldnsim merge {out}")
        return
    print_sweep(result, [out, *write_sweep(out, result, tables)])
    if failures(result)[0]:
        raise typer.Exit(FAILED_CELLS)


@app.command()
def merge(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="The store whose shards stand beside it.")],
    formats: Annotated[str, typer.Option("--format", help="Tables beside the store: csv, parquet.")] = "",
) -> None:
    """Put the shards of a sweep together into one store."""
    from ldnsim.report.output_files import check_formats, write_sweep
    from ldnsim.report.overview import failures
    from ldnsim.report.terminal import print_sweep
    from ldnsim.sweeps.shards import merge_shards

    tables = check_formats([form.strip() for form in formats.split(",") if form.strip()], "sweep")
    result = merge_shards(store)
    print_sweep(result, [store, *write_sweep(store, result, tables)])
    if failures(result)[0]:
        raise typer.Exit(FAILED_CELLS)


@app.command()
def data(
    model: Annotated[str, typer.Argument(help="A model's name (see `ldnsim list models`) or a path.")],
    table: Annotated[Path, typer.Argument(metavar="DATA.csv", help="Event records in NONMEM's format.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.csv", help="The file to write.")],
    account: Annotated[str, typer.Option(help="The model's account, where it has several.")] = "",
    outputs: Annotated[str, typer.Option(help="Names separated by commas; all of the model where left out.")] = "",
) -> None:
    """Simulate a NONMEM-format data set: a row out per row in, with the model's outputs."""
    from ldnsim.foundation.errors import LdnsimError
    from ldnsim.library.files import load_model
    from ldnsim.simulation.nonmem import read_table, simulate_data, write_table

    _not_the_same(table, out)
    chosen = [name.strip() for name in outputs.split(",") if name.strip()]
    loaded, frame = load_model(model, account or None), read_table(table)
    try:
        answer = simulate_data(loaded, frame, outputs=chosen or None)
    except LdnsimError as caught:  # rows are those of the file
        raise LdnsimError(replace(fault, file=str(table)) if fault.path else fault for fault in caught.faults) from None
    write_table(out, answer)
    for note in answer.attrs["notes"]:
        typer.echo(note)
    typer.echo(f"{len(answer)} rows written to {out}")
    if answer.attrs["failed"]:
        raise typer.Exit(FAILED_CELLS)


@app.command()
def export(
    scenario: Annotated[str, typer.Argument(help="A scenario's name or a path.")],
    to: Annotated[str, typer.Option("--to", help="nonmem: the doses of every arm and person as event records.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DOSES.csv", help="The file to write.")],
    account: Annotated[str, typer.Option(help="The account, where the scenario compares several.")] = "",
    changes: Sets = [],  # noqa: B006
) -> None:
    """Write a scenario's doses for other programs, and for `ldnsim data`."""
    from ldnsim.library.files import load_scenario
    from ldnsim.report.output_files import check_formats, write_scenario

    check_formats([to], "scenario")
    written = write_scenario(out, _changed(load_scenario(scenario), changes), to, account or None)
    typer.echo(f"{written} written to {out}")


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help="models, parts, scenarios or fits; all of them where left out.")] = "",
) -> None:
    """What there is, a line each."""
    from ldnsim.foundation.errors import Fault, LdnsimError, nearest
    from ldnsim.library.files import FOLDERS, check_file, library

    kinds = ("models", "scenarios", "fits") if not kind else (kind,)
    if kind not in ("", *FOLDERS):
        raise LdnsimError(
            Fault(
                f"unknown kind {kind!r}",
                expected=", ".join(FOLDERS),
                nearest=nearest(kind, FOLDERS),
            )
        )
    for each in kinds:
        if len(kinds) > 1:
            typer.echo(f"{each}:")
        for name, path in library(each).items():
            record = check_file(path)
            says = getattr(record, "question", "") or record.title  # type: ignore[attr-defined]
            typer.echo(f"  {name:24} {says}")


@app.command()
def describe(
    name: Annotated[str, typer.Argument(metavar="MODEL|PART|SCENARIO|FIT", help="A name from the library, or a path.")],
    form: Annotated[
        str, typer.Option("--format", help="md, html or json; rendered for the terminal where left out.")
    ] = "",
    changes: Sets = [],  # noqa: B006
) -> None:
    """Parts, equations, parameters and sources of a model; or a scenario's or fit's question and dose calendar."""
    from ldnsim.foundation.errors import Fault, LdnsimError
    from ldnsim.library.files import find_any, load_bibliography
    from ldnsim.library.fit_file import Fit
    from ldnsim.model.records import Model, Part
    from ldnsim.report.describe import describe_fit, describe_model, describe_part, describe_scenario
    from ldnsim.scenario.scenario import Scenario

    if form not in ("", "md", "html", "json"):
        raise LdnsimError(Fault(f"unknown format {form!r}", expected="md, html or json"))
    record: Record = find_any(name)
    if isinstance(record, Scenario):
        record = _changed(record, changes)
        text = describe_scenario(record)
    elif changes:
        raise LdnsimError(Fault("--set changes scenarios only", expected="the name of a scenario"))
    elif isinstance(record, Model):
        text = describe_model(record, load_bibliography())
    elif isinstance(record, Fit):
        text = describe_fit(record)
    else:
        assert isinstance(record, Part)
        text = describe_part(record, load_bibliography())
    if form == "json":
        typer.echo(record.model_dump_json(indent=1, by_alias=True))
    elif form == "html":
        from markdown_it import MarkdownIt

        typer.echo(MarkdownIt("commonmark").enable("table").render(text))
    elif form == "md" or not sys.stdout.isatty():
        typer.echo(text)
    else:
        from rich.markdown import Markdown

        from ldnsim.report.terminal import console

        console().print(Markdown(text))


@app.command()
def check(paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders of them.")]) -> None:
    """Check part, model, scenario and fit files: all faults at once, with line and caret; exit 1 if any.

    Numbers that a body could hardly have are faults, unless the file gives a reason (`plausible:`)."""
    from ldnsim.foundation.errors import Fault, LdnsimError
    from ldnsim.library.files import doubts

    files = [
        file
        for path in paths
        for file in (sorted([*path.rglob("*.yaml"), *path.rglob("*.yml")]) if path.is_dir() else [path])
    ]
    if not files:
        raise LdnsimError(Fault("no .yaml file there", expected="a file, or a folder with files"))
    faults: dict[Fault, None] = {}
    for file in files:
        try:
            faults.update(dict.fromkeys(doubts(file)))
        except LdnsimError as caught:
            faults.update(dict.fromkeys(caught.faults))
    if faults:
        raise LdnsimError(faults)
    typer.echo(f"{len(files)} file{'s' if len(files) > 1 else ''} without fault")


@app.command()
def validate(
    model: Annotated[str, typer.Argument(help="A model's name (see `ldnsim list`) or a path.")] = "ldn",
    account: Annotated[str, typer.Option(help="Only this account; all where left out.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write a page with figures to this file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the table to this file.")] = None,
) -> None:
    """The model against the evidence: a row per fact with prediction and error; facts that disagree, and rival sets."""
    from ldnsim.calibration.validation import evaluate, frame_of
    from ldnsim.library.files import load_model
    from ldnsim.report.output_files import write_texts
    from ldnsim.report.validation_table import print_validation

    record = load_model(model, account or None)
    found = evaluate(record)
    texts: dict[Path, str] = {}
    if csv is not None:
        texts[csv] = frame_of(found).to_csv(index=False)
    if html is not None:
        from ldnsim.calibration.discriminate import sights
        from ldnsim.library.facts import claims_of_library
        from ldnsim.report.evidence_page import evidence_page

        blurred = sights(record) if len(record.accounts) > 1 else []
        texts[html] = evidence_page(found, blurred, claims_of_library())
    write_texts(texts)
    print_validation(found, texts)


@app.command()
def apart(
    model: Annotated[str, typer.Argument(help="A model's name (see `ldnsim list`) or a path.")] = "ldn",
    csv: Annotated[Path | None, typer.Option(help="Write all observations to this file.")] = None,
) -> None:
    """Which observation, at which hour after which dose, would best tell a model's accounts apart."""
    from ldnsim.calibration.discriminate import frame_of, sights
    from ldnsim.library.files import load_model
    from ldnsim.report.output_files import write_texts
    from ldnsim.report.validation_table import print_sights

    found = sights(load_model(model))
    texts = {} if csv is None else {csv: frame_of(found).to_csv(index=False)}
    write_texts(texts)
    print_sights(found, texts)


@app.command()
def schema(kind: Annotated[str, typer.Argument(help="part, model, scenario, fit or predictions")]) -> None:
    """The JSON Schema of a file kind, for completion and hints in editors."""
    import json

    from ldnsim.foundation.errors import Fault, LdnsimError, nearest
    from ldnsim.library.files import FORMATS

    kinds = {name.split("-")[1].split("/")[0]: record for name, record in FORMATS.items()}
    if kind not in kinds:
        raise LdnsimError(Fault(f"unknown kind {kind!r}", expected=", ".join(kinds), nearest=nearest(kind, kinds)))
    typer.echo(json.dumps(kinds[kind].model_json_schema(), indent=1))


@app.command()
def new(file: Annotated[Path, typer.Argument(help="The file to write; its name becomes the scenario's name.")]) -> None:
    """Write a commented scenario to start from."""
    from ldnsim.foundation.errors import Fault, LdnsimError
    from ldnsim.foundation.fields import IDENTIFIER
    from ldnsim.library.templates import scenario_text

    if file.suffix not in (".yaml", ".yml") or not IDENTIFIER.match(file.stem):
        raise LdnsimError(
            Fault(f"{file.name!r} cannot be a scenario file", expected="letters, digits and _, ending in .yaml")
        )
    if file.exists():
        raise LdnsimError(Fault(f"{file} is there already", expected="the name of a new file"))
    try:
        file.write_text(scenario_text(file.stem), encoding="utf-8")
    except OSError as caught:
        raise LdnsimError(Fault(f"cannot write {file}: {caught.strerror or caught}")) from None
    typer.echo(f"{file} written. Change it, then: ldnsim check {file}; ldnsim run {file}")


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _not_the_same(source: Path, out: Path) -> None:
    from ldnsim.foundation.errors import Fault, LdnsimError

    if out.exists() and source.exists() and out.samefile(source):
        raise LdnsimError(Fault(f"{out} is the data set itself", expected="another file to write"))


def _changed(scenario: Scenario, changes: list[str]) -> Scenario:
    """The scenario with `--set ADDRESS=VALUE` applied; a list is written a,b,c."""
    from ldnsim.foundation.errors import Fault, LdnsimError

    pairs = [change.partition("=") for change in changes]
    wrong = [
        Fault(f"--set {change!r}", expected="ADDRESS=VALUE")
        for change, (a, _, v) in zip(changes, pairs, strict=True)
        if not (a and v)
    ]
    if wrong:
        raise LdnsimError(wrong)
    if not pairs:
        return scenario
    return scenario.with_changes({address.strip(): _value(text.strip()) for address, _, text in pairs})


def _value(text: str) -> str | list[str | float]:
    return [item.strip() for item in text.split(",")] if "," in text else text
