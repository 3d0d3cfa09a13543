"""`bench report RUN`: the report and the summary of a run that is done."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from harness.commands.options import AsJson
from harness.results import read_results
from harness.runfolder import MARKER, is_complete
from harness.steps import Steps
from harness.summary import print_summary
from streams.errors import BadInputError


def report(run: Annotated[Path, typer.Argument(help="A run folder.")], as_json: AsJson = False) -> None:
    """Write report.html of a run again, and print its summary."""
    if not is_complete(run):
        marker = run / MARKER
        why = f" ({marker.read_text(encoding='utf-8').strip()})" if marker.is_file() else ""
        raise BadInputError(f"{run}: not a finished run{why}")
    try:
        results = read_results(run / "results.json")
    except msgspec.DecodeError as error:
        raise BadInputError(f"{run / 'results.json'}: {error}") from error
    console = Console(stderr=as_json)
    from harness.report.html import write_report  # noqa: PLC0415 - its plotting library is slow to import

    with Steps(console).step("Writing the report"):
        written = write_report(run)
    print_summary(results, run, written, console)
    if as_json:
        typer.echo((run / "results.json").read_text(encoding="utf-8"), nl=False)
