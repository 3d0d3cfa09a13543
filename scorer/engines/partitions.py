"""A worker's share of a topic through confluent-kafka: take, produce, commit behind what was acknowledged."""

import logging
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.engines import Ready, StopSignal
from scorer.engines.acknowledged import AcknowledgedOffsets, Position
from streams.codec import encode
from streams.decision import DeadLetter, Decision, Explanation
from streams.errors import BrokerError
from streams.topics import Topics

log = logging.getLogger("riskbench.scorer")

POLL_S = 0.05
FLUSH_LIMIT_S = 30.0
COMMIT_EVERY_NS = 1_000_000_000
_HARMLESS = (KafkaError._PARTITION_EOF, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT)


class Keeping(Protocol):
    """Keeps the state of partitions (`scorer.checkpoint.keeping.Checkpoints`)."""

    def connect(
        self,
        reached: Callable[[], Mapping[Position, int]],
        when_acknowledged: Callable[[Callable[[], None]], None],
    ) -> None:
        """Take what is known of acknowledgements."""

    def restore(self, partitions: Iterable[int]) -> dict[int, int]:
        """Take partitions over; the offsets to read them from."""

    def expects(self, partition: int, offset: int) -> bool:
        """Whether the message at this place was not taken yet."""

    def lettered(self, topic: str, partition: int, offset: int) -> bool:
        """Whether the message at this place was dead-lettered already."""

    def step(self) -> None:
        """A little work between micro-batches."""

    def finish(self, serve: Callable[[], object]) -> None:
        """Everything is acknowledged: write what has changed."""

    def give_up(self, partitions: Iterable[int]) -> None:
        """These partitions go."""


