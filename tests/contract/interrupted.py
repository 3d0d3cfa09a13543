"""A scorer that is killed and started again, as a supervisor would, until the stream is decided."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from streams.brokers.clients import consumer, producer
from streams.brokers.connection import KafkaConnection
from streams.brokers.control import ControlPlane
from streams.codec import encode, encode_events
from streams.topics import Topics
from tests.contract.scorer_process import Process, start
from tests.scorer_case import ScorerCase, control_messages

ANSWER_LIMIT_S = 30


@dataclass
class Supervised:
    """A process that is started again whenever it was killed."""

    folder: Path
    name: str
    options: Sequence[str]
    starts: int = 0
    process: Process | None = None

    def start(self) -> Process:
        self.starts += 1
        self.process = start(self.folder, f"{self.name}-{self.starts}", self.options, self.name)
        return self.process

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.child.poll() is None, self.process.log.read_text()
        os.kill(self.process.child.pid, signal.SIGKILL)
        self.process.child.wait(10)

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob(f"{self.name}-*.log")))

    def end(self) -> None:
        if self.process is not None:
            self.process.end()


def stream_slowly(
    case: ScorerCase,
    connection: KafkaConnection,
    topics: Topics,
    *,
    every: int,
    between: Callable[[int], None],
    malformed: Sequence[int] = (),
) -> None:
    """Send the stream; after each `every` rows `between` is called with the rows sent."""
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
        if row % every == every - 1:
            sender.flush(30)
            between(row + 1)
    assert sender.flush(30) == 0


@dataclass
class Follower:
    """Counts the messages of a topic as they come."""

    connection: KafkaConnection
    topic: str
    count: int = 0
    reader: Any = None

    def __enter__(self) -> "Follower":
        with ControlPlane(self.connection) as control:
            partitions = control.partitions(self.topic)
        self.reader = consumer(self.connection, "test-follower")
        self.reader.assign([TopicPartition(self.topic, each, OFFSET_BEGINNING) for each in partitions])
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()

    def until(self, count: int, limit_s: float = ANSWER_LIMIT_S) -> bool:
        """Wait until so many have come."""
        limit = time.monotonic() + limit_s
        while self.count < count and time.monotonic() < limit:
            found = self.reader.consume(10_000, 0.02)
            self.count += sum(message.error() is None for message in found)
        return self.count >= count
