"""A campaign's table as a part of a Markdown page, one part a broker, written again in its place."""

import re
from collections.abc import Sequence
from pathlib import Path

from harness.faults.campaign.figures import figures_table, problems
from harness.faults.campaign.trial import Trial
from harness.report.table import Table
from streams.errors import BadInputError


def part(trials: Sequence[Trial], broker: str, command: str, date: str, setting: str) -> str:
    """The part of a broker: how it was made, its table, what did not pass."""
    lines = [
        f"### On {broker}",
        "",
        f"Written by `{command}` on {date}: {setting}.",
        "",
        *_markdown(figures_table(trials)),
        "",
    ]
    found = problems(trials)
    if found:
        lines += [*(f"- {name}: {reason}" for name, reason in found), ""]
    return "\n".join(lines)


def _markdown(found: Table) -> list[str]:
    rows = [[cell.text.replace("|", "\\|") for cell in row] for row in found.rows]
    return [
        f"| {' | '.join(found.columns)} |",
        "|" + "|".join("---" if index in found.words else "---:" for index in range(len(found.columns))) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def write_part(page: Path, broker: str, text: str) -> None:
    """Put a broker's part into a page: in the place of the one before, or at its end; a page that is not there is made.

    Raises BadInputError when it cannot be read or written.
    """
    begin, end = f"<!-- faults: {broker} -->", f"<!-- end of faults: {broker} -->"
    block = f"{begin}\n{text.rstrip()}\n{end}"
    try:
        content = page.read_text(encoding="utf-8") if page.exists() else "# Faults\n"
        found = re.search(f"{re.escape(begin)}.*?{re.escape(end)}", content, re.DOTALL)
        if found:
            content = content[: found.start()] + block + content[found.end() :]
        else:
            content = f"{content.rstrip()}\n\n{block}\n"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(content, encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--write {page}: {error.strerror or error}") from error
