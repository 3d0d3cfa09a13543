"""Sets up and runs a worker: the engine that was asked for, around the pipeline or, for the floor, around nothing."""

import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorer.breaker_desk import breaker_desk
from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.engines import FILE_ENGINES, StopSignal, engine_class
from scorer.engines.keeping import Keeping
from scorer.engines.membership import Membership
from scorer.engines.partitions import PartitionShare
from scorer.health import WorkerMetrics
from scorer.kafka_links import SESSION_MS, KafkaLinks
from scorer.options import RunOptions, required
from scorer.presence import Presence
from scorer.summary import worker_summary
from streams.brokers.connection import connection_from
from streams.errors import BadInputError
from streams.topics import Topics

log = logging.getLogger("riskbench.scorer")

if TYPE_CHECKING:
    from scorer.assembly import Worker
    from scorer.checkpoint.keeping import Checkpoints
    from scorer.explaining import Explaining, Outlet
    from scorer.table_feed import TableGate


def run_worker_role(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    """Run the engine until it is stopped or its input ends. Raises `RiskbenchError` for what cannot be used or
    reached."""
    if options.engine == "null":
        _run_null(options, stop, clock_ns)
    elif options.engine in FILE_ENGINES:
        _run_on_files(options, stop, clock_ns)
    else:
        _run_on_kafka(options, stop, clock_ns)


def links_of(options: RunOptions) -> KafkaLinks:
    who = f"engine {options.engine}"
    servers = required(options.bootstrap_servers, "--bootstrap-servers", who)
    topics = Topics(required(options.prefix, "--prefix", who), options.domain)
    return KafkaLinks(connection_from(servers, options.kafka_config), topics)


def _run_null(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    links, counters = links_of(options), Counters()
    with _presence(options, counters, clock_ns) as presence:
        if options.checkpoint_dir is not None:
            log.info("engine null has no state: --checkpoint-dir is not used")
        if not links.await_topics(options.topics_wait_s, stop):
            return
        share = share_of(options, links, counters, clock_ns)
        engine = engine_class("null")(share, counters, clock_ns, options.worker, options.batch_max)
        engine.run(stop, presence.ready)


def _run_on_kafka(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    from scorer.assembly import worker  # noqa: PLC0415 (the null engine does without models and rules)
    from scorer.table_feed import TableFeed, TableGate  # noqa: PLC0415

    links = links_of(options)
    if options.topics_wait_s == 0:
        links.partitions(links.topics.events)  # says at once when there is no broker or no such topic
    with ExitStack() as stack:
        made = stack.enter_context(worker(options, clock_ns))
        presence = stack.enter_context(_presence(options, made.counters, clock_ns, made))
        if not links.await_topics(options.topics_wait_s, stop):
            return
        checkpoints = stack.enter_context(_checkpoints(options, links, made, clock_ns))
        feed = TableFeed(lambda: links.whole_topics((links.topics.day_tables,)))
        gate = TableGate(feed.inbox, made.pipeline, clock_ns, options.table_wait_s)
        run = {"native": _run_native, "faust": _run_faust, "flink": _run_flink}[options.engine]
        feed.start()
        try:
            run(options, links, made, gate, checkpoints, clock_ns, stop, presence)
        finally:
            feed.stop()


def _run_native(
    options: RunOptions,
    links: KafkaLinks,
    made: "Worker",
    gate: "TableGate",
    checkpoints: "Checkpoints | None",
    clock_ns: ClockNs,
    stop: StopSignal,
    presence: Presence,
) -> None:
    share = share_of(options, links, made.counters, clock_ns, checkpoints)
    with _explaining(options, links, made, share, clock_ns) as explaining:
        engine = engine_class("native")(
            share,
            made.pipeline,
            gate,
            explaining,
            clock_ns=clock_ns,
            batch_max=options.batch_max,
            checkpoints=checkpoints,
        )
        engine.run(stop, presence.ready)


def _run_faust(
    options: RunOptions,
    links: KafkaLinks,
    made: "Worker",
    gate: "TableGate",
    checkpoints: "Checkpoints | None",
    clock_ns: ClockNs,
    stop: StopSignal,
    presence: Presence,
) -> None:
    from scorer.engines.faust import FaustEngine, FaustSettings  # noqa: PLC0415
    from scorer.engines.faust_outlet import FaustOutlet  # noqa: PLC0415

    settings = FaustSettings(
        connection=links.connection,
        topics=links.topics,
        group=group_of(options, links.topics),
        event_partitions=links.partitions(links.topics.events),
        decision_partitions=links.partitions(links.topics.decisions),
        batch_max=options.batch_max,
        member=options.member,
    )
    outlet = FaustOutlet()
    with _explaining(options, links, made, outlet, clock_ns) as explaining:
        engine = FaustEngine(
            settings,
            made.pipeline,
            gate,
            explaining,
            outlet,
            counters=made.counters,
            clock_ns=clock_ns,
            checkpoints=checkpoints,
        )
        engine.run(stop, presence.ready)


def _run_flink(
    options: RunOptions,
    links: KafkaLinks,
    made: "Worker",
    gate: "TableGate",
    checkpoints: "Checkpoints | None",
    clock_ns: ClockNs,
    stop: StopSignal,
    presence: Presence,
) -> None:
    if checkpoints is not None:
        raise BadInputError("--checkpoint-dir is not for engine flink, which keeps offsets and no state")
    from scorer.engines.flink import FlinkEngine, FlinkSettings  # noqa: PLC0415
    from scorer.engines.flink_desk import FlinkOutlet  # noqa: PLC0415

    connector = Path(required(options.flink_connector, "--flink-connector", "engine flink"))
    group = group_of(options, links.topics)
    settings = FlinkSettings(links.connection, links.topics, group, connector)
    outlet = FlinkOutlet(links.producer(), links.topics)
    with _explaining(options, links, made, outlet, clock_ns) as explaining:
        engine = FlinkEngine(
            settings, made.pipeline, gate, explaining, outlet,
            open_consumer=lambda: links.group_consumer(group), clock_ns=clock_ns,
        )  # fmt: skip
        engine.run(stop, presence.ready)


def _explaining(
    options: RunOptions, links: KafkaLinks, made: "Worker", outlet: "Outlet", clock_ns: ClockNs
) -> AbstractContextManager["Explaining | None"]:
    """The explaining thread, unless nothing is to be explained. Raises `BrokerError` when its topic is not there."""
    from scorer.assembly import explaining_thread  # noqa: PLC0415

    if options.explain == "none":
        return nullcontext()
    links.partitions(links.topics.explanations)
    return explaining_thread(made, outlet, options, clock_ns)


def _checkpoints(
    options: RunOptions, links: KafkaLinks, made: "Worker", clock_ns: ClockNs
) -> AbstractContextManager["Checkpoints | None"]:
    """The worker's checkpoints, if they are kept."""
    from scorer.checkpoint.opening import open_checkpoints  # noqa: PLC0415

    if options.checkpoint_dir is None:
        return nullcontext()
    group = group_of(options, links.topics)
    return open_checkpoints(options, options.checkpoint_dir, group, links, made, clock_ns)


def _run_on_files(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    from scorer.assembly import explaining_thread, worker  # noqa: PLC0415
    from scorer.engines.inline import InlineDecider  # noqa: PLC0415
    from scorer.engines.inprocess import ExplanationsFile, Input  # noqa: PLC0415
    from scorer.inline_tables import inline_tables  # noqa: PLC0415
    from scorer.input_files import read_dispositions, read_events, read_schedule  # noqa: PLC0415
    from scorer.rollout.holding import Holding  # noqa: PLC0415
    from scorer.table_feed import TableGate  # noqa: PLC0415

    who = f"engine {options.engine}"
    if options.checkpoint_dir is not None:
        raise BadInputError(
            f"--checkpoint-dir is for engines on a broker: engine {options.engine} reads its file from the start"
        )
    events = read_events(Path(required(options.files.events, "--events", who)))
    dispositions = read_dispositions(options.files.dispositions)
    out = Path(required(options.files.decisions_out, "--decisions-out", who))
    source = Input(events, read_schedule(options.files.schedule), out)
    with ExitStack() as stack:
        made = stack.enter_context(worker(options, clock_ns))
        presence = stack.enter_context(_presence(options, made.counters, clock_ns, made))
        tables = inline_tables(options.state, made.bundle.label_delay_days, events, dispositions)
        gate = TableGate(tables, made.pipeline, clock_ns, options.table_wait_s)
        explaining = None
        if options.files.explanations_out is not None and options.explain != "none":
            outlet = stack.enter_context(ExplanationsFile(options.files.explanations_out))
            explaining = stack.enter_context(explaining_thread(made, outlet, options, clock_ns))
        decider = InlineDecider(made.pipeline, tables, gate, clock_ns, explaining)
        engine = engine_class(options.engine)
        if options.engine == "loadgen":
            engine(source, decider, options.loadgen, batch_max=options.batch_max).run(stop, presence.ready)
        else:
            rollout = made.pipeline.rollout
            holding = None if rollout is None else Holding(rollout, clock_ns, time.sleep)
            inprocess = engine(source, decider, clock_ns=clock_ns, batch_max=options.batch_max, holding=holding)
            inprocess.run(stop, presence.ready)


def _presence(options: RunOptions, counters: Counters, clock_ns: ClockNs, made: "Worker | None" = None) -> Presence:
    if made is None:
        return Presence(options, lambda status: _summary(options, counters, status, None), WorkerMetrics(counters))
    from scorer.checkpoint.report import CheckpointMetrics  # noqa: PLC0415
    from scorer.guard_report import GuardMetrics, guard_summary  # noqa: PLC0415
    from scorer.rollout.report import RolloutMetrics  # noqa: PLC0415

    guard, late_scores, rollout = made.guard, made.late_scores, made.pipeline.rollout
    kept = [] if options.checkpoint_dir is None else [CheckpointMetrics(counters, clock_ns)]
    return Presence(
        options,
        lambda status: _summary(
            options, counters, status, guard_summary(guard, late_scores), None if rollout is None else rollout.summary()
        ),
        WorkerMetrics(counters),
        GuardMetrics(guard, late_scores),
        *kept,
        *([] if rollout is None else [RolloutMetrics(rollout)]),
        desk=breaker_desk(guard.breaker, tuple if rollout is None else rollout.breakers),
    )


def _summary(
    options: RunOptions,
    counters: Counters,
    status: str,
    guard: Mapping[str, Any] | None,
    rollout: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return worker_summary(
        counters, status=status, engine=options.engine, worker=options.worker, guard=guard, rollout=rollout
    )


def share_of(
    options: RunOptions,
    links: KafkaLinks,
    counters: Counters,
    clock_ns: ClockNs,
    checkpoints: Keeping | None = None,
) -> PartitionShare:
    """A worker's share of the topic; with checkpoints it holds a lease on it, and another consumer can be opened."""
    group = group_of(options, links.topics)
    if checkpoints is None:
        consumer = links.group_consumer(group, options.member)
        return PartitionShare(
            consumer, links.producer(), links.topics, counters, clock_ns, gathering=links.gathering_producer()
        )
    membership = Membership(SESSION_MS, clock_ns)

    def another() -> Any:
        return links.group_consumer(group, options.member, membership.answered)

    return PartitionShare(
        another(),
        links.producer(),
        links.topics,
        counters,
        clock_ns,
        checkpoints,
        membership,
        another,
        links.gathering_producer(),
    )


def group_of(options: RunOptions, topics: Topics) -> str:
    """The group of this worker."""
    return options.group or f"{topics.prefix}.scorer"
