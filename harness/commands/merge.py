"""`bench merge RUN RUN …`: the shares that several hosts made of one stream, as one run."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.commands.carrying_out import tell_and_end
from harness.commands.options import AsJson, Out
from harness.commands.run_options import NoReport
from harness.results import encode_results
from harness.run import Finished
from harness.run_report import write_report_of
from harness.runfolder import RunFolder
from harness.shares.merging import merge as merge_shares
from harness.shares.merging import read_shares
from harness.steps import Steps
from harness.summary import print_summary
from streams.errors import RiskbenchError

Folders = Annotated[list[Path], typer.Argument(help="The run folders of all shares, in any order.")]


def merge(runs: Folders, *, out: Out = Path("runs"), no_report: NoReport = False, as_json: AsJson = False) -> None:
    """Put the shares of one run together (bench run fraud --share I/N, on N hosts): rows, counts and histograms of all
    of them, the verdict made anew. Exit code as of a run; 2 where they are not the shares of one run, all of them."""
    shares = read_shares(runs)
    console, now = Console(stderr=as_json), datetime.now(UTC)
    steps = Steps(console)
    folder = RunFolder.create(out, f"{shares[0].results.scenario}-merged", now)
    try:
        with steps.step(f"Merging {len(shares)} shares"):
            results = merge_shares(shares, folder, now)
            folder.write("results.json", encode_results(results))
        report = None if no_report else write_report_of(folder, steps)
    except RiskbenchError as error:
        folder.mark(f"{type(error).__name__}: {error}")
        folder.clear_work()
        raise
    folder.complete()
    print_summary(results, folder.path, report, console)
    tell_and_end(Finished(folder.path, results, report), as_json=as_json)
