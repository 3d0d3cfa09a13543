"""Carrying a run out from the command line, and telling of it."""

import secrets
import sys
from datetime import UTC, datetime

import typer
from rich.console import Console

from harness.run import Finished, Outside, RunOptions, carry_out
from harness.steps import Steps
from harness.summary import print_summary
from harness.verdict import EXIT_CODES


def run_and_show(options: RunOptions, console: Console) -> Finished:
    """Carry out a run and print its summary."""
    outside = Outside(now=lambda: datetime.now(UTC), token=lambda: secrets.token_hex(2))
    finished = carry_out(options, Steps(console), outside)
    print_summary(finished.results, finished.folder, finished.report, console)
    return finished


def run_and_tell(options: RunOptions, *, as_json: bool) -> Finished:
    """Carry out a run, telling of it on the right stream, and end with the verdict's exit code."""
    finished = run_and_show(options, Console(stderr=as_json))
    return tell_and_end(finished, as_json=as_json)


def tell_and_end(finished: Finished, *, as_json: bool) -> Finished:
    """Print results.json where it is asked for, and end with the verdict's exit code."""
    if as_json:
        sys.stdout.write((finished.folder / "results.json").read_text(encoding="utf-8"))
        sys.stdout.flush()
    raise typer.Exit(EXIT_CODES[finished.results.verdict.status])
