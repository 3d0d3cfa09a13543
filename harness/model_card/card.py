"""Writes the card's facts as Markdown, and that as one HTML page in the report's style."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from jinja2.loaders import FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

from harness.report.markdown import plain, tables_apart
from harness.report.words import DASH, count, interval, score, share, spoken

PAGE = Path(__file__).parent / "page"
STYLE = Path(__file__).parents[1] / "report" / "page" / "report.css"


def render_markdown(facts: Mapping[str, Any]) -> str:
    """The card as Markdown (CommonMark with tables). Names from data are escaped: they are never markup."""
    environment = Environment(
        undefined=StrictUndefined,
        loader=FileSystemLoader(PAGE),
        finalize=plain,
        trim_blocks=False,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown, escaped by `finalize`
    )
    environment.filters |= {
        "between": lambda row, key: interval(row, key, _share),
        "count": count,
        "figure": _figure,
        "fine": _fine,
        "interval": lambda row: interval(row, "", _fine),
        "known": lambda value: DASH if value is None else str(value),
        "score": score,
        "share": _share,
        "spoken": spoken,
    }
    text = environment.get_template("card.md.j2").render(**facts)
    return re.sub(r"\n{3,}", "\n\n", tables_apart(text)).strip() + "\n"


def render_html(markdown: str) -> str:
    """One page that opens offline; markup in the Markdown's text stays text."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    body = body.replace("<table>", '<div class="card-table" tabindex="0"><table>').replace("</table>", "</table></div>")
    title = markdown.partition("\n")[0].removeprefix("# ")
    environment = Environment(autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader(PAGE))
    # the renderer escapes what it is given; the style sheet is our own
    return environment.get_template("card.html.j2").render(
        title=title,
        body=Markup(body),  # noqa: S704
        style=Markup(STYLE.read_text(encoding="utf-8")),  # noqa: S704
    )


def _share(value: float | None) -> str:
    return share(value, 2 if value is not None and 0 < value < 0.01 else 1)


def _fine(value: float | None) -> str:
    """Three places, or as many as show something."""
    if value is None or value == 0 or abs(value) >= 0.01:
        return score(value)
    return f"{value:.5f}"


def _figure(value: Any) -> str:
    """A setting's value as people write it."""
    if value is None:
        return "not set"
    if isinstance(value, float):
        return f"{value:g}" if value == round(value, 4) else f"{value:.4f}"
    if isinstance(value, list):
        return ", ".join(_figure(item) for item in value)
    return str(value)
