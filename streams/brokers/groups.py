"""Consumer groups seen from outside: who reads a topic, and which of its partitions (confluent-kafka)."""

from dataclasses import dataclass

from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient

from streams.brokers.connection import KafkaConnection
from streams.errors import BrokerError

REQUEST_S = 10.0


@dataclass(frozen=True, slots=True)
class Holding:
    """What a group holds of a topic: partition numbers, and how many members share them."""

    group: str
    partitions: frozenset[int]
    members: int


class Groups:
    """The groups of a Kafka, of the classic protocol and of the newer one alike; errors are `BrokerError`."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._servers = connection.bootstrap_servers
        self._admin = AdminClient({**connection.for_confluent(), "log_level": 0})

    def holding(self, topic: str) -> list[Holding]:
        """The settled groups whose members have been given partitions of `topic`, by name; groups we may not see are
        left out."""
        try:
            listed = self._admin.list_consumer_groups(
                states={ConsumerGroupState.STABLE}, request_timeout=REQUEST_S
            ).result()
            names = sorted(group.group_id for group in listed.valid)
            asked = self._admin.describe_consumer_groups(names, request_timeout=REQUEST_S) if names else {}
            found = [(name, answer.result()) for name, answer in asked.items()]
        except KafkaException as error:
            raise BrokerError(f"cannot list consumer groups at {self._servers}: {error.args[0].str()}") from error
        holdings = []
        for name, group in found:
            if group.state is not ConsumerGroupState.STABLE:
                continue
            held = [
                {place.partition for place in member.assignment.topic_partitions if place.topic == topic}
                for member in group.members
                if member.assignment is not None
            ]
            if any(held):
                partitions: frozenset[int] = frozenset[int]().union(*held)
                holdings.append(Holding(name, partitions, sum(map(bool, held))))
        return holdings
