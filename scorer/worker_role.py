"""Sets up and runs a worker: the engine that was asked for, around the pipeline or, for the floor, around nothing."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.engines import StopSignal, engine_class
from scorer.engines.partitions import PartitionShare
from scorer.guarded_model import GuardedModel
from scorer.health import WorkerMetrics
from scorer.kafka_links import KafkaLinks
from scorer.options import RunOptions, required
from scorer.presence import Presence
from scorer.summary import worker_summary
from streams.brokers.connection import connection_from
from streams.errors import BadInputError
from streams.labels import Disposition, calendar_day
from streams.topics import Topics
from streams.transaction import TRANSACTION_SCHEMA


def run_worker_role(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    """Run the engine until it is stopped or its input ends. Raises `RiskbenchError` for what cannot be used or
    reached."""
    if options.engine == "null":
        _run_null(options, stop, clock_ns)
    elif options.engine == "inprocess":
        _run_inprocess(options, stop, clock_ns)
    else:
        _run_on_kafka(options, stop, clock_ns)


def _links(options: RunOptions) -> KafkaLinks:
    who = f"engine {options.engine}"
    servers = required(options.bootstrap_servers, "--bootstrap-servers", who)
    topics = Topics(required(options.prefix, "--prefix", who))
    return KafkaLinks(connection_from(servers, options.kafka_config), topics)


def _run_null(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    links, counters = _links(options), Counters()
    with _presence(options, counters) as presence:
        share = _share(options, links, counters, clock_ns)
        engine = engine_class("null")(share, counters, clock_ns, options.worker, options.batch_max)
        engine.run(stop, presence.ready)


def _run_on_kafka(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    from scorer.assembly import worker  # noqa: PLC0415 (the null engine does without models and rules)
    from scorer.table_feed import TableFeed, TableGate  # noqa: PLC0415

    links = _links(options)
    links.partitions(links.topics.events)  # says at once when there is no broker or no such topic
    with worker(options, clock_ns) as made, _presence(options, made.counters, made.guard) as presence:
        feed = TableFeed(lambda: links.whole_topics((links.topics.day_tables,)))
        gate = TableGate(feed.inbox, made.pipeline, clock_ns, options.table_wait_s)
        engine: Any
        if options.engine == "native":
            share = _share(options, links, made.counters, clock_ns)
            engine = engine_class("native")(share, made.pipeline, gate, clock_ns, options.batch_max)
        else:
            engine = _faust(options, links, made, gate, clock_ns)
        feed.start()
        try:
            engine.run(stop, presence.ready)
        finally:
            feed.stop()


def _faust(options: RunOptions, links: KafkaLinks, made: Any, gate: Any, clock_ns: ClockNs) -> Any:
    from scorer.engines.faust import FaustEngine, FaustSettings  # noqa: PLC0415

    settings = FaustSettings(
        connection=links.connection,
        topics=links.topics,
        group=_group(options, links.topics),
        event_partitions=links.partitions(links.topics.events),
        decision_partitions=links.partitions(links.topics.decisions),
        batch_max=options.batch_max,
    )
    return FaustEngine(settings, made.pipeline, gate, made.counters, clock_ns)


def _run_inprocess(options: RunOptions, stop: StopSignal, clock_ns: ClockNs) -> None:
    from scorer.assembly import worker  # noqa: PLC0415
    from scorer.day_closing import DayCloser  # noqa: PLC0415
    from scorer.engines.inprocess import InlineTables, InprocessEngine, Input  # noqa: PLC0415
    from scorer.state_files import open_ledger  # noqa: PLC0415
    from scorer.table_feed import TableGate  # noqa: PLC0415

    who = "engine inprocess"
    events = read_events(Path(required(options.files.events, "--events", who)))
    dispositions = read_dispositions(options.files.dispositions)
    out = Path(required(options.files.decisions_out, "--decisions-out", who))
    source = Input(events, read_schedule(options.files.schedule), out)
    with worker(options, clock_ns) as made, _presence(options, made.counters, made.guard) as presence:
        ledger = open_ledger(options.state, made.bundle.label_delay_days)
        first_ns = int(events["event_time_ns"][0].as_py()) if len(events) else 0
        closer = DayCloser(ledger, ledger.label_delay_days, max(ledger.last_closed + 1, calendar_day(first_ns) - 1))
        tables = InlineTables(closer, dispositions)
        gate = TableGate(tables, made.pipeline, clock_ns, options.table_wait_s)
        engine = InprocessEngine(source, made.pipeline, tables, gate, clock_ns=clock_ns, batch_max=options.batch_max)
        engine.run(stop, presence.ready)


def _presence(options: RunOptions, counters: Counters, guard: GuardedModel | None = None) -> Presence:
    breaker = None if guard is None else guard.breaker

    def summarise(status: str) -> dict[str, Any]:
        told = None if guard is None else {"breaker": guard.breaker.summary(), "model": guard.summary()}
        return worker_summary(counters, status=status, engine=options.engine, worker=options.worker, guard=told)

    return Presence(options, summarise, WorkerMetrics(counters, breaker))


def _share(options: RunOptions, links: KafkaLinks, counters: Counters, clock_ns: ClockNs) -> PartitionShare:
    consumer = links.group_consumer(_group(options, links.topics))
    return PartitionShare(consumer, links.producer(), links.topics, counters, clock_ns)


def _group(options: RunOptions, topics: Topics) -> str:
    return options.group or f"{topics.prefix}.scorer"


def read_events(path: Path) -> pa.Table:
    """A Parquet file of transactions. Raises `BadInputError` when it is none."""
    table = _parquet(path, "--events")
    absent = [field.name for field in TRANSACTION_SCHEMA if not field.nullable and field.name not in table.column_names]
    if absent:
        raise BadInputError(f"--events {path} lacks column {', '.join(absent)}")
    return table


def read_dispositions(path: Path | None) -> list[Disposition]:
    """A Parquet file with the fields of a disposition as columns; none without a file."""
    if path is None:
        return []
    rows = _parquet(path, "--dispositions").to_pylist()
    try:
        return msgspec.convert(rows, list[Disposition])
    except msgspec.ValidationError as error:
        raise BadInputError(f"--dispositions {path} does not hold dispositions: {error}") from error


def read_schedule(path: Path | None) -> NDArray[np.int64] | None:
    """A NumPy file of int64 offsets (ns), ascending; None without a file."""
    if path is None:
        return None
    try:
        offsets = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise BadInputError(f"--schedule {path} cannot be read as a NumPy array: {error}") from error
    if offsets.ndim != 1 or offsets.dtype != np.int64 or (np.diff(offsets) < 0).any():
        raise BadInputError(
            f"--schedule {path} must hold ascending int64 offsets in ns; it has {offsets.dtype}{list(offsets.shape)}"
        )
    return np.asarray(offsets, np.int64)


def _parquet(path: Path, option: str) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"{option} {path} cannot be read as Parquet: {error}") from error
