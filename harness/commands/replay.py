"""`bench replay RUN`: an earlier run once more, and what was decided otherwise."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.commands.carrying_out import run_and_show
from harness.commands.changes import refuse_contradictions
from harness.commands.options import CacheDir, Out, cache_folder
from harness.commands.run_options import (
    LOAD,
    Broker,
    Bundle,
    Engine,
    KafkaConfig,
    KeepTopics,
    NoFloor,
    NoReport,
    Servers,
    TopicPrefix,
    Workers,
)
from harness.commands.scorer_choice import refuse_prefix
from harness.interruption import interruptible
from harness.replaying.changes import Wanted, replayed_scenario
from harness.replaying.earlier import open_earlier
from harness.replaying.record import REPLAY_FILE, Replayed
from harness.replaying.replay import LISTED, Replay
from harness.replaying.telling import tell_replay
from harness.run import RunOptions
from harness.steps import Steps
from streams.errors import BadInputError

DIFFERENT = 1

RunFolderName = Annotated[str, typer.Argument(metavar="RUN", help="Folder of an earlier run.", show_default=False)]
Speed = Annotated[
    float,
    typer.Option(help="So many times as fast as then; 0.5 is half as fast.", rich_help_panel=LOAD),
]
Rules = Annotated[
    Path | None,
    typer.Option(
        help="Rules instead of those of then: a file, for transfers a folder of packs.", rich_help_panel="Scorer"
    ),
]
Limit = Annotated[int, typer.Option(help="Events decided otherwise that are listed; all are counted.", min=0)]
Json = Annotated[bool, typer.Option("--json", help="Print replay.json to standard output, all else to standard error.")]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a replay runs, whatever it repeats."""

    out: Path
    cache: Path
    kafka_config: Path | None
    topic_prefix: str | None
    keep_topics: bool
    report: bool
    floor: bool
    environ: Mapping[str, str]


def replay(
    context: typer.Context,
    run: RunFolderName,
    *,
    speed: Speed = 1.0,
    engine: Engine = None,
    workers: Workers = None,
    bundle: Bundle = None,
    rules: Rules = None,
    broker: Broker = None,
    bootstrap_servers: Servers = None,
    kafka_config: KafkaConfig = None,
    topic_prefix: TopicPrefix = None,
    keep_topics: KeepTopics = False,
    out: Out = Path("runs"),
    cache_dir: CacheDir = None,
    no_floor: NoFloor = False,
    no_report: NoReport = False,
    limit: Limit = LISTED,
    as_json: Json = False,
) -> None:
    """Run an earlier run again: the same events on the same schedule, and list what is decided otherwise.

    Bundle, rules and warm state are those the run kept, unless others are given. Fraud and money laundering alike; the
    result is a run folder as any other's, with replay.json and differences.parquet.

    Ends with 0 when the decisions are equal, or bundle or rules were changed; with 1 when they are not equal and
    neither was; with 2 when there is no such run, or it is damaged, or cannot be run so; with 3 when the stream failed.
    """
    refuse_contradictions(data=None, columns=None, broker=broker, servers=bootstrap_servers, config=kafka_config)
    if not 0.001 <= speed <= 1_000.0:
        raise BadInputError(f"--speed {speed:g}: must be from 0.001 to 1000 times as fast as then")
    wanted = Wanted(
        engine=engine.value if engine else None,
        workers=workers,
        bundle=bundle,
        rules=rules,
        broker=broker.value if broker else None,
        bootstrap_servers=bootstrap_servers,
        speed=speed,
    )
    where = Surroundings(
        out=out,
        cache=cache_folder(cache_dir),
        kafka_config=None if kafka_config is None else kafka_config.resolve(),
        topic_prefix=topic_prefix,
        keep_topics=keep_topics,
        report=not no_report,
        floor=not no_floor,
        environ=context.obj or {},
    )
    found = replay_run(Path(run), wanted, where, limit, as_json=as_json)
    raise typer.Exit(0 if found.holds else DIFFERENT)


def replay_run(folder: Path, wanted: Wanted, where: Surroundings, listed: int, *, as_json: bool) -> Replayed:
    """Replay a run folder and tell of it."""
    console = Console(stderr=as_json)
    with interruptible(), Steps(console).step("Checking the earlier run against its audit trail"):
        earlier = open_earlier(folder)
    scenario = replayed_scenario(earlier, wanted)
    refuse_prefix(scenario, where.topic_prefix)
    repeated = Replay(earlier, scenario, where.cache, wanted.speed, listed)
    options = RunOptions(
        scenario=scenario,
        out=where.out,
        cache=where.cache,
        bootstrap_servers=wanted.bootstrap_servers,
        kafka_config=where.kafka_config,
        topic_prefix=where.topic_prefix,
        keep_topics=where.keep_topics,
        report=where.report,
        floor=where.floor,
        environ=where.environ,
        origin=repeated,
    )
    finished = run_and_show(options, console)
    found = repeated.concluded
    tell_replay(found, finished.folder, console)
    if as_json:
        sys.stdout.write((finished.folder / REPLAY_FILE).read_text(encoding="utf-8"))
        sys.stdout.flush()
    return found
