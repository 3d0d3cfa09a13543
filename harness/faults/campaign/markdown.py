"""A campaign's table as a part of a Markdown page, one part a broker, written again in its place."""

from collections.abc import Sequence
from pathlib import Path

from harness.faults.campaign.figures import figures_table, problems
from harness.faults.campaign.trial import Trial
from harness.marked_part import write_between
from harness.report.markdown import table_lines


def part(trials: Sequence[Trial], broker: str, command: str, date: str, setting: str) -> str:
    """The part of a broker: how it was made, its table, what did not pass."""
    lines = [
        f"### On {broker}",
        "",
        f"Written by `{command}` on {date}: {setting}.",
        "",
        *table_lines(figures_table(trials)),
        "",
    ]
    found = problems(trials)
    if found:
        lines += [*(f"- {name}: {reason}" for name, reason in found), ""]
    return "\n".join(lines)


def write_part(page: Path, broker: str, text: str) -> None:
    """Put a broker's part into a page, in the place of the one before. Raises BadInputError when it cannot be
    written."""
    write_between(page, f"faults: {broker}", text, "Faults")
