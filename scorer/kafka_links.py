"""A worker's and the nightly job's clients on one Kafka."""

from collections.abc import Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

from streams.brokers.clients import ConsumerSettings, ProducerSettings, consumer, producer
from streams.brokers.connection import KafkaConnection
from streams.errors import BrokerError
from streams.topics import Topics

METADATA_LIMIT_S = 15.0


class KafkaLinks:
    """Opens the clients that the roles need."""

    def __init__(self, connection: KafkaConnection, topics: Topics) -> None:
        self.connection = connection
        self.topics = topics

    def producer(self) -> Any:
        """A producer that sends at once and repeats nothing."""
        return producer(self.connection, ProducerSettings())

    def group_consumer(self, group: str) -> Any:
        """A member of a consumer group; what it has not committed is read again."""
        return consumer(self.connection, group, ConsumerSettings(queue_messages=10_000))

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises `BrokerError` when the broker or the topic is not there."""
        return self._partitions(topic, self._lone_consumer())

    def whole_topics(self, topics: Sequence[str]) -> Any:
        """A consumer of its own, assigned to all partitions of the topics from their beginning; commits nothing."""
        client = self._lone_consumer()
        assigned = [
            TopicPartition(topic, partition, OFFSET_BEGINNING)
            for topic in topics
            for partition in range(self._count(client, topic))
        ]
        client.assign(assigned)
        return client

    def _lone_consumer(self) -> Any:
        # The name is a formality: a consumer that is assigned by hand and commits nothing joins no group.
        return consumer(self.connection, f"{self.topics.prefix}.follower", ConsumerSettings(queue_messages=20_000))

    def _partitions(self, topic: str, client: Any) -> int:
        try:
            return self._count(client, topic)
        finally:
            client.close()

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
