"""The Flink engine: a PyFlink job in a mini-cluster that this process starts, from Kafka table to Kafka table.

Flink reads, writes and keeps the offsets, with its checkpoints; it hands over one event at a time. Its Python operator
runs in this very process (PyFlink's loopback), where pipeline, guards, health and metrics are. Runs in an environment
of its own (`flink.lock`): PyFlink wants older packages than ours.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyflink.common import Configuration, JobStatus, Row, Types
from pyflink.datastream import OutputTag, ProcessFunction, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import DataTypes, Schema, StreamTableEnvironment

from scorer.clock import ClockNs
from scorer.engines import Ready, StopSignal
from scorer.engines.flink_desk import Desk, FlinkOutlet, commit_reached
from scorer.explaining import Explaining
from scorer.pipeline import Pipeline
from scorer.table_feed import TableGate
from streams.brokers.connection import KafkaConnection
from streams.errors import BadInputError, BrokerError
from streams.topics import Topics

START_LIMIT_S = 60.0
POLL_S = 0.1
CHECKPOINT_EVERY = "1 s"
BUNDLE_MS, BUNDLE_EVENTS = 2, 256
"""Events are handed to Python, and answers back, at the latest after this time or this many."""

_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
_KEYED = Types.ROW_NAMED(["k", "v"], [_BYTES, _BYTES])
_EVENTS = """SELECT v, k, p, o FROM events
UNION ALL SELECT CAST(NULL AS BYTES), CAST(NULL AS BYTES), -1, CAST(-1 AS BIGINT)"""
"""Flink opens a Python operator with the first row it has for it, so one that is no event goes ahead: the first event
finds everything ready."""
_LETTERS = OutputTag("dead-letters", Types.ROW_NAMED(["v"], [_BYTES]))


@dataclass(frozen=True, slots=True)
class FlinkSettings:
    """Where the job reads and writes, and the jar of Flink's Kafka connector."""

    connection: KafkaConnection
    topics: Topics
    group: str
    connector: Path


