"""The last step of a run: its report."""

from pathlib import Path

from harness.runfolder import RunFolder
from harness.steps import Steps


def write_report_of(folder: RunFolder, steps: Steps) -> Path:
    """Write a run folder's report."""
    from harness.report.html import write_report  # noqa: PLC0415 - its plotting library is slow to import

    with steps.step("Writing the report"):
        written: Path = write_report(folder.path)
    return written
