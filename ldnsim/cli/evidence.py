"""Commands that compare models with data: fit, validate, discriminate."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ldnsim.cli.answers import say, say_table
from ldnsim.cli.app import app, help_of
from ldnsim.cli.options import (
    AccountName,
    AsJson,
    ModelName,
    Quiet,
    Rtol,
    SolverOption,
    names_of,
)


@app.command(
    "fit",
    **help_of(
        "Estimate parameters from data; write NAME.fit.json, NAME.html and NAME.model.yaml with the fitted account.",
        "ldnsim fit occupancy_pet",
        "ldnsim fit my_fit.yaml --out results",
    ),
)
def fit_(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FIT...", help="Names (see `ldnsim list fits`) or paths.", autocompletion=names_of("fits")
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the results.")] = Path("results"),
    solver: SolverOption = "native",
    rtol: Rtol = 1e-9,
    quiet: Quiet = False,
    json: AsJson = False,
) -> None:
    from ldnsim.calibration.fitting import data_table, estimates_table, fit, fit_files, summary
    from ldnsim.library.files import load_fit
    from ldnsim.report.as_json import table_record
    from ldnsim.report.fit_page import fit_page
    from ldnsim.report.output_files import write_files
    from ldnsim.report.terminal import print_fit

    records = []
    for record in [load_fit(file) for file in files]:  # all are read before the first one is worked on
        result = fit(record, rtol=rtol, solver=solver)
        data, estimates = data_table(result), estimates_table(result)
        texts = {**fit_files(result), f"{record.name}.html": fit_page(result, data, estimates)}
        written = write_files(out, {name: partial(_write, text) for name, text in texts.items()})
        records.append(
            table_record(
                result.estimates, fit=record.name, question=record.question, summary=summary(result),
                statements=result.statements, files=written,
            )
        )  # fmt: skip
        if not (quiet or json):
            print_fit(record.question, summary(result), estimates, data, result.statements, written)
    if json:
        say(quiet, json, lambda: None, lambda: {"fits": records})


@app.command(
    **help_of(
        "Compare a model with the evidence: a row per fact, contradictory facts, and the sets that meet them.",
        "ldnsim validate",
        "ldnsim validate ldn --account pet_pool --html evidence.html",
    )
)
def validate(
    model: ModelName = "ldn",
    account: AccountName = "",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with figures to this file.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table to this file.")] = None,
    solver: SolverOption = "native",
    rtol: Rtol = 1e-6,
    quiet: Quiet = False,
    json: AsJson = False,
) -> None:
    from ldnsim.calibration.validation import evaluate, frame_of
    from ldnsim.library.files import load_model
    from ldnsim.report.output_files import write_texts
    from ldnsim.report.validation_table import print_validation

    record = load_model(model, account or None)
    found = evaluate(record, rtol=rtol, solver=solver)
    frame = frame_of(found)
    texts = {} if csv is None else {csv: frame.to_csv(index=False)}
    if html is not None:
        from ldnsim.calibration.discriminate import candidate_observations
        from ldnsim.library.facts import claims_of_library
        from ldnsim.report.evidence_page import evidence_page

        observations = candidate_observations(record) if len(record.accounts) > 1 else []
        texts[html] = evidence_page(found, observations, claims_of_library())
    write_texts(texts)
    say_table(quiet, json, partial(print_validation, found, texts), frame, texts, model=record.name)


@app.command(
    **help_of(
        "Find the observation (output, dose, hour) that would best discriminate between the accounts of a model.",
        "ldnsim discriminate",
        "ldnsim discriminate ldn --csv observations.csv",
    )
)
def discriminate(
    model: ModelName = "ldn",
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all observations to this file.")] = None,
    quiet: Quiet = False,
    json: AsJson = False,
) -> None:
    from ldnsim.calibration.discriminate import candidate_observations, frame_of
    from ldnsim.library.files import load_model
    from ldnsim.report.output_files import write_texts
    from ldnsim.report.validation_table import print_observations

    record = load_model(model)
    found = candidate_observations(record)
    frame = frame_of(found)
    texts = {} if csv is None else {csv: frame.to_csv(index=False)}
    write_texts(texts)
    say_table(quiet, json, partial(print_observations, found, texts), frame, texts, model=record.name)


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
