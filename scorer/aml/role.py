"""Sets up and runs a worker for transfers: the engine that was asked for, around the pipeline."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from scorer.aml.assembly import TransferWorker, transfer_worker
from scorer.aml.engine import TransferEngine
from scorer.aml.findings_feed import FindingsFeed
from scorer.aml.inline import AlertsFile, InlineTransfers
from scorer.aml.keeping import TransferCheckpoints
from scorer.aml.opening import open_transfer_checkpoints
from scorer.assembly import explaining_thread
from scorer.breaker_desk import breaker_desk
from scorer.checkpoint.report import CheckpointMetrics
from scorer.clock import ClockNs
from scorer.engines import StopSignal
from scorer.engines.inprocess import ExplanationsFile, InprocessEngine, Input
from scorer.explaining import Explaining, Outlet
from scorer.guard_report import GuardMetrics, guard_summary
from scorer.health import WorkerMetrics
from scorer.input_files import read_schedule, read_transfers_file
from scorer.kafka_links import KafkaLinks
from scorer.options import RunOptions, required
from scorer.presence import Presence
from scorer.summary import worker_summary
from scorer.worker_role import group_of, links_of, share_of
from streams.codec import table_to_transfers
from streams.errors import BadInputError
from streams.markets import CURRENCY_RATES

log = logging.getLogger("riskbench.scorer")

ENGINES = ("native", "inprocess")


def run_transfer_role(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    """Run the engine until it is stopped or its input ends. Raises `RiskbenchError` for what cannot be used or
    reached."""
    if options.engine not in ENGINES:
        raise BadInputError(f"engine {options.engine} does not monitor transfers; choose one of {', '.join(ENGINES)}")
    if options.rollout_control is not None:
        raise BadInputError("--rollout-control is for domain fraud: the model of transfers is changed by a restart")
    if options.engine == "native":
        _run_on_kafka(options, stop, clock_ns)
    else:
        _run_on_files(options, stop, clock_ns)


def _run_on_kafka(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    links = links_of(options)
    if options.topics_wait_s == 0:
        _check_one_order(links.partitions(links.topics.events), links.topics.events)
    with ExitStack() as stack:
        made = stack.enter_context(transfer_worker(options, clock_ns))
        presence = stack.enter_context(_presence(options, made, clock_ns))
        if not links.await_topics(options.topics_wait_s, stop):
            return
        _check_one_order(links.partitions(links.topics.events), links.topics.events)
        checkpoints = stack.enter_context(_checkpoints(options, links, made, clock_ns))
        share = share_of(options, links, made.counters, clock_ns, checkpoints)
        explaining = stack.enter_context(_explaining(options, made, share, clock_ns))
        stack.enter_context(FindingsFeed(lambda: links.whole_topics((links.topics.dispositions,)), made.counters))
        engine = TransferEngine(
            share,
            made.pipeline,
            explaining,
            currencies=frozenset(CURRENCY_RATES),
            clock_ns=clock_ns,
            batch_max=options.batch_max,
            checkpoints=checkpoints,
        )
        engine.run(stop, presence.ready)


def _checkpoints(
    options: RunOptions, links: KafkaLinks, made: TransferWorker, clock_ns: ClockNs
) -> AbstractContextManager[TransferCheckpoints | None]:
    """The worker's checkpoints, if they are kept."""
    if options.checkpoint_dir is None:
        return nullcontext()
    warm = Path(required(options.state, "--state", "monitoring of transfers"))
    group = group_of(options, links.topics)
    return open_transfer_checkpoints(options, options.checkpoint_dir, warm, group, links, made, clock_ns)


def _check_one_order(partitions: int, topic: str) -> None:
    """Raise `BadInputError` when transfers would come in no order."""
    if partitions != 1:
        raise BadInputError(
            f"topic {topic} has {partitions} partitions; the graph needs every transfer in the order of event time, "
            "which only one partition keeps"
        )


def _run_on_files(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    who = f"engine {options.engine}"
    if options.checkpoint_dir is not None:
        raise BadInputError(
            f"--checkpoint-dir is for engines on a broker: engine {options.engine} reads its file from the start"
        )
    events = read_transfers_file(Path(required(options.files.events, "--events", who)))
    out = Path(required(options.files.decisions_out, "--decisions-out", who))
    source = Input(events, read_schedule(options.files.schedule), out)
    with ExitStack() as stack:
        made = stack.enter_context(transfer_worker(options, clock_ns))
        presence = stack.enter_context(_presence(options, made, clock_ns))
        alerts = stack.enter_context(AlertsFile(options.files.alerts_out))
        explaining = None
        if options.files.explanations_out is not None:
            outlet = stack.enter_context(ExplanationsFile(options.files.explanations_out))
            explaining = stack.enter_context(_explaining(options, made, outlet, clock_ns))
        decider = InlineTransfers(made.pipeline, alerts, clock_ns, explaining)
        engine = InprocessEngine(
            source, decider, clock_ns=clock_ns, batch_max=options.batch_max, messages=table_to_transfers
        )
        engine.run(stop, presence.ready)


@contextmanager
def _explaining(
    options: RunOptions, made: TransferWorker, outlet: Outlet, clock_ns: ClockNs
) -> Iterator[Explaining | None]:
    """The explaining thread, unless nothing is to be explained."""
    if options.explain == "none":
        yield None
        return
    with explaining_thread(made, outlet, options, clock_ns) as explaining:
        yield explaining


def _presence(options: RunOptions, made: TransferWorker, clock_ns: ClockNs) -> Presence:
    guards = made.guarding
    kept = [] if options.checkpoint_dir is None else [CheckpointMetrics(made.counters, clock_ns)]

    def summarise(status: str) -> Mapping[str, Any]:
        guard = guard_summary(guards.guard, guards.late_scores)
        return worker_summary(made.counters, status=status, engine=options.engine, worker=options.worker, guard=guard)

    return Presence(
        options,
        summarise,
        WorkerMetrics(made.counters),
        GuardMetrics(guards.guard, guards.late_scores),
        *kept,
        desk=breaker_desk(guards.breaker),
    )
