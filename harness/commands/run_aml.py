"""`bench run aml`: money-laundering monitoring, whole and measured."""

from pathlib import Path
from typing import Annotated

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
    Duration,
    Explain,
    KafkaConfig,
    KeepTopics,
    NoFloor,
    NoReport,
    Preset,
    Rate,
    ScenarioFile,
    Seed,
    Servers,
    TopicPrefix,
    TransferEngine,
    Warmup,
)
from harness.commands.transfer_options import (
    Accounts,
    Columns,
    Customers,
    Markets,
    Transfers,
    files_asked,
    refuse_mixed,
    to_the_end,
    without_worlds_targets,
    world_asked,
)
from harness.run import RunOptions
from harness.scenario import load_scenario

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
    refuse_mixed(transfers, accounts, columns, {"--preset": preset, "--markets": markets, "--customers": customers})
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
        **(world_asked(preset, markets, customers) | files_asked(transfers, accounts, columns) | seeds_from(seed)),
    }
    loaded = without_worlds_targets(load_scenario(scenario, changes, NAMES, domain="aml"), scenario, k)
    resolved = to_the_end(loaded, timed=duration is not None)
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
