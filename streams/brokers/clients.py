"""The confluent-kafka clients of the hot path, where the instrument must be faster than what it measures."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from confluent_kafka import Consumer, KafkaError, Message, Producer

from streams.brokers.connection import KafkaConnection

Report = Callable[[Any, Any], None]
"""Called with an error, if any, and the message, when the broker has taken it or has not."""

_log = logging.getLogger("riskbench.streams")


class Producing(Protocol):
    """What is asked of a Kafka producer (confluent-kafka's)."""

    def produce(self, topic: str, value: bytes, key: bytes | None = None, *, on_delivery: Report = ...) -> None: ...
    def poll(self, timeout: float) -> int: ...
    def flush(self, timeout: float) -> int: ...


@dataclass(frozen=True, slots=True)
class ProducerSettings:
    """How a hot-path producer sends.

    `linger_ms` 0 sends at once: a message waits only while earlier ones are being written, and those that gather
    meanwhile leave as one batch. `idempotent` keeps order and forbids duplicates over retries, which needs `acks=all`
    (the same as `acks=1` where there is one replica). The partitioner is the Java client's, so that a key falls
    into the same partition whichever program sends it.
    """

    linger_ms: float = 0.0
    acks: str = "all"
    idempotent: bool = True
    queue_messages: int = 1_000_000
    queue_kib: int = 262_144
    delivery_timeout_ms: int = 30_000
    compression: str = "none"


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """How a hot-path consumer fetches: one byte is enough for an answer, and the broker answers as soon as it has it.

    `fetch_wait_ms` bounds an idle fetch. `from_start` decides where a group without offsets begins. Offsets are
    committed only by the caller.
    """

    fetch_wait_ms: int = 100
    fetch_min_bytes: int = 1
    queue_kib: int = 65_536
    queue_messages: int = 100_000
    session_timeout_ms: int = 10_000
    max_poll_interval_ms: int = 300_000
    from_start: bool = True
    assignment: str = "range"


def _common() -> dict[str, Any]:
    return {
        # librdkafka would write every refused connection straight to the terminal; errors reach the caller anyway.
        "log_level": 0,
        "error_cb": _log_error,
        "socket.nagle.disable": True,
        "reconnect.backoff.ms": 20,
        "reconnect.backoff.max.ms": 1000,
    }


def producer_config(connection: KafkaConnection, settings: ProducerSettings | None = None) -> dict[str, Any]:
    """librdkafka's configuration of a hot-path producer."""
    chosen = settings or ProducerSettings()
    return {
        **connection.for_confluent(),
        **_common(),
        "linger.ms": chosen.linger_ms,
        "acks": chosen.acks,
        "enable.idempotence": chosen.idempotent,
        "partitioner": "murmur2_random",
        "queue.buffering.max.messages": chosen.queue_messages,
        "queue.buffering.max.kbytes": chosen.queue_kib,
        "delivery.timeout.ms": chosen.delivery_timeout_ms,
        "compression.type": chosen.compression,
    }


def consumer_config(
    connection: KafkaConnection, group: str, settings: ConsumerSettings | None = None
) -> dict[str, Any]:
    """librdkafka's configuration of a hot-path consumer of `group`."""
    chosen = settings or ConsumerSettings()
    return {
        **connection.for_confluent(),
        **_common(),
        "group.id": group,
        "fetch.wait.max.ms": chosen.fetch_wait_ms,
        "fetch.min.bytes": chosen.fetch_min_bytes,
        "fetch.error.backoff.ms": 20,
        "fetch.queue.backoff.ms": 5,
        "queued.min.messages": chosen.queue_messages,
        "queued.max.messages.kbytes": chosen.queue_kib,
        "session.timeout.ms": chosen.session_timeout_ms,
        "heartbeat.interval.ms": max(chosen.session_timeout_ms // 5, 500),
        "max.poll.interval.ms": chosen.max_poll_interval_ms,
        "auto.offset.reset": "earliest" if chosen.from_start else "latest",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "partition.assignment.strategy": chosen.assignment,
        "allow.auto.create.topics": False,
    }


def producer(
    connection: KafkaConnection, settings: ProducerSettings | None = None, extra: Mapping[str, Any] | None = None
) -> Producer:
    """A hot-path producer. `extra` are further librdkafka settings in its own names, which win."""
    return Producer({**producer_config(connection, settings), **(extra or {})})


def consumer(
    connection: KafkaConnection,
    group: str,
    settings: ConsumerSettings | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Consumer:
    """A hot-path consumer of `group`. `extra` as for `producer`."""
    return Consumer({**consumer_config(connection, group, settings), **(extra or {})})


def receive(source: Consumer, most: int, wait_s: float) -> list[Message]:
    """What has arrived: at most `most` messages, as soon as there is one, waiting at most `wait_s` for it.

    `Consumer.consume` alone would wait for the whole `wait_s` unless `most` messages came: no use for micro-batches.
    Messages may carry an `error()` instead of a value.
    """
    first = source.poll(wait_s)
    if first is None:
        return []
    return [first, *source.consume(most - 1, timeout=0)] if most > 1 else [first]


def _log_error(error: KafkaError) -> None:
    _log.debug("librdkafka: %s", error)
