"""`bench run …`: the whole path, measured."""

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from harness.commands.options import AsJson, CacheDir, Out, cache_folder
from harness.commands.run_options import (
    OPTION_NAMES,
    Broker,
    Bundle,
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
    TopicPrefix,
    Warmup,
    WhichScorer,
    Workers,
)
from harness.commands.scorer_choice import refuse_for_others, refuse_prefix, refuse_settle_for_ours
from harness.run import Finished, Outside, RunOptions, carry_out
from harness.scenario import Scenario, load_scenario
from harness.steps import Steps
from harness.summary import print_summary
from harness.verdict import EXIT_CODES
from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Run a benchmark: stream, score, measure, judge, report.")


def seeds_from(seed: int | None) -> dict[str, Any]:
    """The four seeds that one number sets, by key path; none where it is not given."""
    if seed is None:
        return {}
    return {f"seeds.{name}": seed + step for step, name in enumerate(("world", "arrivals", "faults", "training"))}


def absolute(path: Path | None) -> str | None:
    """A path that another folder does not change; None where it is not given."""
    return None if path is None else str(path.resolve())


def run_and_tell(options: RunOptions, *, as_json: bool) -> Finished:
    """Carry out a run, telling of it on the right stream, and end with the verdict's exit code."""
    console = Console(stderr=as_json)
    outside = Outside(now=lambda: datetime.now(UTC), token=lambda: secrets.token_hex(2))
    finished = carry_out(options, Steps(console), outside)
    print_summary(finished.results, finished.folder, finished.report, console)
    if as_json:
        sys.stdout.write((finished.folder / "results.json").read_text(encoding="utf-8"))
        sys.stdout.flush()
    raise typer.Exit(EXIT_CODES[finished.results.verdict.status])


def resolve(scenario: str, changes: dict[str, Any], data: Path | None, *, timed: bool) -> Scenario:
    """The scenario with the command line's changes; a data file is streamed to its end unless `timed`."""
    if data is None:
        return load_scenario(scenario, changes, OPTION_NAMES)
    loaded = load_scenario(scenario, {**changes, "data.file": str(data.resolve())}, OPTION_NAMES)
    if timed:
        return loaded
    # to the end of the data
    return loaded.model_copy(update={"load": loaded.load.model_copy(update={"duration_s": None})})


def refuse_contradictions(
    *, data: Path | None, columns: str | None, broker: str | None, servers: str | None, config: Path | None
) -> None:
    """Raise BadInputError for options that cannot be given together."""
    if columns is not None and data is None:
        raise BadInputError("--columns is the column map of a data file: give the file with --data FILE")
    if config is not None and servers is None:
        raise BadInputError("--kafka-config says how to be let into a running Kafka: give it with --bootstrap-servers")
    if broker is not None and servers is not None:
        raise BadInputError("--broker starts a broker, --bootstrap-servers reaches a running one: give one of the two")


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


def columns_file(columns: str | None) -> str | None:
    """A column map's file as an absolute path, a shipped name as it is."""
    if columns is None:
        return None
    return str(Path(columns).resolve()) if Path(columns).suffix in {".yaml", ".yml"} else columns
