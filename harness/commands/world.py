"""`bench world …`: the synthetic population's tables, for a look or for other tools."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.console import Console

from harness.commands.options import CacheDir, cache_folder
from harness.commands.run_options import PresetChoice
from harness.prepare import prepare
from harness.scenario import load_scenario
from harness.steps import Steps
from streams.errors import BadInputError
from streams.worlds import SEED_MAX, AmlTables, AmlWorld, AmlWorldConfig

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
    steps = Steps(Console(stderr=True))
    with steps.step("Building the world"):
        tables = AmlWorld(config, seed).generate(history_days, transfers)
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name, table in _named(tables):
                pq.write_table(table, out / f"{name}.parquet", compression="zstd", compression_level=1)
        except OSError as error:
            raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
    steps.note(f"{len(tables.history_events):,} transfers of history, {len(tables.stream_events):,} to stream")
    typer.echo(str(out))


def _markets(text: str | None) -> int | list[str] | None:
    """A number of markets, or codes."""
    if text is None:
        return None
    return int(text) if text.strip().isdigit() else [code.strip().upper() for code in text.split(",") if code.strip()]


def _named(tables: AmlTables) -> Iterator[tuple[str, pa.Table]]:
    yield "history", tables.history_events
    yield "history_labels", tables.history_labels
    yield "events", tables.stream_events
    yield "labels", tables.stream_labels
    yield "accounts", tables.accounts
    yield "members", tables.members
