"""A worker's and the nightly job's clients on one Kafka."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition

from scorer.engines import StopSignal
from scorer.topic_wait import await_topics
from streams.brokers.clients import ConsumerSettings, ProducerSettings, consumer, producer
from streams.brokers.connection import KafkaConnection
from streams.errors import BrokerError
from streams.priority import patient_threads
from streams.topics import Topics

METADATA_LIMIT_S = 15.0
ASKING_LIMIT_S = 2.0
GATHER_MS = 2.0
"""With 1 ms a worker near its capacity fell behind sooner."""
POLL_S = 0.5
SILENCE_MAX = 60
"""Polls without an answer of the broker after which reading to the end is given up."""
MESSAGES_MAX = 4_096
SESSION_MS = 10_000
"""The group gives a worker's partitions to others when it has not heard of it for so long."""

Committed = Callable[[Any, list[Any]], None]
"""Called with an error, if any, and the offsets of a commit."""


class KafkaLinks:
    """Opens the clients that the roles need."""

    def __init__(self, connection: KafkaConnection, topics: Topics) -> None:
        self.connection = connection
        self.topics = topics

    def producer(self) -> Any:
        """A producer that sends at once and repeats nothing.

        librdkafka wakes its thread with the first message of a batch. Where that took the processor from the thread
        that still hands over the others, each would leave as a request of its own.
        """
        with patient_threads():
            return producer(self.connection, ProducerSettings())

    def gathering_producer(self) -> Any:
        """A producer that lets messages gather for `GATHER_MS`, for when there are many of them."""
        with patient_threads():
            return producer(self.connection, ProducerSettings(linger_ms=GATHER_MS))

    def group_consumer(self, group: str, member: str | None = None, committed: Committed | None = None) -> Any:
        """A member of a consumer group; what it has not committed is read again. One with a name (`member`) that was
        killed gets its partitions again as soon as it is back, without waiting for its session to end."""
        extra: dict[str, Any] = {} if member is None else {"group.instance.id": member}
        if committed is not None:
            extra["on_commit"] = committed
        settings = ConsumerSettings(queue_messages=10_000, session_timeout_ms=SESSION_MS)
        return consumer(self.connection, group, settings, extra)

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises `BrokerError` when the broker or the topic is not there."""
        return self._partitions(topic, self._lone_consumer())

    def await_topics(self, limit_s: float, stop: StopSignal) -> bool:
        """Wait until the run's topics are there; False when asked to stop before. Raises `BrokerError` after `limit_s`;
        with 0 it does not ask: whoever uses a topic says that it is missing."""
        if limit_s == 0:
            return not stop.is_set()
        client = self._lone_consumer()
        try:
            return await_topics(lambda: self._missing(client), limit_s, stop)
        finally:
            client.close()

    def whole_topics(self, topics: Sequence[str], extra: Mapping[str, Any] | None = None) -> Any:
        """A consumer of its own, assigned to all partitions of the topics from their beginning; commits nothing.
        `extra` as for `streams.brokers.clients.consumer`."""
        client = self._lone_consumer(extra)
        assigned = [
            TopicPartition(topic, partition, OFFSET_BEGINNING)
            for topic in topics
            for partition in range(self._count(client, topic))
        ]
        client.assign(assigned)
        return client

    def edges(self, topic: str) -> dict[int, tuple[int, int]]:
        """Of each partition of a topic the offset of the oldest message kept, and the one that the next will get."""
        client = self._lone_consumer()
        try:
            partitions = [TopicPartition(topic, partition) for partition in range(self._count(client, topic))]
            return {at.partition: client.get_watermark_offsets(at, timeout=METADATA_LIMIT_S) for at in partitions}
        except KafkaException as error:
            raise BrokerError(f"the offsets of topic {topic} cannot be read: {error.args[0].str()}") from error
        finally:
            client.close()

    def whole(self, topics: Sequence[str]) -> Iterator[Any]:
        """All messages that these topics hold now."""
        return self.from_places(topics, {})

    def from_places(self, topics: Sequence[str], begins: Mapping[tuple[str, int], int]) -> Iterator[Any]:
        """All messages that these topics hold now from these places (topic and partition: offset) on; where none is
        named, from the oldest. Raises `BrokerError` when the broker does not answer."""
        starts: dict[tuple[str, int], int] = {}
        for topic in topics:
            for partition, (low, high) in self.edges(topic).items():
                start = max(low, begins.get((topic, partition), 0))
                if start < high:
                    starts[(topic, partition)] = start
        if starts:
            client = self._lone_consumer({"enable.partition.eof": True})
            client.assign([TopicPartition(*position, offset) for position, offset in starts.items()])
            try:
                yield from _to_the_end(client, set(starts))
            finally:
                client.close()

    def _lone_consumer(self, extra: Mapping[str, Any] | None = None) -> Any:
        # The name is a formality: a consumer that is assigned by hand and commits nothing joins no group.
        name = f"{self.topics.prefix}.follower"
        return consumer(self.connection, name, ConsumerSettings(queue_messages=20_000), extra)

    def _partitions(self, topic: str, client: Any) -> int:
        try:
            return self._count(client, topic)
        finally:
            client.close()

    def _missing(self, client: Any) -> list[str]:
        """The run's topics that are not there. Raises `BrokerError` when no broker answers."""
        try:
            there = client.list_topics(timeout=ASKING_LIMIT_S).topics
        except KafkaException as error:
            raise BrokerError(
                f"no broker answers at {self.connection.bootstrap_servers}: {error.args[0].str()}"
            ) from error
        return [name for name in self.topics.all() if name not in there]

    def _count(self, client: Any, topic: str) -> int:
        try:
            found = client.list_topics(topic, timeout=METADATA_LIMIT_S).topics[topic]
        except KafkaException as error:
            raise BrokerError(
                f"no broker answers at {self.connection.bootstrap_servers} within {METADATA_LIMIT_S:g} s: "
                f"{error.args[0].str()}; check --bootstrap-servers and --kafka-config"
            ) from error
        if found.error is not None or not found.partitions:
            reason = "it has no partitions" if found.error is None else found.error.str()
            raise BrokerError(f"topic {topic} cannot be used: {reason}; check --prefix")
        return len(found.partitions)


def _to_the_end(client: Any, unread: set[tuple[str, int]]) -> Iterator[Any]:
    silent = 0
    while unread:
        messages = [message for message in (client.poll(POLL_S),) if message is not None]
        messages += client.consume(MESSAGES_MAX, 0) if messages else []
        silent = 0 if messages else silent + 1
        if silent > SILENCE_MAX:
            raise BrokerError(f"topics cannot be read to their end: no answer for {POLL_S * SILENCE_MAX:g} s")
        for message in messages:
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                unread.discard((message.topic(), message.partition()))
            elif error.fatal():
                raise BrokerError(f"topics cannot be read to their end: {error.str()}")
