"""The receiver process: takes decisions from the broker and stamps them, nothing else, so that the stamps are right.
Explanations, whose instants do not matter, are taken when the stream has ended.

Run as `python -m harness.receiver PLAN`. Prints `ready` once it reads the decisions topic; ends on SIGTERM, when it has
read all that was there by then.
"""

import gc
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from harness.pacing import sharpen_sleep
from harness.spool import SpoolWriter
from streams.brokers.clients import ConsumerSettings, consumer_config
from streams.brokers.connection import connection_from
from streams.priority import FIRST, claim_priority

logger = logging.getLogger("riskbench.harness.receiver")
WAIT_S = 0.1
BATCH = 2_000
CATCH_UP_S = 8.0
"""Less than a process is given to end."""


class ReceiverPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Where decisions come from and where stamped ones go. Receiver `share` of `shares`, from 0, takes every
    `shares`-th partition."""

    topic: str
    partitions: int
    bootstrap_servers: str
    kafka_config: str | None
    spool: str
    share: int = 0
    shares: int = 1


class Consuming(Protocol):
    """What is asked of a Kafka consumer (confluent-kafka's)."""

    def poll(self, timeout: float) -> Any: ...
    def consume(self, num_messages: int, timeout: float) -> list[Any]: ...


class Positioned(Consuming, Protocol):
    """Of one that knows where it is, besides."""

    def position(self, partitions: list[Any]) -> list[Any]: ...
    def get_watermark_offsets(self, partition: Any, timeout: float) -> tuple[int, int] | None: ...


class Taking(Protocol):
    """Where stamped messages go."""

    def append(self, received_ns: int, values: Sequence[bytes]) -> None: ...


def drain(consumer: Consuming, spool: Taking, now_ns: Callable[[], int]) -> int:
    """Wait a moment for one message, take what has come with it, stamp and spool. Returns how many.

    The first is stamped when it comes; `consume` with a time-out would hold it back until the batch is full.
    """
    message = consumer.poll(WAIT_S)
    if message is None:
        return 0
    received_ns = now_ns()
    spooled = _spool([message], received_ns, spool)
    more = consumer.consume(BATCH, 0)
    return spooled + (_spool(more, now_ns(), spool) if more else 0)


def _spool(messages: list[Any], received_ns: int, spool: Taking) -> int:
    values = []
    for message in messages:
        error = message.error()
        if error is not None:
            logger.warning("while reading: %s", error)
        else:
            values.append(message.value() or b"")
    if values:
        spool.append(received_ns, values)
    return len(values)


def catch_up(
    consumer: Positioned,
    partitions: list[TopicPartition],
    spool: Taking,
    now_ns: Callable[[], int],
    limit_s: float = CATCH_UP_S,
) -> bool:
    """Read up to where the partitions end now. False, and said in the log, when that takes longer than `limit_s`:
    what is left over would be counted as lost."""
    until_ns = now_ns() + round(limit_s * 1e9)
    try:
        found = {at.partition: consumer.get_watermark_offsets(at, CATCH_UP_S / 4) for at in partitions}
        ends = {partition: marks[1] if marks else 0 for partition, marks in found.items()}
        while any(at.offset < ends[at.partition] for at in consumer.position(partitions) if ends[at.partition] > 0):
            if now_ns() > until_ns:
                logger.error("messages of %s were left unread: it ends at %s", partitions[0].topic, ends)
                return False
            drain(consumer, spool, now_ns)
    except KafkaException as error:
        logger.error("where %s ends could not be asked: %s", partitions[0].topic, error)
        return False
    return True


class Stop:
    """Set by SIGTERM."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def open_consumer(plan: ReceiverPlan, settings: ConsumerSettings | None = None) -> Consumer:
    """Reads every partition from its beginning; no group, so there is nothing to rebalance or to commit."""
    config_file = Path(plan.kafka_config) if plan.kafka_config else None
    connection = connection_from(plan.bootstrap_servers, config_file)
    consumer = Consumer(consumer_config(connection, f"{plan.topic}.receiver", settings))
    consumer.assign([TopicPartition(at.topic, at.partition, OFFSET_BEGINNING) for at in partitions_of(plan)])
    return consumer


def partitions_of(plan: ReceiverPlan) -> list[TopicPartition]:
    """The topic's partitions, or its share of them."""
    return [TopicPartition(plan.topic, partition) for partition in range(plan.share, plan.partitions, plan.shares)]


def take_topic(plan: ReceiverPlan, now_ns: Callable[[], int], limit_s: float) -> bool:
    """Spool everything a topic holds now, in this process: for what nobody waits for. False as `catch_up`."""
    consumer = open_consumer(plan)
    spool = SpoolWriter(Path(plan.spool))
    try:
        return catch_up(consumer, partitions_of(plan), spool, now_ns, limit_s)
    finally:
        spool.close()
        consumer.close()


def run_receiver(plan: ReceiverPlan) -> None:
    """Read the decisions topic from its beginning until asked to stop."""
    stop = Stop()
    consumer = open_consumer(plan)
    spool = SpoolWriter(Path(plan.spool))
    claim_priority(FIRST)
    sharpen_sleep()
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not stop.asked:
        if not drain(consumer, spool, time.monotonic_ns):
            spool.mark(time.monotonic_ns())
    catch_up(consumer, partitions_of(plan), spool, time.monotonic_ns)
    while drain(consumer, spool, time.monotonic_ns):
        pass
    spool.close()
    consumer.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run_receiver(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=ReceiverPlan))
