"""`bench train …`: a model bundle, without a run."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.aml.next_training import open_run
from harness.commands.options import CacheDir, cache_folder
from harness.commands.train_next import copied, train_next
from harness.interruption import interruptible
from harness.prepare import prepare
from harness.processes import Family
from harness.scenario import Scenario, load_scenario
from harness.steps import Steps
from harness.training import Workshop, read_bundle, train
from streams.errors import BadInputError

OPTION_NAMES = {
    "seeds.training": "--seed",
    "data.columns": "--columns",
    "training.alert_budget_per_day": "--alert-budget-per-day",
    "training.cost_missed_fraud": "--cost-missed-fraud",
    "training.cost_false_alert": "--cost-false-alert",
    "training.cost_false_block": "--cost-false-block",
}
MissedFraud = Annotated[
    str | None, typer.Option(help="Cost of a missed fraud: a share of its amount (100%) or money (250).")
]
FalseAlert = Annotated[float | None, typer.Option(help="Cost of one review, money; thresholds then follow the costs.")]
FalseBlock = Annotated[
    float | None, typer.Option(help="Cost of blocking a genuine event, money; without it nothing is blocked.")
]

app = typer.Typer(no_args_is_help=True, help="Train a model and write its bundle.")


@app.command()
def fraud(
    *,
    scenario: Annotated[str, typer.Option(help="Scenario file, or the name of a shipped one.")] = "fraud",
    seed: Annotated[int | None, typer.Option(help="Seed of the training.")] = None,
    data: Annotated[Path | None, typer.Option(help="CSV or Parquet file to train on, instead of the world.")] = None,
    columns: Annotated[str | None, typer.Option(help="Column map of --data: a YAML file or a shipped name.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to copy the bundle to; it must not exist yet.")] = None,
    alert_budget_per_day: Annotated[float | None, typer.Option(help="Alerts a day that thresholds may give.")] = None,
    cost_missed_fraud: MissedFraud = None,
    cost_false_alert: FalseAlert = None,
    cost_false_block: FalseBlock = None,
    cache_dir: CacheDir = None,
) -> None:
    """Train the fraud model on the scenario's history; the bundle's folder is printed last."""
    if out is not None and out.exists():
        raise BadInputError(f"--out {out}: exists already; name a new folder")
    changes = {
        "seeds.training": seed,
        "data.file": str(data.resolve()) if data else None,
        "data.columns": columns,
        "training.alert_budget_per_day": alert_budget_per_day,
        "training.cost_missed_fraud": cost_missed_fraud,
        "training.cost_false_alert": cost_false_alert,
        "training.cost_false_block": cost_false_block,
    }
    _train_and_tell(load_scenario(scenario, changes, OPTION_NAMES), out, cache_dir)


@app.command()
def aml(
    *,
    scenario: Annotated[
        str | None, typer.Option(help="Scenario file, or the name of a shipped one (aml); not with --from.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--from", help="Run folder: train its next model, on what its investigators found as well."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the training.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to copy the bundle to; it must not exist yet.")] = None,
    alert_budget_per_day: Annotated[float | None, typer.Option(help="Alerts a day that thresholds may give.")] = None,
    cache_dir: CacheDir = None,
) -> None:
    """Train the money-laundering model on the scenario's history; the bundle's folder is printed last.

    With --from, the transfers that a run streamed follow its history, labelled by its investigators' findings alone;
    the run's model and the new one are then compared on the transfers that come next.
    """
    if out is not None and out.exists():
        raise BadInputError(f"--out {out}: exists already; name a new folder")
    changes = {"seeds.training": seed, "training.alert_budget_per_day": alert_budget_per_day}
    if run is None:
        _train_and_tell(load_scenario(scenario or "aml", changes, OPTION_NAMES, domain="aml"), out, cache_dir)
        return
    if scenario is not None:
        raise BadInputError("--from RUN has the run's own scenario: leave out --scenario")
    train_next(open_run(run, changes, OPTION_NAMES), out, cache_folder(cache_dir))


def _train_and_tell(resolved: Scenario, out: Path | None, cache_dir: Path | None) -> None:
    console, cache = Console(stderr=True), cache_folder(cache_dir)
    steps = Steps(console)
    with interruptible(), tempfile.TemporaryDirectory(prefix="riskbench-train-") as logs, Family() as family:
        with steps.step("Preparing history"):
            prepared = prepare(resolved, cache)
        with steps.step("Training the model") as say:
            bundle = train(resolved, prepared, Workshop(cache, Path(logs), family, say))
    bundle = copied(bundle, out)
    for name, value in read_bundle(bundle).get("metrics", {}).items():
        if isinstance(value, float):
            steps.note(f"{name}: {value:.4f}")
    typer.echo(str(bundle))
