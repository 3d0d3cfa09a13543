"""`bench world …`: the synthetic population's tables, for a look or for other tools."""

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.commands.options import CacheDir, cache_folder
from harness.commands.run_options import PresetChoice
from harness.prepare import prepare
from harness.scenario import load_scenario
from harness.steps import Steps
from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Write a synthetic world's tables.")
TABLES = ("history", "history_labels", "events", "labels", "dispositions", "profiles")


@app.command()
def fraud(
    *,
    out: Annotated[Path, typer.Option(help="Folder for the Parquet files.")],
    scenario: Annotated[str, typer.Option(help="Scenario file, or the name of a shipped one.")] = "fraud",
    seed: Annotated[int | None, typer.Option(help="Seed of the world.")] = None,
    preset: Annotated[
        PresetChoice | None, typer.Option(help="How hard fraud is to see; the scenario's own keys go over it.")
    ] = None,
    cards: Annotated[int | None, typer.Option(help="Number of cards.")] = None,
    history_days: Annotated[int | None, typer.Option(help="Days of history before the stream.")] = None,
    cache_dir: CacheDir = None,
) -> None:
    """The card world: history and stream, each with its labels, and the cards' profiles, as Parquet."""
    changes = {
        "seeds.world": seed,
        "world.preset": preset.value if preset else None,
        "world.cards": cards,
        "world.history_days": history_days,
    }
    names = {"seeds.world": "--seed", "world.cards": "--cards", "world.history_days": "--history-days"}
    resolved = load_scenario(scenario, changes, names)
    if resolved.data is not None:
        raise BadInputError(f"scenario {scenario}: it streams a data file, not a world")
    steps = Steps(Console(stderr=True))
    with steps.step("Building the world"):
        prepared = prepare(resolved, cache_folder(cache_dir))
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name in TABLES:
                shutil.copyfile(prepared.file(name), out / f"{name}.parquet")
        except OSError as error:
            raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
    steps.note(f"{prepared.facts['history']:,} events of history, {prepared.events:,} to stream")
    typer.echo(str(out))
