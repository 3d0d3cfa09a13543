"""`bench audit fraud`, `bench audit aml`: is the world too easy, leaky, or unlike people?"""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from harness.commands.changes import absolute
from harness.commands.options import CacheDir, cache_folder
from harness.commands.run_options import PresetChoice
from harness.commands.transfer_options import (
    Accounts,
    Columns,
    Customers,
    Markets,
    Transfers,
    files_asked,
    refuse_mixed,
    to_the_end,
    world_asked,
)
from harness.interruption import interruptible
from harness.prepare import prepare
from harness.processes import Family
from harness.scenario import AmlScenario, Scenario, load_scenario
from harness.steps import Steps
from harness.training import Workshop
from harness.world_audit import Audit, audit_prepared, print_audit, to_markdown
from streams.errors import BadInputError
from streams.topics import Domain

OPTION_NAMES = {
    "world.preset": "--preset",
    "world.history_days": "--history-days",
    "world.markets": "--markets",
    "world.customers": "--customers",
    "world.laundering_share": "--denser",
    "world.look_alike_share": "--denser",
    "seeds.world": "--seed",
    "data.file": "--data",
    "data.columns": "--columns",
}

ScenarioFile = Annotated[str, typer.Option(help="Scenario file, or the name of a shipped one.")]
Preset = Annotated[PresetChoice | None, typer.Option(help="How hard the world is.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the world.")]
HistoryDays = Annotated[
    int | None, typer.Option(help="Days of the world before the stream; longer gives steadier figures.")
]
Strict = Annotated[
    bool | None,
    typer.Option(help="Apply the limits; default: to a world, not to somebody's data, which may be what they are."),
]
OutFolder = Annotated[
    Path | None, typer.Option(help="Folder for audit.json and audit.md; default: runs/audit-SCENARIO-SEED.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print audit.json to standard output, all else to standard error.")
]
Denser = Annotated[
    float | None,
    typer.Option(
        help="Laundering and its look-alikes so many times as often: typologies then show patterns enough to be judged."
    ),
]


def fraud(
    *,
    scenario: ScenarioFile = "fraud",
    preset: Preset = None,
    seed: Seed = None,
    history_days: HistoryDays = None,
    data: Annotated[Path | None, typer.Option(help="CSV or Parquet file to audit, instead of the world.")] = None,
    columns: Annotated[str | None, typer.Option(help="Column map of --data: a YAML file or a shipped name.")] = None,
    strict: Strict = None,
    out: OutFolder = None,
    as_json: AsJson = False,
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
            "data.file": absolute(data), "data.columns": columns,
        },
    )  # fmt: skip
    _carry_out(resolved, strict, out, cache_dir, as_json=as_json)


def aml(
    *,
    scenario: ScenarioFile = "aml",
    preset: Preset = None,
    seed: Seed = None,
    history_days: HistoryDays = None,
    markets: Markets = None,
    customers: Customers = None,
    denser: Denser = None,
    transfers: Transfers = None,
    accounts: Accounts = None,
    columns: Columns = None,
    strict: Strict = None,
    out: OutFolder = None,
    as_json: AsJson = False,
    cache_dir: CacheDir = None,
) -> None:
    """Check that laundering can't be told by one column, a leak or a trace: in all, by typology and by market.

    Exit code 0: every limit holds (or none is applied); 1: one is broken; 2: bad input.
    """
    refuse_mixed(transfers, accounts, columns, {"--markets": markets, "--customers": customers, "--denser": denser})
    changes = {
        "seeds.world": seed,
        "world.history_days": history_days,
        **world_asked(preset, markets, customers),
        **files_asked(transfers, accounts, columns),
    }
    resolved = _resolved(scenario, changes, "aml")
    if denser is not None:
        resolved = _resolved(scenario, {**changes, **_denser(resolved, denser)}, "aml")
    _carry_out(to_the_end(resolved, timed=False), strict, out, cache_dir, as_json=as_json)


def _denser(scenario: Scenario, times: float) -> dict[str, Any]:
    """Changes of the world that keep its proportion of laundering to look-alikes."""
    if not isinstance(scenario, AmlScenario):
        raise BadInputError(f"--denser: {scenario.name} is no scenario of money laundering")
    config = scenario.world.config
    return {
        "world.laundering_share": config.laundering_share * times,
        "world.look_alike_share": config.look_alike_share * times,
    }


def _carry_out(
    scenario: Scenario, strict: bool | None, out: Path | None, cache_dir: Path | None, *, as_json: bool
) -> None:
    applied = scenario.data is None if strict is None else strict
    folder = out or Path("runs") / f"audit-{scenario.name}-{scenario.seeds.world}"
    audit = _audit(scenario, cache_folder(cache_dir), Steps(Console(stderr=True)), strict=applied)
    source = scenario.data.file if scenario.data else f"world {scenario.name}, seed {scenario.seeds.world}"
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


def _resolved(scenario: str, changes: dict[str, Any], domain: Domain = "fraud") -> Scenario:
    resolved = load_scenario(scenario, changes, OPTION_NAMES, domain)
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