class _Decide(ProcessFunction):  # type: ignore[misc]
    """The operator. It is sent to where it runs as bytes, so it holds only its desk's name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def open(self, runtime_context: Any) -> None:
        del runtime_context
        self._desk = Desk.open[self._name]
        self._desk.taken_up.set()

    def process_element(self, value: Any, ctx: Any) -> Iterator[Any]:
        del ctx
        if value[2] < 0:  # no event: see `_EVENTS`
            return
        for event_id, answer in self._desk.answer(value[0] or b"", value[2], value[3], value[1]):
            if event_id is None:
                yield _LETTERS, Row(answer)
            else:
                yield Row(event_id.encode(), answer)


class FlinkEngine:
    """One job of parallelism 1, which takes all partitions. `open_consumer` opens a consumer of its group."""

    def __init__(
        self,
        settings: FlinkSettings,
        pipeline: Pipeline,
        gate: TableGate,
        explaining: Explaining | None,
        outlet: FlinkOutlet,
        *,
        open_consumer: Callable[[], Any],
        clock_ns: ClockNs,
    ) -> None:
        if settings.connection.security.protocol != "PLAINTEXT":
            raise BadInputError("--kafka-config: engine flink takes no TLS or SASL; choose engine native or faust")
        self._settings, self._explaining, self._outlet = settings, explaining, outlet
        self._open_consumer = open_consumer
        self._desk = Desk(pipeline, gate, explaining, settings.topics, clock_ns)

    def run(self, stop: StopSignal, ready: Ready) -> None:
        """See `Engine.run`. Raises `BrokerError` when the job fails."""
        name = self._settings.group
        Desk.open[name] = self._desk
        try:
            with tempfile.TemporaryDirectory(prefix="riskbench-flink-") as folder:
                self._follow(self._job(name), Path(folder), stop, ready)
        finally:
            del Desk.open[name]

    def _follow(self, job: Any, folder: Path, stop: StopSignal, ready: Ready) -> None:
        limit = time.monotonic() + START_LIMIT_S
        announced = False
        while not stop.is_set():
            _raise_when_ended(job)
            if not announced and self._desk.taken_up.is_set():
                announced = True
                ready()
            if not announced and time.monotonic() > limit:
                status = job.get_job_status().result().name
                raise BrokerError(f"the Flink job has not started within {START_LIMIT_S:g} s: it is {status}")
            time.sleep(POLL_S)
        _stop(job, folder)
        if self._explaining is not None:
            self._explaining.drain()
        self._outlet.flush()
        commit_reached(self._open_consumer(), self._settings.topics.events, self._desk.reached)

    def _job(self, name: str) -> Any:
        """Start the job; returns its client."""
        environment = StreamExecutionEnvironment.get_execution_environment(_configuration(self._settings.connector))
        tables = StreamTableEnvironment.create(environment)
        for statement in _tables(self._settings):
            tables.execute_sql(statement)
        decided = tables.to_data_stream(tables.sql_query(_EVENTS)).process(_Decide(name), output_type=_KEYED)
        columns = Schema.new_builder().column("k", DataTypes.BYTES()).column("v", DataTypes.BYTES()).build()
        letter = Schema.new_builder().column("v", DataTypes.BYTES()).build()
        statements = tables.create_statement_set()
        statements.add_insert("decisions", tables.from_data_stream(decided, columns))
        statements.add_insert("letters", tables.from_data_stream(decided.get_side_output(_LETTERS), letter))
        statements.attach_as_datastream()
        return environment.execute_async(name)


def _configuration(connector: Path) -> Any:
    found = Configuration()
    for key, value in {
        "pipeline.jars": connector.resolve().as_uri(),
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "python.fn-execution.bundle.time": str(BUNDLE_MS),
        "python.fn-execution.bundle.size": str(BUNDLE_EVENTS),
        "parallelism.default": "1",
        "execution.checkpointing.interval": CHECKPOINT_EVERY,
        "execution.buffer-timeout.interval": "1 ms",
        "restart-strategy.type": "none",  # what is not committed is read again by whoever starts the engine again
        "rest.bind-port": "0",
    }.items():
        found.set_string(key, value)
    return found


def _tables(settings: FlinkSettings) -> list[str]:
    """The topics as tables of bytes."""
    servers, topics = settings.connection.bootstrap_servers, settings.topics
    keyed = "'key.format' = 'raw', 'key.fields' = 'k', 'value.fields-include' = 'EXCEPT_KEY'"

    def kafka(topic: str, *more: str) -> str:
        given = [f"'topic' = '{topic}'", f"'properties.bootstrap.servers' = '{servers}'", *more]
        return f"WITH ('connector' = 'kafka', 'value.format' = 'raw', {', '.join(given)})"

    reading = (
        f"'properties.group.id' = '{settings.group}'",
        "'scan.startup.mode' = 'group-offsets'",
        "'properties.auto.offset.reset' = 'earliest'",
        "'properties.fetch.max.wait.ms' = '50'",
        keyed,
    )
    events = "v BYTES, k BYTES, p INT METADATA FROM 'partition' VIRTUAL, o BIGINT METADATA FROM 'offset' VIRTUAL"
    return [
        f"CREATE TABLE events ({events}) {kafka(topics.events, *reading)}",
        f"CREATE TABLE decisions (k BYTES, v BYTES) {kafka(topics.decisions, keyed)}",
        f"CREATE TABLE letters (v BYTES) {kafka(topics.dead_letter)}",
    ]


def _stop(job: Any, folder: Path) -> None:
    """End the job; everything read is decided and written before it does. PyFlink's own call of this lacks
    an argument (2.2.1)."""
    kind = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType.NATIVE
    job._j_job_client.stopWithSavepoint(False, folder.as_uri(), kind).get()


def _raise_when_ended(job: Any) -> None:
    status = job.get_job_status().result()
    if status in (JobStatus.FAILED, JobStatus.FAILING, JobStatus.CANCELED, JobStatus.FINISHED):
        why = ""
        try:
            job.get_job_execution_result().result()
        except Exception as error:  # py4j's: the cause is in its text
            why = f": {str(error)[-2_000:]}"
        raise BrokerError(f"the Flink job has ended by itself ({status.name}){why}")


ENGINE = FlinkEngine
