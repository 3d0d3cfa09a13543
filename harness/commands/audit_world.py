"""`bench audit fraud`: is the world too easy, leaky, or unlike people?"""

import json
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from harness.commands.options import CacheDir, cache_folder
from harness.interruption import interruptible
from harness.prepare import prepare
from harness.processes import Family
from harness.scenario import Scenario, load_scenario
from harness.steps import Steps
from harness.training import Workshop
from harness.world_audit import Audit, audit_prepared, print_audit, to_markdown
from streams.errors import BadInputError

OPTION_NAMES = {
    "world.preset": "--preset",
    "world.history_days": "--history-days",
    "seeds.world": "--seed",
    "data.file": "--data",
    "data.columns": "--columns",
}


class Preset(StrEnum):
    """How hard a world is."""

    easy = "easy"
    medium = "medium"
    hard = "hard"


def fraud(
    *,
    scenario: Annotated[str, typer.Option(help="Scenario file, or the name of a shipped one.")] = "fraud",
    preset: Annotated[Preset | None, typer.Option(help="How hard the world is.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the world.")] = None,
    history_days: Annotated[
        int | None, typer.Option(help="Days of the world before the stream; longer gives steadier figures.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="CSV or Parquet file to audit, instead of the world.")] = None,
    columns: Annotated[str | None, typer.Option(help="Column map of --data: a YAML file or a shipped name.")] = None,
    strict: Annotated[
        bool | None,
        typer.Option(help="Apply the limits; default: to a world, not to --data, which may be what it is."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for audit.json and audit.md; default: runs/audit-SCENARIO-SEED.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print audit.json to standard output, all else to standard error.")
    ] = False,
    cache_dir: CacheDir = None,
) -> None:
    """Check that frauds can't be told by one column, a leak or a trace, and that cards behave like people's.

    Exit code 0: every limit holds (or none is applied); 1: one is broken; 2: bad input.
    """
    if columns is not None and data is None:
        raise BadInputError(f"--columns {columns}: it maps the columns of a file; name it with --data FILE")
    resolved = _resolved(
        scenario,
        {
            "world.preset": preset.value if preset else None, "seeds.world": seed, "world.history_days": history_days,
            "data.file": str(data.resolve()) if data else None, "data.columns": columns,
        },
    )  # fmt: skip
    applied = resolved.data is None if strict is None else strict
    folder = out or Path("runs") / f"audit-{resolved.name}-{resolved.seeds.world}"
    audit = _audit(resolved, cache_folder(cache_dir), Steps(Console(stderr=True)), strict=applied)
    source = resolved.data.file if resolved.data else f"world {resolved.name}, seed {resolved.seeds.world}"
    text = json.dumps(audit, indent=1, sort_keys=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "audit.json").write_text(text + "\n", encoding="utf-8")
        (folder / "audit.md").write_text(to_markdown(audit, f"Audit of {source}"), encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--out {folder}: cannot be written: {error.strerror or error}") from error
    print_audit(audit, Console(stderr=as_json))
    typer.echo(text if as_json else str(folder / "audit.md"))
    if audit["status"] == "fail":
        raise typer.Exit(1)


def _resolved(scenario: str, changes: dict[str, Any]) -> Scenario:
    resolved = load_scenario(scenario, changes, OPTION_NAMES)
    about_worlds = ("world.preset", "seeds.world", "world.history_days")
    vain = [OPTION_NAMES[key] for key in about_worlds if changes[key] is not None]
    if resolved.data is not None and vain:
        raise BadInputError(f"{vain[0]}: it shapes a world, but {resolved.data.file} is to be audited; leave it out")
    return resolved


def _audit(scenario: Scenario, cache: Path, steps: Steps, *, strict: bool) -> Audit:
    with interruptible(), tempfile.TemporaryDirectory(prefix="riskbench-audit-") as logs, Family() as family:
        with steps.step("Preparing the data" if scenario.data else "Building the world"):
            prepared = prepare(scenario, cache)
        with steps.step("Auditing") as say:
            return audit_prepared(scenario, prepared, Workshop(cache, Path(logs), family, say), strict=strict)
