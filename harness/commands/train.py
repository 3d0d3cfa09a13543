"""`bench train …`: a model bundle, without a run."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.commands.options import CacheDir, cache_folder
from harness.interruption import interruptible
from harness.prepare import prepare
from harness.processes import Family
from harness.scenario import load_scenario
from harness.steps import Steps
from harness.training import Workshop, read_bundle, train
from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Train a model and write its bundle.")


@app.command()
def fraud(
    *,
    scenario: Annotated[str, typer.Option(help="Scenario file, or the name of a shipped one.")] = "fraud",
    seed: Annotated[int | None, typer.Option(help="Seed of the training.")] = None,
    data: Annotated[Path | None, typer.Option(help="CSV or Parquet file to train on, instead of the world.")] = None,
    columns: Annotated[str | None, typer.Option(help="Column map of --data: a YAML file or a shipped name.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to copy the bundle to; it must not exist yet.")] = None,
    cache_dir: CacheDir = None,
) -> None:
    """Train the fraud model on the scenario's history; the bundle's folder is printed last."""
    if out is not None and out.exists():
        raise BadInputError(f"--out {out}: exists already; name a new folder")
    changes = {"seeds.training": seed, "data.file": str(data.resolve()) if data else None, "data.columns": columns}
    resolved = load_scenario(scenario, changes, {"seeds.training": "--seed", "data.columns": "--columns"})
    console, cache = Console(stderr=True), cache_folder(cache_dir)
    steps = Steps(console)
    with interruptible(), tempfile.TemporaryDirectory(prefix="riskbench-train-") as logs, Family() as family:
        with steps.step("Preparing history"):
            prepared = prepare(resolved, cache)
        with steps.step("Training the model") as say:
            bundle = train(resolved, prepared, Workshop(cache, Path(logs), family, say))
    if out is not None:
        try:
            bundle = Path(shutil.copytree(bundle, out))
        except OSError as error:
            raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
    for name, value in read_bundle(bundle).get("metrics", {}).items():
        if isinstance(value, float):
            steps.note(f"{name}: {value:.4f}")
    typer.echo(str(bundle))
