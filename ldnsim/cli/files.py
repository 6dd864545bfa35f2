"""Commands about files: list, describe, check, schema, new."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ldnsim.cli.answers import changed, say
from ldnsim.cli.app import app, help_of
from ldnsim.cli.options import (
    AsJson,
    Quiet,
    Sets,
    any_name,
    kinds,
    names_of,
)

if TYPE_CHECKING:
    from ldnsim.foundation.fields import Record


@app.command(
    "list",
    **help_of(
        "List models, scenarios and fits, or all items of another kind.",
        "ldnsim list",
        "ldnsim list metrics",
        "ldnsim list accounts ldn_opioids",
        "ldnsim list parameters ldn --json",
    ),
)
def list_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="[KIND]",
            help="models, parts, scenarios, fits, accounts, inputs, outputs, states, parameters, sets, drugs, metrics, "
            "output-kinds, facts, sources, formats or solvers; models, scenarios and fits by default.",
            autocompletion=kinds,
        ),
    ] = "",
    model: Annotated[
        str,
        typer.Argument(
            metavar="[MODEL]",
            help="The model whose accounts, inputs, outputs, states, parameters, sets or drugs are listed; "
            "ldn by default.",
            autocompletion=names_of("models"),
        ),
    ] = "",
    json: AsJson = False,
) -> None:
    from ldnsim.report.listing import DEFAULT_KINDS, KINDS, entries

    found = {each: entries(each, model) for each in ((kind,) if kind else DEFAULT_KINDS)}
    if json:
        say(False, json, lambda: None, lambda: {each: [one._asdict() for one in found[each]] for each in found})
        return
    for each, of_kind in found.items():
        if len(found) > 1:
            typer.echo(f"{each}:")
        width = max([24, *(len(entry.name) for entry in of_kind)])
        for entry in of_kind:
            typer.echo(f"  {entry.name:{width}} {entry.title}".rstrip())
    if not kind:
        others = ", ".join(each for each in KINDS if each not in DEFAULT_KINDS)
        typer.echo(f"More with `ldnsim list KIND [MODEL]`: {others}.")


@app.command(
    **help_of(
        "Describe a model or part (equations, parameters, sources), or a scenario or fit (question, dose calendar).",
        "ldnsim describe ldn",
        "ldnsim describe titration",
        "ldnsim describe occupancy_brain_pool --format md",
        "ldnsim describe ldn --json",
    )
)
def describe(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Model, part, scenario or fit: a name or a path.", autocompletion=any_name),
    ],
    form: Annotated[
        str,
        typer.Option("--format", metavar="md|html|json", help="Format; rendered for the terminal by default."),
    ] = "",
    changes: Sets = [],  # noqa: B006
    json: AsJson = False,
) -> None:
    from ldnsim.foundation.errors import Fault, LdnsimError
    from ldnsim.library.files import load_any, load_bibliography
    from ldnsim.library.fit_file import Fit
    from ldnsim.model.records import Model, Part
    from ldnsim.report.describe import describe_fit, describe_model, describe_part, describe_scenario
    from ldnsim.scenario.scenario import Scenario

    if form not in ("", "md", "html", "json"):
        raise LdnsimError(Fault(f"unknown format {form!r}", expected="md, html or json"))
    form = "json" if json else form
    record: Record = load_any(name)
    if isinstance(record, Scenario):
        record = changed(record, changes)
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


@app.command(
    **help_of(
        "Check part, model, scenario and fit files: faults with line and caret.",
        "ldnsim check my_question.yaml",
        "ldnsim check mine/ --json",
    )
)
def check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders of them.")],
    quiet: Quiet = False,
    json: AsJson = False,
) -> None:
    from ldnsim.foundation.errors import LdnsimError
    from ldnsim.library.files import faults_in, files_under

    files = files_under(paths)
    faults = faults_in(files)
    if json:
        rows = [
            {"file": fault.file, "line": fault.line, "column": fault.column, "message": fault.message,
             "expected": fault.expected, "nearest": fault.nearest} for fault in faults
        ]  # fmt: skip
        say(quiet, json, lambda: None, lambda: {"files": len(files), "faults": rows})
        raise typer.Exit(1 if faults else 0)
    if faults:
        raise LdnsimError(faults)
    if not quiet:
        typer.echo(f"{len(files)} file{'s' if len(files) > 1 else ''} without faults")


@app.command(
    **help_of(
        "Print the JSON Schema of a kind of file, for completion and hints in editors.",
        "ldnsim schema scenario > scenario.schema.json",
    )
)
def schema(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="part, model, scenario, fit or predictions.")],
) -> None:
    import json

    from ldnsim.foundation.errors import Fault, LdnsimError, nearest
    from ldnsim.library.files import FORMATS

    kinds = {name.split("-")[1].split("/")[0]: record for name, record in FORMATS.items()}
    if kind not in kinds:
        raise LdnsimError(Fault(f"unknown kind {kind!r}", expected=", ".join(kinds), nearest=nearest(kind, kinds)))
    typer.echo(json.dumps(kinds[kind].model_json_schema(), indent=1))


@app.command(**help_of("Write a commented scenario to start from.", "ldnsim new my_question.yaml"))
def new(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to write; its name becomes the name of the scenario.")
    ],
) -> None:
    from ldnsim.library.templates import write_scenario

    write_scenario(file)
    typer.echo(f"{file} written. Change it, then: ldnsim check {file}; ldnsim run {file}")
