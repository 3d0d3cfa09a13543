"""A campaign's table as a part of a Markdown page."""

from collections.abc import Sequence
from pathlib import Path

from harness.drift.replays.campaign import Trial
from harness.drift.replays.figures import alone_table, drifts_table, summary
from harness.marked_part import write_between
from harness.report.markdown import table_lines

MARK, TITLE = "drifts", "Drift"


def part(trials: Sequence[Trial], command: str, date: str, setting: str) -> str:
    """How it was made, what it came to, and the tables."""
    return "\n".join(
        [
            f"Written by `{command}` on {date}: {setting}.",
            "",
            *(f"- {line}" for line in summary(trials)),
            "",
            *table_lines(drifts_table(trials)),
            "",
            "What rules and model each lost (before → after the onset, each side by itself):",
            "",
            *table_lines(alone_table(trials)),
        ]
    )


def write_part(page: Path, text: str) -> None:
    """Put it into a page, in the place of the one before. Raises BadInputError when it cannot be written."""
    write_between(page, MARK, text, TITLE)
