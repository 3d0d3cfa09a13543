"""Values as Markdown text: names from data are escaped, they are never markup."""

import re
from typing import Any

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
