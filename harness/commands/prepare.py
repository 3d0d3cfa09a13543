"""`bench prepare …`: all that a scorer of ours starts from, where it is not the run that starts it."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.commands.changes import absolute, columns_file, resolve, seeds_from
from harness.commands.options import CacheDir, cache_folder
from harness.commands.run_options import (
    Bundle,
    Columns,
    Data,
    Duration,
    Partitions,
    Preset,
    Rate,
    Rules,
    ScenarioFile,
    Seed,
    Warmup,
)
from harness.interruption import interruptible
from harness.prepare import prepare
from harness.processes import Family
from harness.scenario import Scenario
from harness.serving_folder import SCENARIO, refuse_other_content, write_serving_folder
from harness.steps import Steps
from harness.training import Workshop, given_bundle, given_rules, train, warm
from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Write what a scorer that runs elsewhere starts from.")


@app.command()
def fraud(
    *,
    out: Annotated[Path, typer.Option(help="Folder to write; an older one of this command is replaced.")],
    scenario: ScenarioFile = "fraud",
    rate: Rate = None,
    duration: Duration = None,
    warmup: Warmup = None,
    partitions: Partitions = None,
    seed: Seed = None,
    bundle: Bundle = None,
    rules: Rules = None,
    preset: Preset = None,
    data: Data = None,
    columns: Columns = None,
    cache_dir: CacheDir = None,
) -> None:
    """Card fraud: train the model, warm the state, and write both with rules and scenario into one folder, for scorers
    that are measured with `bench run fraud --scenario OUT/scenario.yaml --scorer external`."""
    refuse_other_content(out)
    changes = {
        "load.rate_per_s": rate,
        "load.duration_s": duration,
        "load.warmup_s": warmup,
        "load.partitions": partitions,
        "scorer.bundle": absolute(bundle),
        "scorer.rules": absolute(rules),
        "world.preset": preset.value if preset else None,
        "data.columns": columns_file(columns),
        **seeds_from(seed),
    }
    resolved = resolve(scenario, changes, data, timed=duration is not None)
    steps = Steps(Console(stderr=True))
    written = _write(resolved, out.resolve(), cache_folder(cache_dir), steps)
    steps.note("written" if written else "held the very same already")
    typer.echo(str(out.resolve() / SCENARIO))


def _write(scenario: Scenario, out: Path, cache: Path, steps: Steps) -> bool:
    rules = given_rules(scenario)
    with interruptible(), tempfile.TemporaryDirectory(prefix="riskbench-prepare-") as logs, Family() as family:
        with steps.step("Preparing events"):
            prepared = prepare(scenario, cache)
        bundle = given_bundle(scenario)
        if bundle is None:
            if not prepared.labelled:
                raise BadInputError("the data has no labels to train on; give a bundle with --bundle DIR")
            with steps.step("Training the model") as say:
                bundle = train(scenario, prepared, Workshop(cache, Path(logs), family, say))
        with steps.step("Warming the features on history") as say:
            state, _ = warm(scenario, prepared, bundle, rules, Workshop(cache, Path(logs), family, say))
    return write_serving_folder(out, scenario, bundle, rules, state)
