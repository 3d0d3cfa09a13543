"""`bench run aml`: money-laundering monitoring, whole and measured."""

from pathlib import Path
from typing import Annotated, Any

import typer

from harness.commands.carrying_out import run_and_tell
from harness.commands.changes import absolute, columns_file, refuse_contradictions, seeds_from
from harness.commands.options import AsJson, CacheDir, Out, cache_folder
from harness.commands.run_options import (
    DATA,
    OPTION_NAMES,
    SCORER,
    Broker,
    Bundle,
    Duration,
    Explain,
    KafkaConfig,
    KeepTopics,
    NoFloor,
    NoReport,
    Preset,
    PresetChoice,
    Rate,
    ScenarioFile,
    Seed,
    Servers,
    TopicPrefix,
    TransferEngine,
    Warmup,
)
from harness.run import RunOptions
from harness.scenario import Scenario, load_scenario
from streams.errors import BadInputError

Transfers = Annotated[
    Path | None, typer.Option(help="CSV or Parquet file of transfers, instead of the world.", rich_help_panel=DATA)
]
Accounts = Annotated[
    Path | None, typer.Option(help="CSV or Parquet file of the accounts they are between.", rich_help_panel=DATA)
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
Rules = Annotated[
    Path | None,
    typer.Option(help="Folder of rule packs, a file a typology, instead of the shipped one.", rich_help_panel=SCORER),
]
K = Annotated[
    int | None,
    typer.Option(
        "--k", help="Customers that investigators look at per event-day; default: the scenario's.", rich_help_panel=DATA
    ),
]
NAMES = {**OPTION_NAMES, "world.markets": "--markets", "world.customers": "--customers"}


def aml(
    context: typer.Context,
    *,
    scenario: ScenarioFile = "aml",
    rate: Rate = None,
    duration: Duration = None,
    warmup: Warmup = None,
    seed: Seed = None,
    engine: TransferEngine = None,
    bundle: Bundle = None,
    rules: Rules = None,
    explain: Explain = None,
    broker: Broker = None,
    bootstrap_servers: Servers = None,
    kafka_config: KafkaConfig = None,
    topic_prefix: TopicPrefix = None,
    keep_topics: KeepTopics = False,
    preset: Preset = None,
    markets: Markets = None,
    customers: Customers = None,
    transfers: Transfers = None,
    accounts: Accounts = None,
    columns: Columns = None,
    k: K = None,
    out: Out = Path("runs"),
    cache_dir: CacheDir = None,
    no_floor: NoFloor = False,
    no_report: NoReport = False,
    as_json: AsJson = False,
) -> None:
    """Money laundering: stream transfers, raise alerts, rank customers, and say how fast, right and stable it is."""
    _refuse(transfers, accounts, columns, {"--preset": preset, "--markets": markets, "--customers": customers})
    refuse_contradictions(data=transfers, columns=None, broker=broker, servers=bootstrap_servers, config=kafka_config)
    changes = {
        "load.rate_per_s": rate,
        "load.duration_s": duration,
        "load.warmup_s": warmup,
        "scorer.engine": engine.value if engine else None,
        "scorer.bundle": absolute(bundle),
        "scorer.rules": absolute(rules),
        "scorer.explain": explain.value if explain else None,
        "broker": broker.value if broker else None,
        "measure.k": k,
        **(_world(preset, markets, customers) | _files(transfers, accounts, columns) | seeds_from(seed)),
    }
    resolved = _to_the_end(load_scenario(scenario, changes, NAMES, domain="aml"), timed=duration is not None)
    options = RunOptions(
        scenario=resolved,
        out=out,
        cache=cache_folder(cache_dir),
        bootstrap_servers=bootstrap_servers,
        kafka_config=None if kafka_config is None else kafka_config.resolve(),
        topic_prefix=topic_prefix,
        keep_topics=keep_topics,
        report=not no_report,
        floor=not no_floor,
        environ=context.obj or {},
    )
    run_and_tell(options, as_json=as_json)


def _world(preset: PresetChoice | None, markets: str | None, customers: int | None) -> dict[str, Any]:
    """Changes of the world, by key path."""
    return {
        "world.preset": preset.value if preset else None,
        "world.markets": _markets(markets),
        "world.customers": customers,
    }


def _files(transfers: Path | None, accounts: Path | None, columns: str | None) -> dict[str, Any]:
    """Changes of the data, by key path."""
    return {
        "data.file": absolute(transfers),
        "data.accounts": absolute(accounts),
        "data.columns": columns_file(columns),
    }


def _refuse(transfers: Path | None, accounts: Path | None, columns: str | None, of_world: dict[str, Any]) -> None:
    """Raise BadInputError for options that cannot be given together."""
    if (transfers is None) != (accounts is None):
        missing = "--accounts" if accounts is None else "--transfers"
        raise BadInputError(f"--transfers and --accounts belong together: give {missing} too")
    if columns is not None and transfers is None:
        raise BadInputError("--columns is the column map of files: give them with --transfers FILE --accounts FILE")
    given = [name for name, value in of_world.items() if value is not None]
    if given and transfers is not None:
        raise BadInputError(f"{given[0]} is of the synthetic world, --transfers streams a file: give one of the two")


def _markets(asked: str | None) -> int | list[str] | None:
    """How many, or which ones."""
    if asked is None:
        return None
    return int(asked) if asked.isdecimal() else [code.strip().upper() for code in asked.split(",")]


def _to_the_end(scenario: Scenario, *, timed: bool) -> Scenario:
    """A file is streamed to its end unless a duration was asked for."""
    if scenario.data is None or timed:
        return scenario
    return scenario.model_copy(update={"load": scenario.load.model_copy(update={"duration_s": None})})
