"""`bench run …`: the whole path, measured."""

from pathlib import Path

import typer

from harness.commands.carrying_out import run_and_tell
from harness.commands.changes import absolute, columns_file, refuse_contradictions, resolve, seeds_from
from harness.commands.options import AsJson, CacheDir, Out, cache_folder
from harness.commands.run_aml import aml
from harness.commands.run_options import (
    Broker,
    Bundle,
    Collectors,
    Columns,
    Command,
    Data,
    Duration,
    Engine,
    Explain,
    K,
    KafkaConfig,
    KeepTopics,
    NoFloor,
    NoReport,
    Partitions,
    Preset,
    Rate,
    Rules,
    ScenarioFile,
    Seed,
    Senders,
    Servers,
    Settle,
    ShareOf,
    TopicPrefix,
    Warmup,
    WhichScorer,
    Workers,
)
from harness.commands.scorer_choice import refuse_for_others, refuse_prefix, refuse_settle_for_ours
from harness.run import RunOptions
from harness.shares.share import parse_share, refuse_unsharable
from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Run a benchmark: stream, score, measure, judge, report.")


@app.command()
def fraud(
    context: typer.Context,
    *,
    scenario: ScenarioFile = "fraud",
    rate: Rate = None,
    duration: Duration = None,
    warmup: Warmup = None,
    partitions: Partitions = None,
    senders: Senders = None,
    collectors: Collectors = None,
    share: ShareOf = None,
    seed: Seed = None,
    engine: Engine = None,
    workers: Workers = None,
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
    data: Data = None,
    columns: Columns = None,
    k: K = None,
    out: Out = Path("runs"),
    cache_dir: CacheDir = None,
    no_floor: NoFloor = False,
    no_report: NoReport = False,
    as_json: AsJson = False,
) -> None:
    """Card fraud: train a model, stream transactions through Kafka, and say how fast, right, stable and safe it is."""
    changes = {
        "load.rate_per_s": rate,
        "load.duration_s": duration,
        "load.warmup_s": warmup,
        "load.partitions": partitions,
        "load.senders": senders,
        "load.collectors": collectors,
        "scorer.engine": engine.value if engine else None,
        "scorer.workers": workers,
        "scorer.bundle": absolute(bundle),
        "scorer.rules": absolute(rules),
        "scorer.kind": scorer.value if scorer else None,
        "scorer.command": scorer_command,
        "scorer.settle_s": settle,
        "scorer.explain": explain.value if explain else None,
        "broker": broker.value if broker else None,
        "world.preset": preset.value if preset else None,
        "data.columns": columns_file(columns),
        "measure.k": k,
        **seeds_from(seed),
    }
    if preset is not None and data is not None:
        raise BadInputError("--preset is of the synthetic world, --data streams a file: give one of the two")
    refuse_contradictions(data=data, columns=columns, broker=broker, servers=bootstrap_servers, config=kafka_config)
    of_ours = {"--engine": engine, "--workers": workers, "--bundle": bundle, "--rules": rules, "--explain": explain}
    refuse_for_others(scorer.value if scorer else None, scorer_command, of_ours)
    resolved = resolve(scenario, changes, data, timed=duration is not None)
    refuse_settle_for_ours(resolved, settle)
    refuse_prefix(resolved, topic_prefix)
    part = None if share is None else parse_share(share)
    if part is not None:
        refuse_unsharable(resolved, part, servers=bootstrap_servers, prefix=topic_prefix)
    options = RunOptions(
        scenario=resolved,
        share=part,
        out=out,
        cache=cache_folder(cache_dir),
        bootstrap_servers=bootstrap_servers,
        kafka_config=None if kafka_config is None else kafka_config.resolve(),
        topic_prefix=topic_prefix,
        keep_topics=keep_topics,
        report=not no_report,
        floor=not no_floor and part is None,
        environ=context.obj or {},
    )
    run_and_tell(options, as_json=as_json)


app.command("aml")(aml)
