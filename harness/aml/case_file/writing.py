"""Writes case files into a run folder: `cases/<alert>.html` and `.md`, and an index that the report links to."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from jinja2.loaders import FileSystemLoader
from markupsafe import Markup

from harness.aml.case_file.facts import CaseFacts
from harness.aml.case_file.money import spoken_money, spoken_sums
from harness.aml.case_file.narrative import narrate, spoken_day, spoken_time
from harness.aml.case_file.subgraph import NODE_HEIGHT, NODE_WIDTH, draw
from harness.report.markdown import plain, tables_apart
from harness.report.words import spoken

PAGE = Path(__file__).parent / "page"
STYLE = Path(__file__).parents[2] / "report" / "page" / "report.css"
CASES_FOLDER = "cases"
INDEX_FILE = "index.html"
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A case as the index lists it."""

    stem: str
    case: CaseFacts


def write_cases(folder: Path, cases: Sequence[CaseFacts], left_out: int = 0) -> Path | None:
    """Write every case, the highest score first, and the index; its path, or None without cases.

    `left_out`: alerts that have no case file; the index says how many.
    """
    if not cases:
        return None
    into = folder / CASES_FOLDER
    into.mkdir(mode=0o700, exist_ok=True)
    ordered = sorted(cases, key=lambda case: (-case.alerted.score, case.alert.alert_id))
    listed = [Listed(file_stem(case.alert.alert_id), case) for case in ordered]
    for one in listed:
        _write(into / f"{one.stem}.html", render_case(one.case))
        _write(into / f"{one.stem}.md", render_draft(one.case))
    index = into / INDEX_FILE
    _write(index, render_index(listed, left_out))
    return index


def file_stem(alert_id: str) -> str:
    """A file name for an alert, whatever its id holds: other ids get other names, also where case is not told apart."""
    if _SAFE.fullmatch(alert_id) and alert_id == alert_id.lower() and alert_id != Path(INDEX_FILE).stem:
        return alert_id
    digest = hashlib.blake2b(alert_id.encode(), digest_size=8).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9-]+', '-', alert_id)[:40].strip('-') or 'alert'}.{digest}"


def render_case(case: CaseFacts) -> str:
    """One page that opens offline: draft, drawn subgraph, transfers."""
    return (
        _html()
        .get_template("case.html.j2")
        .render(
            **_facts(case),
            drawing=draw(case),
            node_width=NODE_WIDTH,
            node_height=NODE_HEIGHT,
            style=_style(),
        )
    )


def render_draft(case: CaseFacts) -> str:
    """The draft as Markdown."""
    text = _markdown().get_template("case.md.j2").render(**_facts(case))
    return re.sub(r"\n{3,}", "\n\n", tables_apart(text)).strip() + "\n"


def render_index(listed: Sequence[Listed], left_out: int) -> str:
    """All cases of a run."""
    rows = [
        {"stem": one.stem, "total": spoken_sums(one.case.sums(one.case.transfers)), "case": one.case} for one in listed
    ]
    return _html().get_template("index.html.j2").render(rows=rows, left_out=left_out, style=_style())


def _facts(case: CaseFacts) -> dict[str, Any]:
    return {"case": case, "alert": case.alert, "sections": narrate(case)}


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


@lru_cache
def _style() -> Markup:
    # our own files, not a run's: markup on purpose
    return Markup(STYLE.read_text(encoding="utf-8") + (PAGE / "case.css").read_text(encoding="utf-8"))  # noqa: S704


def _with_filters(environment: Environment) -> Environment:
    environment.filters |= {"day": spoken_day, "money": spoken_money, "spoken": spoken, "time": spoken_time}
    return environment


@lru_cache
def _html() -> Environment:
    return _with_filters(Environment(autoescape=True, undefined=StrictUndefined, loader=FileSystemLoader(PAGE)))


@lru_cache
def _markdown() -> Environment:
    return _with_filters(
        Environment(
            undefined=StrictUndefined,
            loader=FileSystemLoader(PAGE),
            finalize=plain,
            autoescape=False,  # noqa: S701 - Markdown, escaped by `finalize`
        )
    )
