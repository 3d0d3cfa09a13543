"""Where the shares of a run meet: a topic on which each says how far it has come. Nobody's clock matters."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from harness.shares.share import Share
from streams.brokers.clients import consumer_config, producer_config
from streams.brokers.connection import KafkaConnection
from streams.errors import BadInputError, RunInvalidError

POLL_S = 0.02
FLUSH_S = 10.0
Said = dict[str, Any]


class Board(Protocol):
    """What all shares can write to and read from the beginning."""

    def write(self, message: bytes) -> None: ...
    def read(self) -> list[bytes]: ...
    def close(self) -> None: ...


class TopicBoard:
    """A topic of one partition."""

    def __init__(self, connection: KafkaConnection, topic: str) -> None:
        self._topic = topic
        self._producer: Any = Producer(producer_config(connection))
        self._consumer: Any = Consumer(consumer_config(connection, group=f"{topic}.reader"))
        self._consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])

    def write(self, message: bytes) -> None:
        """Append, and wait until the broker has it. Raises RunInvalidError when it does not take it."""
        self._producer.produce(self._topic, message)
        if self._producer.flush(FLUSH_S):
            raise RunInvalidError(f"the broker did not take a message on {self._topic} within {FLUSH_S:g} s")

    def read(self) -> list[bytes]:
        """What is new."""
        found = self._consumer.consume(100, POLL_S)
        return [message.value() for message in found if message.error() is None]

    def close(self) -> None:
        """End the consumer."""
        self._consumer.close()


@dataclass(slots=True)
class Meeting:
    """One share's place in it. `same` is a hash of what all shares must have in common."""

    share: Share
    board: Board
    same: str
    limit_s: float
    clock: Callable[[], float] = time.monotonic
    check: Callable[[], None] = lambda: None
    _seen: list[Said] = field(default_factory=list)

    def say(self, point: str, **said: str) -> None:
        """Say that this share has come to a point."""
        told = {"share": self.share.number, "of": self.share.of, "same": self.same, "at": point, **said}
        self.board.write(json.dumps(told).encode())

    def meet(self, point: str, **said: str) -> Mapping[int, Said]:
        """Say it, and wait until all have; returns what each said, by its number.

        Raises RunInvalidError when some do not come in time, BadInputError when one is no share of this run.
        """
        self.say(point, **said)
        until = self.clock() + self.limit_s
        while True:
            self._seen += [json.loads(message) for message in self.board.read()]
            here = {told["share"]: told for told in self._seen if told["at"] == point}
            self._refuse_others(point)
            if len(here) == self.share.of:
                return here
            self.check()
            if self.clock() > until:
                missing = [f"{n}/{self.share.of}" for n in range(1, self.share.of + 1) if n not in here]
                raise RunInvalidError(
                    f"share {self.share}: {', '.join(missing)} had not come to {point!r} within {self.limit_s:g} s "
                    "(scorer.join_within_s)"
                )

    def _refuse_others(self, point: str) -> None:
        told = [each for each in self._seen if each["at"] == point]
        for each in told:
            if each["of"] != self.share.of or each["same"] != self.same:
                raise BadInputError(
                    f"share {self.share}: {each['share']}/{each['of']} is no share of this run: it has another "
                    "scenario, other seeds, other events or another number of shares"
                )
        numbers = [each["share"] for each in told]
        if len(set(numbers)) != len(numbers):
            raise BadInputError(
                f"share {self.share}: two runs are the same share ({sorted(numbers)}): give each its own"
            )
