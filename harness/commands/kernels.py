"""`bench kernels`: what the kernels of features and graph cost as history grows."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from harness.environment import describe_environment
from harness.interruption import interruptible
from harness.kernels.measuring import DOMAINS, measure_graph, measure_growth
from harness.kernels.page import ENTITY, plot, to_markdown
from harness.marked_part import write_between
from harness.processes import Family
from harness.steps import Steps
from streams.errors import BadInputError

MARK = "bench kernels"
ENTITIES_MIN, ENTITIES_MAX = 1_000, 50_000_000


class DomainChoice(StrEnum):
    """Whose kernel."""

    fraud = "fraud"
    aml = "aml"


def kernels(
    *,
    domain: Annotated[DomainChoice | None, typer.Option(help="Only this one's kernel. Default: both.")] = None,
    entities: Annotated[
        str, typer.Option(help="How many cards or accounts, ascending, separated by commas; ten million take 11 GB.")
    ] = "10000,100000,1000000,10000000",
    write: Annotated[
        Path | None, typer.Option(help="Put tables and plots into this Markdown page, between marks.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all figures as JSON, all else to error.")] = False,
) -> None:
    """Find out what the kernels of features and graph cost by how many cards or accounts they know.

    Time an event, memory an entity, the longest pause; and the graph kernel's speed on sparse transfers with cycles.
    Compiling is no part of it.
    """
    sizes = _sizes(entities)
    steps = Steps(Console(stderr=as_json))
    found: dict[str, Any] = {}
    with interruptible(), Family() as family:
        for each in DOMAINS if domain is None else (domain.value,):
            content = found[each] = _measure(each, sizes, entities, family, steps)
            if not as_json:
                steps.console.print(Text(f"\n{to_markdown(content, None)}\n"), soft_wrap=True)
            if write is not None:
                write_beside(write, content)
    if as_json:
        typer.echo(json.dumps(found, indent=1))


def _measure(domain: str, sizes: list[int], entities: str, family: Family, steps: Steps) -> dict[str, Any]:
    measured, graph = [], None
    for size in sizes:
        with steps.step(f"{size:,} {ENTITY[domain]}"):
            measured.append(measure_growth(domain, size, family))
    if domain == "aml":
        with steps.step("Sparse transfers with cycles"):
            graph = measure_graph(family)
    return {"setting": _setting(domain, entities), "domain": domain, "sizes": measured, "graph": graph}


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        raise BadInputError(f"--entities {text!r}: whole numbers separated by commas, as 10000,100000") from None
    outside = [size for size in sizes if not ENTITIES_MIN <= size <= ENTITIES_MAX]
    if outside:
        raise BadInputError(f"--entities: {outside[0]}; allowed are {ENTITIES_MIN} to {ENTITIES_MAX}")
    if sizes != sorted(set(sizes)):
        raise BadInputError(f"--entities {text}: give them ascending, each once")
    return sizes


def _setting(domain: str, entities: str) -> dict[str, str]:
    machine = describe_environment()
    return {
        "command": f"bench kernels --domain {domain} --entities {entities}",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{machine.cpu_model}, {machine.memory_bytes / 1e9:.0f} GB, Python {machine.python}",
    }


def write_beside(page: Path, content: dict[str, Any]) -> None:
    """Put a kernel's figures into a page, between marks of its own, their plot beside the page."""
    domain = content["domain"]
    picture = page.with_name(f"{page.stem}-{domain}.svg")
    write_between(page, f"{MARK} --domain {domain}", to_markdown(content, picture.name), "Kernels")
    try:
        picture.write_text(plot(content), encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--write {page}: {picture}: {error.strerror or error}") from error
