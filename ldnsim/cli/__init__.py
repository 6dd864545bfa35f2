"""The command line. It parses, calls the library, prints and writes; it computes nothing itself.

Exit codes: 0 done; 1 a file or a value is invalid; 2 wrong usage; 3 finished, but some cells failed.
"""

from __future__ import annotations

import sys

import typer

from ldnsim.cli import evidence, files, records, runs
from ldnsim.cli.app import app

__all__ = ["main"]

COMMANDS = (runs, evidence, records, files)  # each registers its own


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
    except Exception as caught:
        if debug:
            raise
        typer.echo(
            f"ldnsim failed: {type(caught).__name__}: {caught}\nThis is a bug in ldnsim; --debug shows where.",
            err=True,
        )
        raise SystemExit(1) from None
