"""Arguments and options that several commands share, with the completion of names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer


def names_of(kind: str) -> Callable[[str], list[str]]:
    """Completion of names of a kind, see `report.listing`."""

    def complete(incomplete: str) -> list[str]:
        from ldnsim.report.listing import names

        return [name for name in names(kind) if name.startswith(incomplete)]

    return complete


def any_name(incomplete: str) -> list[str]:
    return sorted({name for kind in ("models", "parts", "scenarios", "fits") for name in names_of(kind)(incomplete)})


def kinds(incomplete: str) -> list[str]:
    from ldnsim.report.listing import KINDS

    return [kind for kind in KINDS if kind.startswith(incomplete)]


SCENARIO_HELP = "Name of a scenario (see `ldnsim list scenarios`) or path of a file."
MODEL_HELP = "Name of a model (see `ldnsim list models`) or path of a file."
ScenarioName = Annotated[
    str, typer.Argument(metavar="SCENARIO", help=SCENARIO_HELP, autocompletion=names_of("scenarios"))
]
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP, autocompletion=names_of("models"))]
Sets = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="ADDRESS=VALUE",
        help="Change a value, for example night.dose='3 mg' or occupancy.EC50='x 0.5'. May be repeated.",
    ),
]
AccountName = Annotated[
    str, typer.Option(metavar="NAME", help="Account of the model.", autocompletion=names_of("accounts"))
]
SolverOption = Annotated[
    str, typer.Option("--solver", metavar="NAME", help="Solver, see `ldnsim list solvers`.",
                      autocompletion=names_of("solvers"))
]  # fmt: skip


def _tolerance(rtol: float) -> float:
    from ldnsim.engine.checks import LARGEST_RTOL, SMALLEST_RTOL
    from ldnsim.foundation.errors import Fault, LdnsimError

    if not SMALLEST_RTOL <= rtol <= LARGEST_RTOL:  # nor NaN
        raise LdnsimError(Fault(f"--rtol {rtol:g}", expected=f"a number from {SMALLEST_RTOL:g} to {LARGEST_RTOL:g}"))
    return rtol


Rtol = Annotated[
    float,
    typer.Option("--rtol", metavar="NUMBER", help="Relative tolerance of the solver.", callback=_tolerance),
]
Start = Annotated[
    str,
    typer.Option(
        "--start",
        metavar="drug_free|steady_state",
        help="State of the body when day 1 begins; as the scenario says by default.",
    ),
]
Formats = Annotated[
    str, typer.Option("--format", metavar="NAME,...", help="Further tables, separated by commas: csv, parquet, zarr.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON and nothing else.")]
