"""What decides for Flink's operator, and where explanations leave beside its job: all that needs no Flink."""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaException, TopicPartition

from scorer.clock import ClockNs
from scorer.explaining import Explaining
from scorer.messages import Origin
from scorer.pipeline import Batch, Pipeline
from scorer.table_feed import TableGate
from streams.codec import encode, encode_decision
from streams.decision import Explanation
from streams.errors import BrokerError
from streams.topics import Topics

log = logging.getLogger("riskbench.scorer")

FLUSH_LIMIT_S = 30.0


class Desk:
    """Decides, where the operator finds it by name. For one thread at a time."""

    open: "dict[str, Desk]" = {}  # noqa: RUF012 (shared on purpose: a job's operator knows only the name)

    def __init__(
        self, pipeline: Pipeline, gate: TableGate, explaining: Explaining | None, topics: Topics, clock_ns: ClockNs
    ) -> None:
        self._pipeline, self._gate, self._explaining = pipeline, gate, explaining
        self._topics, self._clock_ns = topics, clock_ns
        self.taken_up = threading.Event()
        self.reached: dict[int, int] = {}
        """By partition the offset after the last event answered."""

    def answer(
        self, value: bytes, partition: int, offset: int, key: bytes | None
    ) -> Iterator[tuple[str | None, bytes]]:
        """Event id and decision of an event, or no id and a dead letter (both JSON)."""
        taken_ns = self._clock_ns()
        origin = Origin(self._topics.events, partition, offset, key)
        taken = self._pipeline.take([value], lambda _: origin)
        for letter in taken.dead_letters:
            log.warning("dead letter: %s[%d]@%d: %s", letter.topic, letter.partition, letter.offset, letter.reason)
            self._pipeline.counters.dead_lettered += 1
            yield None, encode(letter)
        if taken.batch is not None:
            yield from self._decide(taken.batch, taken_ns)
        self.reached[partition] = offset + 1

    def _decide(self, batch: Batch, taken_ns: int) -> Iterator[tuple[str, bytes]]:
        waited_ns = self._gate.wait(batch)
        if self._explaining is not None:
            self._explaining.wait_for_room()
        for decision in self._pipeline.decide(batch, taken_ns, waited_ns):
            yield decision.event_id, encode_decision(decision)


class FlinkOutlet:
    """Explanations go out by a producer of their own: they are made beside the job (`scorer.explaining.Outlet`)."""

    def __init__(self, producer: Any, topics: Topics) -> None:
        self._producer, self._topic = producer, topics.explanations

    def expect(self, count: int) -> list[None]:
        """Flink commits by itself: empty receipts."""
        return [None] * count

    def publish(self, explanations: Sequence[Explanation], receipts: Sequence[None]) -> None:
        """Hand them to the producer."""
        del receipts
        for explanation in explanations:
            self._producer.produce(self._topic, encode(explanation), explanation.event_id.encode())
        self._producer.poll(0)

    def give_up(self, receipts: Sequence[None]) -> None:
        """Nothing to be done: they are counted."""

    def flush(self) -> None:
        """Everything is delivered, or an error says so."""
        if self._producer.flush(FLUSH_LIMIT_S):
            raise BrokerError(f"the broker has not acknowledged all explanations within {FLUSH_LIMIT_S:g} s")


def commit_reached(consumer: Any, topic: str, reached: Mapping[int, int]) -> None:
    """Commit what was answered by a job that has ended: Flink commits with its checkpoints, and hardly ever what came
    after the last. `consumer` is of the job's group, which has no members. What cannot be committed is read again."""
    try:
        if reached:
            offsets = [TopicPartition(topic, partition, offset) for partition, offset in reached.items()]
            consumer.commit(offsets=offsets, asynchronous=False)
    except KafkaException as error:
        log.warning("offsets could not be committed: %s", error.args[0].str())
    finally:
        consumer.close()