class PartitionShare:
    """The partitions of the events topic that the group gave to this worker, and the producer of its answers.

    Used by one thread, as a context: entering subscribes, leaving flushes, commits and leaves the group. Only
    explanations may be published from another (`scorer.explaining.Outlet`).
    """

    def __init__(
        self,
        consumer: Any,
        producer: Any,
        topics: Topics,
        counters: Counters,
        clock_ns: ClockNs,
        keeping: Keeping | None = None,
    ) -> None:
        self._consumer = consumer
        self._producer = producer
        self._topics = topics
        self._counters = counters
        self._clock_ns = clock_ns
        self._keeping = keeping
        self._offsets = AcknowledgedOffsets()
        if keeping is not None:
            keeping.connect(lambda: self._offsets.reached, self._offsets.close_epoch)
        self._assigned: set[Position] = set()
        self._safe: dict[Position, int] = {}
        self._revocations = 0
        self._joined = False
        self._before_settling: Callable[[], object] = lambda: None
        self._commit_due_ns = clock_ns() + COMMIT_EVERY_NS

    def settle_after(self, finish: Callable[[], object]) -> None:
        """Call `finish` before partitions are given up: answers that are still being made are waited for in it."""
        self._before_settling = finish

    @property
    def joined(self) -> bool:
        """Whether the group has given this worker its share (which may be none)."""
        return self._joined

    def __enter__(self) -> Self:
        self._consumer.subscribe(
            [self._topics.events], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._settle()
        finally:
            self._consumer.close()

    def follow(self, stop: StopSignal, ready: Ready, most: int, answer: Callable[[list[Any]], None]) -> None:
        """Until stopped, give each micro-batch that has arrived (at most `most` messages) to `answer`.

        `ready` is called once, when the group has given this worker its share.
        """
        announced = False
        with self:
            while not stop.is_set():
                messages = self.take(most)
                if self.joined and not announced:
                    announced = True
                    ready()
                if messages:
                    answer(messages)
                self.tick()

    def take(self, most: int) -> list[Any]:
        """What has arrived, at most `most` messages; waits a moment when nothing has, and never for more."""
        first = self._consumer.poll(POLL_S)
        if first is None:
            return []
        revocations = self._revocations
        rest = self._consumer.consume(most - 1, 0) if most > 1 else []
        if self._revocations != revocations:  # the first is of a share given up just now: its new owner reads it
            return [message for message in rest if self._is_message(message) and self._is_expected(message)]
        return [message for message in (first, *rest) if self._is_message(message)]

    def done(self, messages: Iterable[Any]) -> None:
        """All answers to these messages have been handed to the producer."""
        took = self._offsets.took
        for message in messages:
            took((message.topic(), message.partition()), message.offset())
        self._producer.poll(0)

    def send(self, decisions: Iterable[Decision]) -> None:
        """Hand decisions to the producer, one by one as they are made."""
        topic = self._topics.decisions
        for decision in decisions:
            self._produce(topic, decision.event_id.encode(), encode(decision), self._offsets.follow())

    def expect(self, count: int) -> list[Any]:
        """So many further messages will follow for what is in hand, which is not committed before: a receipt each."""
        return [self._offsets.follow() for _ in range(count)]

    def publish(self, explanations: Iterable[Explanation], receipts: Iterable[Any]) -> None:
        """Hand explanations to the producer; may be called from another thread."""
        topic = self._topics.explanations
        for explanation, delivered in zip(explanations, receipts, strict=True):
            try:
                self._produce(topic, explanation.event_id.encode(), encode(explanation), delivered)
            except KafkaException as error:  # said by the thread that decides, which ends with it
                delivered(error, None)

    def give_up(self, receipts: Iterable[Any]) -> None:
        """The messages of these receipts will not come; may be called from another thread."""
        for delivered in receipts:
            delivered(None, None)

    def send_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Hand over what could not be read, and count it."""
        for letter in letters:
            if self._keeping is not None and self._keeping.lettered(letter.topic, letter.partition, letter.offset):
                continue
            log.warning("dead letter: %s[%d]@%d: %s", letter.topic, letter.partition, letter.offset, letter.reason)
            self._counters.dead_lettered += 1
            self._produce(self._topics.dead_letter, None, encode(letter), self._offsets.follow())

    def tick(self) -> None:
        """Serve deliveries; commit and measure the lag when a second has passed."""
        self._offsets.raise_failure()
        if self._keeping is not None:
            self._offsets.serve()
            self._keeping.step()
        now_ns = self._clock_ns()
        if now_ns < self._commit_due_ns:
            return
        self._commit_due_ns = now_ns + COMMIT_EVERY_NS
        self._producer.poll(0)
        self._offsets.close_epoch()
        self._commit(asynchronous=True)
        self._counters.lag = self._lag()

    def _produce(self, topic: str, key: bytes | None, value: bytes, delivered: Any) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=delivered)
                return
            except BufferError:  # the queue is full: make room
                self._producer.poll(0.05)
                self._offsets.raise_failure()

    def _settle(self) -> None:
        """Everything handed over is acknowledged and committed, or an error says so."""
        self._before_settling()
        if self._producer.flush(FLUSH_LIMIT_S) > 0:
            raise BrokerError(f"the broker has not acknowledged all messages within {FLUSH_LIMIT_S:g} s")
        self._offsets.raise_failure()
        self._offsets.close_epoch()
        if self._keeping is not None:
            self._keeping.finish(self._offsets.serve)
        self._commit(asynchronous=False)

    def _commit(self, asynchronous: bool) -> None:
        """Commit what has become safe; at the end all that is safe, for a commit in passing may have failed unseen."""
        found = self._offsets.committable()
        self._safe |= {at: offset for at, offset in found.items() if at in self._assigned}
        chosen = found if asynchronous else self._safe
        offsets = [TopicPartition(*at, self._safe[at]) for at in chosen if at in self._safe]
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=asynchronous)
        except KafkaException as error:  # they are read again after a restart: at least once
            log.warning("offsets could not be committed: %s", error.args[0].str())

    def _lag(self) -> int | None:
        """Messages behind the end of this worker's partitions, from what the last fetch told."""
        lag = 0
        for at in self._consumer.position([TopicPartition(*position) for position in self._assigned]):
            _, end = self._consumer.get_watermark_offsets(at, cached=True)
            if at.offset < 0 or end < 0:
                continue
            lag += max(0, end - at.offset)
        return lag

    def _on_assign(self, consumer: Any, partitions: list[Any]) -> None:
        if self._keeping is not None:
            starts = self._keeping.restore([at.partition for at in partitions])
            consumer.assign([TopicPartition(at.topic, at.partition, starts[at.partition]) for at in partitions])
        self._assigned |= _positions(partitions)
        self._joined = True
        log.info("assigned partitions %s", sorted(at.partition for at in partitions))

    def _on_revoke(self, _consumer: Any, partitions: list[Any]) -> None:
        self._settle()
        self._on_lost(_consumer, partitions)

    def _on_lost(self, _consumer: Any, partitions: list[Any]) -> None:
        gone = _positions(partitions)
        self._revocations += 1
        self._assigned -= gone
        for at in gone:
            self._safe.pop(at, None)
        self._offsets.forget(gone)
        if self._keeping is not None:
            self._keeping.give_up([at.partition for at in partitions])
        log.info("gave up partitions %s", sorted(at.partition for at in partitions))

    def _is_expected(self, message: Any) -> bool:
        return self._keeping is None or self._keeping.expects(message.partition(), message.offset())

    def _is_message(self, message: Any) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.fatal() or (error.code() not in _HARMLESS and not error.retriable()):
            raise BrokerError(f"the broker refuses to give events of {self._topics.events}: {error.str()}")
        log.warning("reading %s: %s", self._topics.events, error.str())
        return False


def _positions(partitions: Iterable[Any]) -> set[Position]:
    return {(at.topic, at.partition) for at in partitions}
