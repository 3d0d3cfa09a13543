"""Three brokers, replication 3, acks=all: one is killed while it is written to, and nothing is lost or told twice."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.brokers.child import wait_until
from streams.brokers.clients import consumer, producer, receive
from streams.brokers.control import ControlPlane, TopicSpec
from streams.brokers.kafka_cluster import KafkaCluster

pytestmark = [pytest.mark.broker("apache"), pytest.mark.slow, pytest.mark.timeout(600)]

MESSAGES, PARTITIONS = 30_000, 6


@pytest.fixture
def cluster(tmp_path: Path, broker_cache_dir: Path) -> Iterator[KafkaCluster]:
    with KafkaCluster(tmp_path / "cluster", broker_cache_dir, environ=os.environ) as made:
        yield made


def partitions(cluster: KafkaCluster, topic: str) -> dict[int, Any]:
    client = AdminClient({**cluster.connection.for_confluent(), "log_level": 0})
    found: dict[int, Any] = client.list_topics(topic, timeout=10).topics[topic].partitions
    return found


def in_sync(cluster: KafkaCluster, topic: str, copies: int) -> bool:
    return all(len(partition.isrs) == copies for partition in partitions(cluster, topic).values())


def leaders(cluster: KafkaCluster, topic: str) -> Counter[int]:
    """How many partitions each node leads."""
    return Counter(partition.leader for partition in partitions(cluster, topic).values())


def read_all(cluster: KafkaCluster, topic: str, group: str) -> Counter[bytes]:
    """How often each message is there."""
    source, found = consumer(cluster.connection, group), Counter[bytes]()
    places = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)]
    end = sum(source.get_watermark_offsets(place, timeout=30)[1] for place in places)
    source.assign(places)
    limit = time.monotonic() + 120
    try:
        while found.total() < end:
            assert time.monotonic() < limit, f"{found.total()} of {end} records came"
            found.update(message.value() for message in receive(source, 5_000, 0.5) if message.error() is None)
    finally:
        source.close()
    return found


def test_a_broker_is_killed_and_nothing_is_lost(cluster: KafkaCluster) -> None:
    with ControlPlane(cluster.connection, timeout_s=30) as control:
        control.create_topics([TopicSpec("ledger", PARTITIONS, replicas=3)])
    assert wait_until(lambda: in_sync(cluster, "ledger", 3), timeout_s=60)
    victim = leaders(cluster, "ledger").most_common(1)[0][0]

    acknowledged: list[bytes] = []
    refused: list[str] = []

    def delivered(error: Any, message: Any) -> None:
        if error is None:
            acknowledged.append(message.value())
        else:
            refused.append(error.str())

    sender = producer(cluster.connection)
    for number in range(MESSAGES):
        sender.produce("ledger", str(number).encode(), str(number).encode(), on_delivery=delivered)
        sender.poll(0)
        if number == MESSAGES // 3:
            cluster.kill(victim)  # with messages on their way to it, which nobody has acknowledged yet
    assert sender.flush(120) == 0
    assert refused == []
    assert len(acknowledged) == MESSAGES
    assert victim not in leaders(cluster, "ledger")
    sent = Counter(str(number).encode() for number in range(MESSAGES))
    assert read_all(cluster, "ledger", "with-two") == sent

    cluster.restart(victim)
    assert wait_until(lambda: in_sync(cluster, "ledger", 3), timeout_s=120), "the node did not catch up"
    other = next(node.number for node in cluster.nodes if node.number != victim)
    cluster.kill(other)
    assert wait_until(lambda: other not in leaders(cluster, "ledger"), timeout_s=60), "nobody took its partitions over"
    assert read_all(cluster, "ledger", "with-the-other-two") == sent
