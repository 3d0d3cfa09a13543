"""Values as Markdown text: names from data are escaped, they are never markup."""

import re
from collections.abc import Sequence
from typing import Any

from harness.report.table import Table

SPECIAL = re.compile(r"([\\`*_<>\[\]|#])")


def plain(value: Any) -> str:
    """A value as Markdown text, on one line."""
    return SPECIAL.sub(r"\\\1", " ".join(str(value).split()))


def tables_apart(text: str) -> str:
    """An empty line before and after each table, as CommonMark's readers ask for."""
    lines: list[str] = []
    for line in text.split("\n"):
        if lines and lines[-1].startswith("|") != line.startswith("|") and line and lines[-1]:
            lines.append("")
        lines.append(line.rstrip())
    return "\n".join(lines)


def figures_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the headings first, as a Markdown table whose first column is words and all others numbers."""
    head, *body = rows
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table_lines(found: Table) -> list[str]:
    """A table of the report as Markdown, a line each; numbers stand right."""
    rows = [[cell.text.replace("|", "\\|") for cell in row] for row in found.rows]
    return [
        f"| {' | '.join(found.columns)} |",
        "|" + "|".join("---" if index in found.words else "---:" for index in range(len(found.columns))) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
