"""Runs a scorer system on a broker the way a user does: processes, topics, a ready file, SIGTERM, a summary."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from streams.brokers.clients import consumer, producer
from streams.brokers.connection import KafkaConnection
from streams.brokers.control import COMPACTED, ControlPlane, TopicSpec
from streams.codec import encode, encode_events
from streams.decision import Decision, Explanation
from streams.topics import Domain, Topics
from tests.scorer_case import ScorerCase, control_messages

READY_LIMIT_S = 90
STOP_LIMIT_S = 60
ANSWER_LIMIT_S = 60


@dataclass
class Process:
    """A started scorer process."""

    child: subprocess.Popen[bytes]
    ready_file: Path
    summary_file: Path
    log: Path

    def await_ready(self) -> dict[str, Any]:
        limit = time.monotonic() + READY_LIMIT_S
        while not self.ready_file.exists():
            assert self.child.poll() is None, self.log.read_text()
            assert time.monotonic() < limit, self.log.read_text()
            time.sleep(0.02)
        found: dict[str, Any] = json.loads(self.ready_file.read_text())
        return found

    def end(self) -> None:
        """Make sure that it is gone."""
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait(10)

    def stop(self) -> dict[str, Any]:
        self.child.terminate()
        assert self.child.wait(STOP_LIMIT_S) == 0, self.log.read_text()
        found: dict[str, Any] = json.loads(self.summary_file.read_text())
        return found


def start(
    folder: Path, name: str, options: Sequence[str], worker_id: str | None = None, python: str = sys.executable
) -> Process:
    """`python -m scorer` with these options; `name` is the one of its files, and the worker's if that has none."""
    files = folder / f"{name}.ready", folder / f"{name}.summary", folder / f"{name}.log"
    told = ["--worker-id", worker_id or name, "--ready-file", str(files[0]), "--summary", str(files[1])]
    with files[2].open("wb") as log:
        child = subprocess.Popen(
            [python, "-m", "scorer", *options, *told], stdout=log, stderr=log, cwd=Path(__file__).parents[2]
        )
    return Process(child, *files)


def system_options(case: ScorerCase, connection: KafkaConnection, topics: Topics) -> list[str]:
    return [
        "--bootstrap-servers", connection.bootstrap_servers, "--prefix", topics.prefix,
        "--bundle", str(case.bundle), "--rules", str(case.rules), "--state", str(case.state),
    ]  # fmt: skip


@contextmanager
def scorer_system(
    folder: Path,
    case: ScorerCase,
    connection: KafkaConnection,
    topics: Topics,
    *,
    engine: str,
    workers: int,
    more: Sequence[str] = (),
    python: str = sys.executable,
) -> Iterator[list[Process]]:
    """Workers and the nightly job, all ready; killed if the test leaves them running."""
    options = system_options(case, connection, topics)
    with ExitStack() as stack:
        started = []
        roles = [("nightly", ["--role", "nightly"])]
        roles += [(f"worker-{n}", ["--engine", engine, *more]) for n in range(workers)]
        for name, role in roles:
            interpreter = sys.executable if name == "nightly" else python
            started.append(start(folder, name, [*role, *options], python=interpreter))
            stack.callback(started[-1].end)
        for process in started:
            process.await_ready()
        yield started


@contextmanager
def fresh_topics(connection: KafkaConnection, partitions: int, domain: Domain = "fraud") -> Iterator[Topics]:
    """A run's topics under a name of their own, removed afterwards."""
    topics = Topics(f"test-{uuid.uuid4().hex[:8]}", domain)
    specs = [TopicSpec(name, partitions) for name in (topics.events, topics.decisions, topics.explanations)]
    specs += [TopicSpec(name, 1) for name in (topics.dead_letter, topics.dispositions, topics.day_ends)]
    specs.append(TopicSpec(topics.alerts, 1) if domain == "aml" else TopicSpec(topics.day_tables, 1, COMPACTED))
    with ControlPlane(connection) as control:
        control.create_topics(specs)
        try:
            yield topics
        finally:
            control.delete_topics([spec.name for spec in specs])


def send_stream(case: ScorerCase, connection: KafkaConnection, topics: Topics, malformed: Sequence[int] = ()) -> None:
    """The whole stream with its dispositions and day ends; a message that is none before each row in `malformed`."""
    sender = producer(connection)
    cards = case.stream["card_id"].to_pylist()
    beside = iter([*control_messages(case), (len(cards), None)])
    row_beside, message = next(beside)
    for row, value in enumerate(encode_events(case.stream)):
        while row_beside <= row and message is not None:
            sender.produce(topics.day_ends if hasattr(message, "day") else topics.dispositions, encode(message))
            row_beside, message = next(beside)
        if row in malformed:
            sender.produce(topics.events, b'{"event_id": "no event"', key=cards[row].encode())
        sender.produce(topics.events, value, key=cards[row].encode())
    assert sender.flush(30) == 0


@dataclass
class Reader:
    """Reads a topic from its beginning."""

    connection: KafkaConnection
    topic: str
    values: list[bytes] = field(default_factory=list)

    def read(self, count: int, grace_s: float = 0.5) -> list[bytes]:
        """At least `count` messages, and what else comes within the grace time (there should be nothing)."""
        with ControlPlane(self.connection) as control:
            partitions = control.partitions(self.topic)
        reader = consumer(self.connection, "test-reader")
        reader.assign([TopicPartition(self.topic, partition, OFFSET_BEGINNING) for partition in partitions])
        limit = time.monotonic() + ANSWER_LIMIT_S
        try:
            while len(self.values) < count and time.monotonic() < limit:
                self._take(reader, 0.2)
            self._take(reader, grace_s)
        finally:
            reader.close()
        return self.values

    def _take(self, reader: Any, wait_s: float) -> None:
        self.values += [message.value() for message in reader.consume(10_000, wait_s) if message.error() is None]


def explained(explanation: Explanation) -> dict[str, Any]:
    """What must be the same whoever explained: everything but the worker and the times."""
    return {"reasons": explanation.reasons, "model_version": explanation.model_version}


def essence(decision: Decision) -> dict[str, Any]:
    """What must be the same whoever decided: everything but the worker and the times."""
    names = ("event_id", "outcome", "score", "path", "reasons", "margin", "rules_version", "model_version", "features")
    return {name: getattr(decision, name) for name in names}
