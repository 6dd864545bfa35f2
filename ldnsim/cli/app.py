"""The application: its help, and the frame of every command's help."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

__all__ = ["app", "help_of"]

ORDER = (
    "run",
    "list",
    "describe",
    "new",
    "check",
    "sweep",
    "merge",
    "data",
    "export",
    "fit",
    "validate",
    "discriminate",
)
EXIT_CODES = "Exit codes: 0 done; 1 a file or a value is invalid; 2 wrong usage; 3 finished, but some runs failed."


class WholeSentences(TyperGroup):
    """A group of commands that lists them with their whole summaries instead of cutting them at the terminal width."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The most used commands first."""
        found = super().list_commands(ctx)
        return sorted(found, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; if its output is closed (`| head`), end silently with exit code 0."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            try:
                print(flush=True)  # fails again, unless it was another pipe, such as that of a cluster
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still in the buffer
                raise typer.Exit from None
            raise

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # typer's own copy of click, or click
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(limit=1_000)) for name, command in commands if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


app = typer.Typer(
    help="Low-dose naltrexone, from dose to opioid tone. For research and teaching; never dose advice.",
    epilog="Start with: ldnsim list; ldnsim run night_vs_morning. `ldnsim COMMAND --help` shows examples. "
    "--debug, with any command, shows where an error arose.",
    cls=WholeSentences,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def help_of(text: str, *examples: str) -> dict[str, Any]:
    """Summary and epilog of a command: examples to copy, and exit codes."""
    lines = ["\b", "Examples:", *(f"  {example}" for example in examples), "", EXIT_CODES]
    return {"short_help": text, "help": text, "epilog": "\n".join(lines)}


@app.callback(invoke_without_command=True)
def _version_option(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("ldnsim"))
        raise typer.Exit
