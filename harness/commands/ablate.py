"""`bench ablate fraud`: an honest ablation of the default model, written as a page."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from harness.ablation.cases import Case, protocol_case, run_case, world_case
from harness.ablation.page import write_page
from harness.commands.options import CacheDir, cache_folder
from harness.commands.run_options import PresetChoice
from harness.interruption import interruptible
from harness.processes import Family
from harness.steps import Say, Steps
from harness.training import Workshop
from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Find out what each part of the model is worth.")
FIRST_WORLD, FIRST_TRAINING = 101, 1_001
"""Seeds of the first replicate; none is a shipped scenario's own."""
QUICK_SEEDS = 2
QUICK_GROUPS = ["parts"]


@app.command()
def fraud(
    *,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Worlds, each with a training seed of its own.")] = 5,
    out: Annotated[Path, typer.Option(help="Markdown page to write; the JSON goes beside it.")] = Path(
        "docs/quality.md"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="Two seeds; trees and autoencoder only.")] = False,
    handbook: Annotated[
        Path | None, typer.Option(help="The Fraud Detection Handbook's transactions, as a Parquet or CSV file.")
    ] = None,
    scenario: Annotated[str, typer.Option(help="Scenario file, or the name of a shipped one.")] = "fraud",
    preset: Annotated[PresetChoice | None, typer.Option(help="How hard fraud is to see in the worlds.")] = None,
    cache_dir: CacheDir = None,
) -> None:
    """Train the default model with each part changed, over several seeds, and say which changes have an effect.

    What was computed before is taken from the cache: an ablation that was stopped goes on where it was.
    """
    if out.suffix != ".md":
        raise BadInputError(f"--out {out}: the page is Markdown; give a name that ends in .md")
    count = min(seeds, QUICK_SEEDS) if quick else seeds
    steps = Steps(Console(stderr=True))
    with interruptible(), tempfile.TemporaryDirectory(prefix="riskbench-ablate-") as logs, Family() as family:
        parts: list[dict[str, Any]] = []
        made: dict[str, Any] = {}
        cells: list[dict[str, Any]] = []
        case: Case | None = None
        for place in range(count):
            with steps.step(f"World {place + 1} of {count}") as say:
                shop = _shop(cache_dir, logs, family, say)
                case = world_case(scenario, FIRST_WORLD + place, preset.value if preset else None, shop)
                made = run_case(case, [FIRST_TRAINING + place], _wanted(quick), shop)
                cells += [{**cell, "case": case.name} for cell in made["cells"]]
        if case is not None:
            parts.append(_world_part(case, cells, count, preset.value if preset else "medium"))
        if handbook is not None:
            with steps.step("The Handbook's weeks") as say:
                shop = _shop(cache_dir, logs, family, say)
                case = protocol_case(handbook, None, shop)
                made = run_case(case, [FIRST_TRAINING], _wanted(quick), shop)
                parts += _protocol_parts(case, [{**cell, "case": case.name} for cell in made["cells"]])
    _write(out, parts, made, _command(count, handbook, quick=quick))
    typer.echo(str(out))


def _shop(cache_dir: Path | None, logs: str, family: Family, say: Say) -> Workshop:
    return Workshop(cache_folder(cache_dir), Path(logs), family, say)


def _wanted(quick: bool) -> list[str]:
    return QUICK_GROUPS if quick else []


def _command(seeds: int, handbook: Path | None, *, quick: bool) -> str:
    told = f"bench ablate fraud --seeds {seeds}" + (f" --handbook {handbook.name}" if handbook else "")
    return told + (" --quick" if quick else "")


def _world_part(case: Case, cells: list[dict[str, Any]], count: int, preset: str) -> dict[str, Any]:
    events, frauds = (sum(cell[key] for cell in cells if cell["variant"] == "default") for key in ("events", "frauds"))
    words = (
        f"{count} worlds of preset {preset}, each with a training seed of its own: trained on the history, measured on "
        f"the days after the label delay ({events:,} events, {frauds:,} frauds in all). 1% of the events are alerted."
    )
    return {"title": "Synthetic worlds", "words": words, "k": case.k, "table": True, "cells": cells}


def _protocol_parts(case: Case, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = len(case.spans) - 1
    earlier = [cell for cell in cells if cell["window"] < last]
    own = [cell for cell in cells if cell["window"] == last]
    first, until = (datetime.fromtimestamp(end / 1e9, UTC).date().isoformat() for end in case.spans[-1][2:])
    words = (
        f"The {case.name} data's protocol, one to {last} weeks earlier, with days as many to train, wait and test; "
        "cards known to be compromised left out. Settings and features were chosen here."
    )
    parts = []
    if earlier:
        title = f"{case.name.capitalize()} data: {last} earlier weeks"
        parts.append({"title": title, "words": words, "k": case.k, "table": True, "cells": earlier})
    title = f"{case.name.capitalize()} data: the protocol's own week ({first} to {until}, exclusive)"
    words = "Nothing was chosen here."
    return [*parts, {"title": title, "words": words, "k": case.k, "table": False, "cells": own}]


def _write(out: Path, parts: list[dict[str, Any]], made: dict[str, Any], command: str) -> None:
    beside = out.with_suffix(".json")
    content = {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "json": beside.name,
        "variants": made["variants"],
        "settings": made["settings"],
        "versions": made["versions"],
        "parts": parts,
    }
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        out.write_text(write_page(content), encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
