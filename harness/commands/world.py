"""`bench world …`: the synthetic population's tables, for a look or for other tools."""

import resource
import shutil
import time
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer
from rich.console import Console

from harness.commands.options import CacheDir, cache_folder
from harness.commands.run_options import PresetChoice
from harness.prepare import prepare
from harness.report.words import size
from harness.scenario import load_scenario
from harness.steps import Steps
from harness.world_files import write_world
from streams.errors import BadInputError
from streams.worlds import SEED_MAX, AmlWorld, AmlWorldConfig
from streams.worlds.aml.world import TICK_NS
from streams.worlds.world import STREAM_EVENTS_MAX

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
    events: Annotated[
        int | None,
        typer.Option(min=1, max=STREAM_EVENTS_MAX, help="Events to stream; default: what the scenario's load sends."),
    ] = None,
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
    steps, begun_s = Steps(Console(stderr=True)), time.process_time()
    with steps.step("Building the world"):
        prepared = prepare(resolved, cache_folder(cache_dir), events)
        spent_s = time.process_time() - begun_s
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name in TABLES:
                shutil.copyfile(prepared.file(name), out / f"{name}.parquet")
        except OSError as error:
            raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
    history = int(prepared.facts["history"])
    steps.note(f"{history:,} events of history, {prepared.events:,} to stream")
    if not prepared.cached:
        steps.note(_cost(history + prepared.events, "events", spent_s))
    typer.echo(str(out))


@app.command()
def aml(
    *,
    out: Annotated[Path, typer.Option(help="Folder for the Parquet files.")],
    seed: Annotated[int, typer.Option(min=0, max=SEED_MAX, help="Seed of the world.")] = 1,
    preset: Annotated[
        PresetChoice, typer.Option(help="How hard laundering is to see; the other options go over it.")
    ] = PresetChoice.medium,
    customers: Annotated[int | None, typer.Option(help="Number of customers, people and businesses.")] = None,
    markets: Annotated[
        str | None, typer.Option(help="How many markets, or their country codes with commas between: DE,GB,US.")
    ] = None,
    history_days: Annotated[int, typer.Option(help="Days of history before the stream.")] = 120,
    transfers: Annotated[int, typer.Option(help="Transfers to stream.")] = 100_000,
) -> None:
    """The money-laundering world: history and stream with their truth, accounts and members of patterns, as Parquet."""
    asked = {"preset": preset.value, "customers": customers, "markets": _markets(markets)}
    config = AmlWorldConfig.from_mapping({key: value for key, value in asked.items() if value is not None})
    steps, begun_s = Steps(Console(stderr=True)), time.process_time()
    with steps.step("Building the world"):
        world = AmlWorld(config, seed)
        try:
            out.mkdir(parents=True, exist_ok=True)
            written = write_world(out, world, history_days, transfers)
            beside = {"accounts": world.accounts(), "members": world.members(written.last_ns + TICK_NS)}
            for name, table in beside.items():
                pq.write_table(table, out / f"{name}.parquet", compression="zstd", compression_level=1)
        except OSError as error:
            raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
    steps.note(f"{written.history:,} transfers of history, {written.events:,} to stream")
    steps.note(_cost(written.history + written.events, "transfers", time.process_time() - begun_s))
    typer.echo(str(out))


def _cost(rows: int, what: str, spent_s: float) -> str:
    """What it took to make and write so many."""
    memory = size(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024)  # KiB on Linux
    return f"{rows / spent_s:,.0f} {what} a second of processor time, files included; {memory} of memory at most"


def _markets(text: str | None) -> int | list[str] | None:
    """A number of markets, or codes."""
    if text is None:
        return None
    return int(text) if text.strip().isdigit() else [code.strip().upper() for code in text.split(",") if code.strip()]
