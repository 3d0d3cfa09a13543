"""`bench replay RUN`: an earlier run once more, and what was decided otherwise; or known drifts, and who noticed."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.commands.carrying_out import run_and_show
from harness.commands.changes import refuse_contradictions
from harness.commands.drifts_asked import DriftsAsked, replay_drifts
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
from harness.commands.surroundings import Surroundings
from harness.drift.replays.campaign import Trial, exit_code
from harness.drift.retraining.answering import OnDrift
from harness.interruption import interruptible
from harness.replaying.changes import Wanted, replayed_scenario
from harness.replaying.earlier import open_earlier
from harness.replaying.record import REPLAY_FILE, Replayed
from harness.replaying.replay import LISTED, Replay
from harness.replaying.telling import tell_replay
from harness.steps import Steps
from harness.training import read_bundle
from streams.errors import BadInputError

DIFFERENT = 1
KNOWN_DRIFTS = "Known drifts"
DRIFT = "Drift"
ANSWERED = "answered"
"""In a folder of known drifts: their streams again, with drift answered."""


class Answering(StrEnum):
    """What drift is answered by."""

    none = "none"
    retrain = "retrain"


RunFolderName = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="Folder of an earlier run, or a known drift: drift/NAME.", show_default=False),
]
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
OnDriftOption = Annotated[
    Answering | None,
    typer.Option(help="What an alarm of drift is answered by (retrain: engine inprocess).", rich_help_panel=DRIFT),
]
CandidateOption = Annotated[
    Path | None,
    typer.Option(
        metavar="BUNDLE",
        help="With --on-drift retrain: put this bundle on trial at an alarm, instead of one trained then.",
        rich_help_panel=DRIFT,
    ),
]
Limit = Annotated[int, typer.Option(help="Events decided otherwise that are listed; all are counted.", min=0)]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print replay.json (drifts.json) to standard output, all else to standard error."),
]
All = Annotated[
    bool, typer.Option("--all", help="Every known drift, one after the other.", rich_help_panel=KNOWN_DRIFTS)
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="With --all: those that match (aml-*); may be repeated.", rich_help_panel=KNOWN_DRIFTS),
]
Seeds = Annotated[
    int,
    typer.Option(help="Each drift in so many worlds, with seeds of their own.", min=1, rich_help_panel=KNOWN_DRIFTS),
]
Write = Annotated[
    Path | None,
    typer.Option(help="Markdown page that gets the table (docs/drift.md).", rich_help_panel=KNOWN_DRIFTS),
]
Again = Annotated[
    Path | None,
    typer.Option(
        help="Folder of an earlier --all: its runs are watched again, and only those made that it lacks.",
        rich_help_panel=KNOWN_DRIFTS,
    ),
]


def replay(
    context: typer.Context,
    run: RunFolderName = None,
    *,
    everything: All = False,
    only: Only = None,
    seeds: Seeds = 1,
    write: Write = None,
    again: Again = None,
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
    on_drift: OnDriftOption = None,
    candidate: CandidateOption = None,
    limit: Limit = LISTED,
    as_json: Json = False,
) -> None:
    """Run an earlier run again: the same events on the same schedule, and list what is decided otherwise. Or stream a
    known drift (drift/NAME, or --all of them): when was it noticed, on what blamed, and what did it cost?

    Bundle, rules and warm state are those the run kept, unless others are given. Fraud and money laundering alike.
    With --on-drift retrain an alarm is answered by a model trained then, and the run holds that against no answer.

    Ends with 0 when decisions are equal, or bundle or rules were changed (of drifts: all were noticed, and no control
    raised an alarm), with 1 when not; with 2 for what cannot be; with 3 when the stream failed.
    """
    refuse_contradictions(data=None, columns=None, broker=broker, servers=bootstrap_servers, config=kafka_config)
    _refuse_speed(speed)
    wanted = Wanted(
        engine.value if engine else None, workers, bundle, rules, broker.value if broker else None, bootstrap_servers,
        speed, _on_drift(on_drift, candidate),
    )  # fmt: skip
    where = Surroundings(
        out=out,
        cache=cache_folder(cache_dir),
        kafka_config=kafka_config and kafka_config.resolve(),
        topic_prefix=topic_prefix,
        keep_topics=keep_topics,
        report=not no_report,
        floor=not no_floor,
        environ=context.obj or {},
    )
    drifts = DriftsAsked(run, everything=everything, only=only or [], seeds=seeds, write=write, again=again)
    if drifts.is_asked:
        trials = replay_drifts(drifts, wanted, where, as_json=as_json)
        _answer(trials, wanted, where, limit, as_json=as_json)
        raise typer.Exit(exit_code(trials))
    found = replay_run(Path(run or ""), wanted, where, limit, as_json=as_json)
    raise typer.Exit(0 if found.holds else DIFFERENT)


def _answer(trials: Sequence[Trial], wanted: Wanted, where: Surroundings, listed: int, *, as_json: bool) -> None:
    """The streams of known drifts once more, with drift answered, where that was asked for."""
    for trial in trials:
        if wanted.on_drift is not None and trial.folder is not None:
            apart = replace(where, out=trial.folder.parent / ANSWERED)
            replay_run(trial.folder, Wanted(on_drift=wanted.on_drift), apart, listed, as_json=as_json)


def _refuse_speed(speed: float) -> None:
    if not 0.001 <= speed <= 1_000.0:
        raise BadInputError(f"--speed {speed:g}: must be from 0.001 to 1000 times as fast as then")


def _on_drift(answer: Answering | None, candidate: Path | None) -> OnDrift | None:
    """Raises BadInputError for a candidate that is none, or that nothing is to be answered by."""
    if answer is not Answering.retrain:
        if candidate is not None:
            raise BadInputError("--candidate belongs to --on-drift retrain")
        return None
    if candidate is not None:
        read_bundle(candidate)
    return OnDrift(None if candidate is None else candidate.resolve())


def replay_run(folder: Path, wanted: Wanted, where: Surroundings, listed: int, *, as_json: bool) -> Replayed:
    """Replay a run folder and tell of it."""
    console = Console(stderr=as_json)
    with interruptible(), Steps(console).step("Checking the earlier run against its audit trail"):
        earlier = open_earlier(folder)
    scenario = replayed_scenario(earlier, wanted)
    refuse_prefix(scenario, where.topic_prefix)
    repeated = Replay(earlier, scenario, where.cache, wanted.speed, listed)
    options = where.options(scenario, wanted.bootstrap_servers)
    finished = run_and_show(replace(options, origin=repeated, on_drift=wanted.on_drift), console)
    found = repeated.concluded
    tell_replay(found, finished.folder, console)
    if as_json:
        sys.stdout.write((finished.folder / REPLAY_FILE).read_text(encoding="utf-8"))
        sys.stdout.flush()
    return found
