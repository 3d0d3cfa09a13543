"""Options of commands that take transfers, the world's or somebody's own, and what they change in a scenario."""

from pathlib import Path
from typing import Annotated, Any

import typer

from harness.commands.changes import absolute, columns_file
from harness.commands.run_options import DATA, PresetChoice
from harness.scenario import SCENARIOS, Scenario
from harness.verdict import QUALITY_LIMITS
from streams.errors import BadInputError

Transfers = Annotated[
    Path | None, typer.Option(help="CSV or Parquet file of transfers, instead of the world.", rich_help_panel=DATA)
]
Accounts = Annotated[
    Path | None, typer.Option(help="CSV or Parquet file of the accounts they are between.", rich_help_panel=DATA)
]
LastDays = Annotated[
    int | None,
    typer.Option(
        help="Take the last so many days of a large file of transfers alone, to learn from and to stream.",
        rich_help_panel=DATA,
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        help="Column map of the two files: a YAML file, or a shipped name (amlsim, amlsim-nodes, amlworld).",
        rich_help_panel=DATA,
    ),
]
Markets = Annotated[
    str | None,
    typer.Option(help="The world's markets: how many of them, or their codes (US,DE,SG).", rich_help_panel=DATA),
]
Customers = Annotated[int | None, typer.Option(help="The world's customers.", rich_help_panel=DATA)]


def world_asked(preset: PresetChoice | None, markets: str | None, customers: int | None) -> dict[str, Any]:
    """Changes of the world, by key path."""
    return {
        "world.preset": preset.value if preset else None,
        "world.markets": markets_asked(markets),
        "world.customers": customers,
    }


def files_asked(
    transfers: Path | None, accounts: Path | None, columns: str | None, last_days: int | None = None
) -> dict[str, Any]:
    """Changes of the data, by key path. Raises BadInputError for last days of no file."""
    if last_days is not None and transfers is None:
        raise BadInputError("--last-days is of a file: give it with --transfers FILE --accounts FILE")
    return {
        "data.file": absolute(transfers),
        "data.accounts": absolute(accounts),
        "data.columns": columns_file(columns),
        "data.last_days": last_days,
    }


def refuse_mixed(transfers: Path | None, accounts: Path | None, columns: str | None, of_world: dict[str, Any]) -> None:
    """Raise BadInputError for options that cannot be given together."""
    if (transfers is None) != (accounts is None):
        missing = "--accounts" if accounts is None else "--transfers"
        raise BadInputError(f"--transfers and --accounts belong together: give {missing} too")
    if columns is not None and transfers is None:
        raise BadInputError("--columns is the column map of files: give them with --transfers FILE --accounts FILE")
    given = [name for name, value in of_world.items() if value is not None]
    if given and transfers is not None:
        raise BadInputError(f"{given[0]} is of the synthetic world, --transfers streams a file: give one of the two")


def markets_asked(asked: str | None) -> int | list[str] | None:
    """How many, or which ones."""
    if asked is None:
        return None
    return int(asked) if asked.isdecimal() else [code.strip().upper() for code in asked.split(",")]


def without_worlds_targets(scenario: Scenario, asked: str, k: int | None) -> Scenario:
    """A shipped scenario's targets and investigators' capacity are its synthetic world's: a file is not held to them.

    What the person's own scenario file says stays. The capacity is then `k`, or that of the column map's protocol.
    """
    if scenario.data is None or not (SCENARIOS / f"{asked}.yaml").is_file():
        return scenario
    slo = scenario.slo.model_copy(update=dict.fromkeys(QUALITY_LIMITS))
    return scenario.model_copy(update={"slo": slo, "measure": scenario.measure.model_copy(update={"k": k})})


def to_the_end(scenario: Scenario, *, timed: bool) -> Scenario:
    """A file is streamed to its end unless a duration was asked for."""
    if scenario.data is None or timed:
        return scenario
    return scenario.model_copy(update={"load": scenario.load.model_copy(update={"duration_s": None})})
