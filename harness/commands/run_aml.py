"""`bench run aml`: money-laundering monitoring, whole and measured."""

from pathlib import Path
from typing import Annotated, Any

import typer

from harness.commands.carrying_out import run_and_tell
from harness.commands.changes import absolute, refuse_contradictions, seeds_from
from harness.commands.options import AsJson, CacheDir, Out, cache_folder
from harness.commands.run_options import (
    DATA,
    OPTION_NAMES,
    SCORER,
    Broker,
    Bundle,
    Command,
    Duration,
    Explain,
    ExplainChoice,
    KafkaConfig,
    KeepTopics,
    NoFloor,
    NoReport,
    Preset,
    PresetChoice,
    Rate,
    ScenarioFile,
    ScorerChoice,
    Seed,
    Servers,
    Settle,
    TopicPrefix,
    TransferEngine,
    TransferEngineName,
    Warmup,
    WhichScorer,
)
from harness.commands.scorer_choice import refuse_for_others, refuse_prefix, refuse_settle_for_ours
from harness.commands.transfer_options import (
    Accounts,
    Columns,
    Customers,
    LastDays,
    Markets,
    Transfers,
    files_asked,
    refuse_mixed,
    to_the_end,
    without_worlds_targets,
    world_asked,
)
from harness.run import RunOptions
from harness.scenario import Scenario, load_scenario

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
NAMES = {
    **OPTION_NAMES,
    "world.markets": "--markets",
    "world.customers": "--customers",
    "data.last_days": "--last-days",
}


def _ours_asked(
    engine: TransferEngineName | None,
    bundle: Path | None,
    rules: Path | None,
    explain: ExplainChoice | None,
    other: tuple[ScorerChoice | None, str | None, float | None],
) -> dict[str, Any]:
    """Changes of the scorer, by key path. Raises BadInputError for options of ours where another one is measured:
    `other` is --scorer, --scorer-command and --settle."""
    kind, command = other[0].value if other[0] else None, other[1]
    refuse_for_others(kind, command, {"--engine": engine, "--bundle": bundle, "--rules": rules, "--explain": explain})
    return {
        "scorer.engine": engine.value if engine else None,
        "scorer.bundle": absolute(bundle),
        "scorer.rules": absolute(rules),
        "scorer.explain": explain.value if explain else None,
        "scorer.kind": kind,
        "scorer.command": command,
        "scorer.settle_s": other[2],
    }


def _data_asked(
    world: tuple[PresetChoice | None, str | None, int | None],
    files: tuple[Path | None, Path | None, str | None],
    last_days: int | None,
) -> dict[str, Any]:
    """Changes of the world (preset, markets, customers) or of the files (transfers, accounts, columns), by key path.
    Raises BadInputError for options that cannot be given together."""
    refuse_mixed(*files, dict(zip(("--preset", "--markets", "--customers"), world, strict=True)))
    return world_asked(*world) | files_asked(*files, last_days)


def _loaded(path: str, changes: dict[str, Any], settle_s: float | None, prefix: str | None) -> Scenario:
    """The scenario with its changes. Raises BadInputError for what its scorer has no use for."""
    loaded = load_scenario(path, changes, NAMES, domain="aml")
    refuse_settle_for_ours(loaded, settle_s)
    refuse_prefix(loaded, prefix)
    return loaded


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
    scorer: WhichScorer = None,
    scorer_command: Command = None,
    settle: Settle = None,
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
    last_days: LastDays = None,
    k: K = None,
    out: Out = Path("runs"),
    cache_dir: CacheDir = None,
    no_floor: NoFloor = False,
    no_report: NoReport = False,
    as_json: AsJson = False,
) -> None:
    """Money laundering: stream transfers, raise alerts, rank customers, and say how fast, right and stable it is."""
    refuse_contradictions(data=transfers, columns=None, broker=broker, servers=bootstrap_servers, config=kafka_config)
    changes = {
        "load.rate_per_s": rate,
        "load.duration_s": duration,
        "load.warmup_s": warmup,
        **_ours_asked(engine, bundle, rules, explain, other=(scorer, scorer_command, settle)),
        "broker": broker.value if broker else None,
        "measure.k": k,
        **_data_asked((preset, markets, customers), (transfers, accounts, columns), last_days),
        **seeds_from(seed),
    }
    loaded = _loaded(scenario, changes, settle, topic_prefix)
    options = RunOptions(
        scenario=to_the_end(without_worlds_targets(loaded, scenario, k), timed=duration is not None),
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
