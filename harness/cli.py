"""The command line, `bench`. Exit codes: 0 pass, 1 a limit broken, 2 bad usage or input, 3 invalid run."""

import logging
import os
import sys
from importlib import metadata
from typing import Annotated

import typer

from harness.command_table import LoadedWhenCalled, enter_commands
from harness.interruption import Interrupted
from streams.errors import RiskbenchError

app = typer.Typer(
    name="bench",
    cls=LoadedWhenCalled,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Is this fraud scorer fast, right, stable and safe? One run, on one stream, answers.",
)
enter_commands(app)


def _version() -> str:
    try:
        return metadata.version("riskbench")
    except metadata.PackageNotFoundError:
        return "not installed (running from its source folder)"


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(_version())
        raise typer.Exit


@app.callback()
def bench(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Is this fraud scorer fast, right, stable and safe? One run, on one stream, answers."""


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(_version())


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Errors the person can act on are one message on standard error, never a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        app(args=arguments, obj=dict(os.environ))
    except RiskbenchError as error:
        typer.echo(f"bench: {error}", err=True)
        sys.exit(error.exit_code)
    except Interrupted as stopped:
        typer.echo(f"bench: {stopped}; a run folder it had begun stays marked as incomplete", err=True)
        sys.exit(stopped.exit_code)


if __name__ == "__main__":
    main()
