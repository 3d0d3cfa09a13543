"""The command line, `bench`. Exit codes: 0 pass, 1 a limit broken, 2 bad usage or input, 3 invalid run."""

import logging
import os
import sys
from importlib import metadata

import typer

from harness.commands import (
    ablate,
    audit,
    capacity,
    card,
    compare,
    dead_letter,
    explain,
    features,
    gate,
    inject,
    peers,
    prepare,
    replay,
    report,
    run,
    selftest,
    train,
    world,
)
from harness.interruption import Interrupted
from streams.errors import RiskbenchError

app = typer.Typer(
    name="bench",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Is this fraud scorer fast, right, stable and safe? One run, on one stream, answers.",
)
app.add_typer(run.app, name="run")
app.add_typer(train.app, name="train")
app.add_typer(prepare.app, name="prepare")
app.add_typer(ablate.app, name="ablate")
app.add_typer(world.app, name="world")
app.add_typer(card.app, name="card")
app.add_typer(capacity.app, name="capacity")
app.add_typer(inject.app, name="inject")
app.add_typer(peers.app, name="peers")
app.add_typer(audit.app, name="audit")
app.add_typer(features.app, name="features")
app.command("report")(report.report)
app.command("replay")(replay.replay)
app.command("explain")(explain.explain)
app.command("selftest")(selftest.selftest)
app.command("compare")(compare.compare)
app.command("dead-letter")(dead_letter.dead_letter)
app.command("gate", context_settings={"allow_extra_args": True})(gate.gate)


@app.command()
def version() -> None:
    """Print the version."""
    try:
        typer.echo(metadata.version("riskbench"))
    except metadata.PackageNotFoundError:
        typer.echo("not installed (running from its source folder)")


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
