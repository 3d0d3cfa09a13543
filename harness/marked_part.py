"""A part of a Markdown page between two marks, written again in its place."""

import re
from pathlib import Path

from streams.errors import BadInputError


def write_between(page: Path, mark: str, text: str, title: str) -> None:
    """Put `text` between `<!-- mark -->` and `<!-- end of mark -->`: in the place of what was there, or at the page's
    end; a page that is not there is made, with `title`.

    Raises BadInputError when it cannot be read or written.
    """
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    block = f"{begin}\n{text.rstrip()}\n{end}"
    try:
        content = page.read_text(encoding="utf-8") if page.exists() else f"# {title}\n"
        found = re.search(f"{re.escape(begin)}.*?{re.escape(end)}", content, re.DOTALL)
        if found:
            content = content[: found.start()] + block + content[found.end() :]
        else:
            content = f"{content.rstrip()}\n\n{block}\n"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(content, encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--write {page}: {error.strerror or error}") from error
