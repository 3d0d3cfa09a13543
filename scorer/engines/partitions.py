"""A worker's share of a topic through confluent-kafka: take, produce, commit behind what was acknowledged."""

import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.engines import Ready, StopSignal
from scorer.engines.acknowledged import AcknowledgedOffsets, Position
from scorer.engines.keeping import Keeping
from scorer.engines.lease import ShareLostError
from scorer.engines.membership import Membership
from scorer.engines.outgoing import WAITING_MAX, Outgoing
from scorer.words.written import Words, Written
from streams.alert import RawAlert
from streams.codec import encode, encode_decision
from streams.decision import DeadLetter, Decision, Explanation
from streams.errors import BrokerError
from streams.topics import Topics

log = logging.getLogger("riskbench.scorer")

POLL_S = 0.05
LOOK_AGAIN_S = 0.001
"""Between two looks for room for decisions that wait."""
SENT_TOGETHER = 32
"""The first decisions of a micro-batch that are handed to the producer at once, each time twice as many as before: the
first of them waits for the others to be put into words."""
FLUSH_LIMIT_S = 30.0
COMMIT_EVERY_NS = 1_000_000_000
REPLACED_MAX = 5
"""A consumer that fails for good more often is not helped by another one."""
_HARMLESS = (KafkaError._PARTITION_EOF, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT)


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
        membership: Membership | None = None,
        another: Callable[[], Any] | None = None,
        gathering: Any = None,
    ) -> None:
        """With `membership` nothing is answered for partitions that are another worker's by now (`ShareLostError`).
        `another` opens a consumer in the place of one that has failed for good, as librdkafka's does when a broker that
        was away takes a member with a name for two. `gathering` is a producer for many decisions at once (see
        `Outgoing`)."""
        self._consumer = consumer
        self._another = another
        self._replaced = 0
        self._producer = producer
        self._topics = topics
        self._counters = counters
        self._clock_ns = clock_ns
        self._keeping = keeping
        self._membership = membership
        self._left_to_others = False
        self._era = 0
        self._offsets = AcknowledgedOffsets()
        self._outgoing = Outgoing(producer, topics.decisions, self._offsets, self._still_ours, gathering)
        if keeping is not None:
            # A copy, made in one step: another thread that serves deliveries may put a partition in meanwhile.
            keeping.connect(self._offsets.reached.copy, self._offsets.close_epoch)
        self._assigned: set[Position] = set()
        self._safe: dict[Position, int] = {}
        self._revocations = 0
        self._taken = 0
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
        self._subscribe()
        return self

    def _subscribe(self) -> None:
        self._consumer.subscribe(
            [self._topics.events], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

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
        first = self._next()
        if first is None:
            return []
        revocations = self._revocations
        rest = self._consumer.consume(most - 1, 0) if most > 1 else []
        found = [first, *rest]
        errors = [error for message in found if (error := message.error()) is not None]
        fatal = next((error for error in errors if _is_fatal(error)), None)
        if fatal is not None:
            self._replace(fatal.str())
            return []
        if errors:
            found = [message for message in found if self._is_message(message)]
        self._taken = len(found)
        if self._lost:
            return []
        if self._revocations != revocations:  # the first is of a share given up just now: its new owner reads it
            return [message for message in found if message is not first and self._is_expected(message)]
        return found

    def _next(self) -> Any:
        """The next message, or None after a moment. While decisions wait to be sent, room for them is looked for."""
        waits_ms = round(POLL_S * 1e3)
        while self._outgoing.waiting and waits_ms:
            first = self._consumer.poll(LOOK_AGAIN_S)
            if first is not None:
                return first
            self._outgoing.serve()
            waits_ms -= 1
        return self._consumer.poll(waits_ms / 1e3)

    def _replace(self, why: str) -> None:
        """Give everything up in order, and begin anew with another consumer. Raises `BrokerError` when there is none,
        or when it does not help."""
        if self._another is None or self._replaced >= REPLACED_MAX:
            raise BrokerError(f"the broker refuses to give events of {self._topics.events}: {why}")
        self._replaced += 1
        log.warning("the consumer has failed for good and is replaced: %s", why)
        self._settle()
        self._give_up([TopicPartition(*at) for at in self._assigned])
        failed, self._consumer = self._consumer, self._another()
        failed.close()
        self._subscribe()

    def done(self, messages: Iterable[Any]) -> None:
        """All answers to these messages have been handed to the producer."""
        last = {message.partition(): message for message in messages}
        for partition, message in last.items():
            self._offsets.took((message.topic(), partition), message.offset())
        self._outgoing.serve()

    def send(self, decisions: Iterable[Decision]) -> None:
        """As `send_words`, of decisions that are put into words here."""
        remaining = iter(decisions)

        def words(most: int) -> Written:
            together = list(islice(remaining, most))
            if not together:
                return Written((), (), 0)
            ids, values = [each.event_id for each in together], [encode_decision(each) for each in together]
            return Written(ids, values, together[-1].emitted_ns or self._clock_ns())

        self.send_words(words)

    def send_words(self, words: Words) -> None:
        """Hand decisions to the producer, a few together as they are made: so they leave together, and the broker is
        asked once for them.

        Raises `ShareLostError` when their partitions are another worker's: those that are left must not be made.
        """
        most, sent = WAITING_MAX if self._outgoing.expect(self._taken) else SENT_TOGETHER, 0
        while (together := words(most)).ids:
            if not self._may_answer(together.emitted_ns):
                raise ShareLostError(sent)
            self._outgoing.send(together.ids, together.values)
            sent += len(together.ids)
            most *= 2

    def send_alerts(self, alerts: Iterable[RawAlert]) -> None:
        """Hand over raw alerts, keyed by customer. Raises `ShareLostError` as `send` does."""
        for alert in alerts:
            if not self._may_answer(self._clock_ns()):
                raise ShareLostError
            self._produce(self._topics.alerts, alert.customer_id.encode(), encode(alert), self._offsets.follow())

    def expect(self, count: int) -> list[Any]:
        """So many further messages will follow for what is in hand, which is not committed before: a receipt each."""
        return [(self._era, self._offsets.follow()) for _ in range(count)]

    def publish(self, explanations: Iterable[Explanation], receipts: Iterable[Any]) -> None:
        """Hand explanations to the producer; may be called from another thread."""
        topic = self._topics.explanations
        for explanation, (era, delivered) in zip(explanations, receipts, strict=True):
            if not self._may_answer(self._clock_ns()) or era != self._era:
                continue  # whoever has the partitions now explains it
            try:
                self._produce(topic, explanation.event_id.encode(), encode(explanation), delivered)
            except KafkaException as error:  # said by the thread that decides, which ends with it
                delivered(error, None)

    def give_up(self, receipts: Iterable[Any]) -> None:
        """The messages of these receipts will not come; may be called from another thread."""
        for _, delivered in receipts:
            delivered(None, None)

    def send_dead_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Hand over what could not be read, and count it. Raises `ShareLostError` as `send` does."""
        for letter in letters:
            if self._keeping is not None and self._keeping.lettered(letter.topic, letter.partition, letter.offset):
                continue
            if not self._may_answer(self._clock_ns()):
                raise ShareLostError
            log.warning("dead letter: %s[%d]@%d: %s", letter.topic, letter.partition, letter.offset, letter.reason)
            self._counters.dead_lettered += 1
            self._produce(self._topics.dead_letter, None, encode(letter), self._offsets.follow())

    def lose(self) -> None:
        """The messages in hand are another worker's: nothing is taken before the group has given partitions anew."""
        self._left_to_others = True
        self._abandon()
        if self._keeping is not None:
            self._keeping.lose()

    @property
    def _lost(self) -> bool:
        return self._membership is not None and self._membership.lease.lost

    def _still_ours(self) -> bool:
        return self._membership is None or self._membership.lease.holds(self._clock_ns())

    def _may_answer(self, now_ns: int) -> bool:
        return self._membership is None or self._membership.may_answer(now_ns)

    def tick(self) -> None:
        """Serve deliveries; commit and measure the lag when a second has passed."""
        self._offsets.raise_failure()
        now_ns = self._clock_ns()
        if self._membership is not None and self._membership.lease.lost:
            if not self._left_to_others:  # found out by the explaining thread
                self.lose()
            self._membership.lease.check_rejoining(now_ns)
            self._outgoing.serve()
            return
        if self._keeping is not None:
            self._offsets.serve()
            self._keeping.step()
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
        if self._lost:
            return
        self._before_settling()
        if not self._outgoing.flush(FLUSH_LIMIT_S, self._clock_ns) or self._producer.flush(FLUSH_LIMIT_S) > 0:
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
        offsets = self._marked({at: self._safe[at] for at in chosen if at in self._safe})
        if not offsets:
            return
        try:
            self._consumer.commit(offsets=offsets, asynchronous=asynchronous)
        except KafkaException as error:  # they are read again after a restart: at least once
            log.warning("offsets could not be committed: %s", error.args[0].str())

    def _marked(self, offsets: Mapping[Position, int]) -> list[TopicPartition]:
        if self._membership is None:
            return [TopicPartition(*at, offset) for at, offset in offsets.items()]
        return self._membership.marked(offsets or self._membership.renewal())

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
            if self._membership is not None:
                known = {(at.topic, at.partition): starts[at.partition] for at in partitions}
                self._membership.assigned(consumer, known)
                self._left_to_others = False
                self._commit_due_ns = 0  # before the first event
        self._assigned |= _positions(partitions)
        self._joined = True
        log.info("assigned partitions %s", sorted(at.partition for at in partitions))

    def _on_revoke(self, consumer: Any, partitions: list[Any]) -> None:
        if consumer is self._consumer:  # else it has been replaced: all is settled
            self._settle()
            self._give_up(partitions)

    def _on_lost(self, consumer: Any, partitions: list[Any]) -> None:
        if consumer is self._consumer:
            self._abandon()
            self._give_up(partitions)

    def _abandon(self) -> None:
        """What was taken up to now is for others to answer."""
        self._era += 1
        self._counters.given_up += self._outgoing.drop()
        self._offsets.abandon()

    def _give_up(self, partitions: list[Any]) -> None:
        gone = _positions(partitions)
        self._revocations += 1
        self._offsets.forget(gone)
        self._assigned -= gone
        for at in gone:
            self._safe.pop(at, None)
        if self._keeping is not None:
            self._keeping.give_up([at.partition for at in partitions])
        log.info("gave up partitions %s", sorted(at.partition for at in partitions))

    def _is_expected(self, message: Any) -> bool:
        return self._keeping is None or self._keeping.expects(message.partition(), message.offset())

    def _is_message(self, message: Any) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.code() not in _HARMLESS and not error.retriable():
            raise BrokerError(f"the broker refuses to give events of {self._topics.events}: {error.str()}")
        log.warning("reading %s: %s", self._topics.events, error.str())
        return False


def _is_fatal(error: Any) -> bool:
    """Whether its client does no more: librdkafka tells so by a mark or, in place of a message, by a code."""
    return bool(error.fatal() or error.code() == KafkaError._FATAL)


def _positions(partitions: Iterable[Any]) -> set[Position]:
    return {(at.topic, at.partition) for at in partitions}
