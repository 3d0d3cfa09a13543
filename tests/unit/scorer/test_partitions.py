"""A worker's share of a topic: what is given up is not decided here, what is safe is committed in the end."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from scorer.counters import Counters
from scorer.engines.keeping import Keeping
from scorer.engines.lease import ShareLostError
from scorer.engines.membership import Membership
from scorer.engines.partitions import REPLACED_MAX, SENT_TOGETHER, PartitionShare
from streams.decision import DeadLetter, Decision, Explanation
from streams.errors import BrokerError
from streams.topics import Topics

TOPICS = Topics("t")


def message(partition: int, offset: int) -> Any:
    return SimpleNamespace(
        topic=lambda: TOPICS.events, partition=lambda: partition, offset=lambda: offset, error=lambda: None
    )


class FakeConsumer:
    """Hands out what the test puts in; what is to happen within `consume` is called there, as librdkafka does."""

    def __init__(self) -> None:
        self.waiting: deque[Any] = deque()
        self.within_consume: Callable[[], None] = lambda: None
        self.committed: list[tuple[bool, dict[int, int]]] = []
        self.callbacks: dict[str, Any] = {}
        self.refusal: KafkaError | None = None

    def memberid(self) -> str:
        return "m-1"

    def assign(self, partitions: list[TopicPartition]) -> None:
        pass

    def subscribe(self, topics: list[str], **callbacks: Any) -> None:
        self.callbacks = callbacks
        callbacks["on_assign"](self, self.partitions(0, 1))

    def partitions(self, *numbers: int) -> list[TopicPartition]:
        return [TopicPartition(TOPICS.events, number) for number in numbers]

    def poll(self, timeout: float) -> Any:
        return self.waiting.popleft() if self.waiting else None

    def consume(self, most: int, timeout: float) -> list[Any]:
        self.within_consume()
        found = list(self.waiting)[:most]
        self.waiting.clear()
        return found

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        if self.refusal is not None and not asynchronous:
            raise KafkaException(self.refusal)
        self.committed.append((asynchronous, {at.partition: at.offset for at in offsets}))
        return offsets

    def position(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        return []

    def close(self) -> None:
        pass


def in_bytes(key: bytes | str) -> bytes:
    """A key as librdkafka's binding puts it on the wire."""
    return key.encode() if isinstance(key, str) else key


class FakeProducer:
    """A broker that takes everything at once."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    def produce(self, topic: str, value: bytes, key: bytes | str, on_delivery: Callable[[Any, Any], None]) -> None:
        self.sent.append((topic, in_bytes(key)))
        on_delivery(None, None)

    def produce_batch(self, topic: str, messages: list[Any]) -> int:
        for message in messages:
            self.produce(topic, message["value"], message["key"], message["callback"])
        return len(messages)

    def poll(self, timeout: float) -> int:
        return 0

    def flush(self, timeout: float) -> int:
        return 0


@pytest.fixture
def consumer() -> FakeConsumer:
    return FakeConsumer()


def share_of(consumer: FakeConsumer) -> PartitionShare:
    now = iter(range(0, 10**15, 2_000_000_000))
    return PartitionShare(consumer, FakeProducer(), TOPICS, Counters(), lambda: next(now))


def decide(share: PartitionShare, messages: list[Any]) -> None:
    share.send(Decision(event_id=f"e{m.partition()}-{m.offset()}", outcome="approve", score=0.0) for m in messages)
    share.done(messages)


def test_what_was_taken_just_before_a_share_is_given_up_is_left_to_its_new_owner(consumer: FakeConsumer) -> None:
    with share_of(consumer) as share:
        consumer.waiting.extend([message(0, 5), message(1, 7)])
        decide(share, share.take(10))

        def lose_one() -> None:
            consumer.callbacks["on_revoke"](consumer, consumer.partitions(0))

        consumer.waiting.append(message(0, 6))
        consumer.within_consume = lose_one
        assert share.take(10) == []
    assert consumer.committed[0] == (False, {0: 6, 1: 8})
    assert consumer.committed[-1] == (False, {1: 8})


def test_the_last_commit_has_all_that_is_safe(consumer: FakeConsumer) -> None:
    with share_of(consumer) as share:
        for messages in ([message(0, 5)], [message(1, 7)]):
            consumer.waiting.extend(messages)
            decide(share, share.take(10))
            share.tick()
    assert consumer.committed == [(True, {0: 6}), (True, {1: 8}), (False, {0: 6, 1: 8})]


def test_offsets_wait_for_the_explanations_of_their_events(consumer: FakeConsumer) -> None:
    with share_of(consumer) as share:
        receipts: list[Any] = []
        for messages in ([message(0, 5)], [message(0, 6)]):
            consumer.waiting.extend(messages)
            taken = share.take(10)
            receipts += share.expect(1)
            decide(share, taken)
            share.tick()
        assert consumer.committed == []
        share.give_up(receipts[:1])
        share.tick()
        assert consumer.committed == [(True, {0: 6})]
        share.publish([Explanation(event_id="e0-6", reasons=[])], receipts[1:])
        share.tick()
    assert consumer.committed[1:] == [(True, {0: 7}), (False, {0: 7})]


def test_what_is_being_explained_is_finished_before_a_share_is_given_up(consumer: FakeConsumer) -> None:
    with share_of(consumer) as share:
        consumer.waiting.append(message(0, 5))
        taken = share.take(10)
        receipts = share.expect(1)
        decide(share, taken)
        share.settle_after(lambda: share.give_up(receipts))
        consumer.callbacks["on_revoke"](consumer, consumer.partitions(0))
        assert consumer.committed == [(False, {0: 6})]
        share.settle_after(lambda: None)


@dataclass
class Standing:
    """A share with a lease, on a clock that the test moves."""

    consumer: FakeConsumer
    now_ns: int = 1_000
    producer: FakeProducer = field(default_factory=FakeProducer)
    keeping: Any = field(default_factory=lambda: Mock(spec=Keeping))

    def __post_init__(self) -> None:
        self.keeping.restore.return_value = {0: 5, 1: 7}
        self.keeping.lettered.return_value = False
        membership = Membership(10_000, lambda: self.now_ns)
        self.share = PartitionShare(
            self.consumer, self.producer, TOPICS, Counters(), lambda: self.now_ns, self.keeping, membership
        )

    def stand_still(self) -> None:
        """For longer than a session; another worker has the partitions by then."""
        self.now_ns += 30_000_000_000
        self.consumer.refusal = KafkaError(KafkaError.ILLEGAL_GENERATION)


def decided(at: Standing, *offsets: int) -> Any:
    return (Decision(event_id=f"e{n}", outcome="approve", score=0.0, emitted_ns=at.now_ns) for n in offsets)


def test_a_worker_that_stood_still_sends_no_decision(consumer: FakeConsumer) -> None:
    at = Standing(consumer)
    with at.share as share:

        def half() -> Any:
            yield from decided(at, *range(SENT_TOGETHER + 1))
            at.stand_still()
            yield from decided(at, 100, 101)

        with pytest.raises(ShareLostError) as lost:
            share.send(half())
        assert lost.value.sent == SENT_TOGETHER
        assert at.producer.sent == [(TOPICS.decisions, f"e{n}".encode()) for n in range(SENT_TOGETHER)]
        share.lose()
        at.keeping.lose.assert_called_once_with()


def test_what_it_had_fetched_is_dropped_until_it_has_new_partitions(consumer: FakeConsumer) -> None:
    at = Standing(consumer)
    with at.share as share:
        at.stand_still()
        with pytest.raises(ShareLostError):
            share.send(decided(at, 5))
        share.lose()
        commits = len(consumer.committed)
        consumer.waiting.append(message(0, 6))
        assert share.take(10) == []
        share.tick()
        assert len(consumer.committed) == commits
        consumer.refusal = None
        consumer.callbacks["on_lost"](consumer, consumer.partitions(0, 1))
        consumer.callbacks["on_assign"](consumer, consumer.partitions(0, 1))
        consumer.waiting.append(message(0, 6))
        assert [each.offset() for each in share.take(10)] == [6]
        share.send(decided(at, 6))
        assert at.producer.sent == [(TOPICS.decisions, b"e6")]
        at.keeping.finish.assert_not_called()


def test_explanations_and_dead_letters_are_kept_back_too(consumer: FakeConsumer) -> None:
    at = Standing(consumer)
    with at.share as share:
        receipts = share.expect(1)
        at.stand_still()
        share.publish([Explanation(event_id="e5", reasons=[])], receipts)
        letter = DeadLetter(reason="no event", topic=TOPICS.events, partition=0, offset=5, original=b"{")
        with pytest.raises(ShareLostError):
            share.send_dead_letters([letter])
        assert at.producer.sent == []
        share.tick()  # found out by the explaining thread: all the same
        at.keeping.lose.assert_called_once_with()


def test_explanations_of_a_share_that_was_lost_are_not_those_of_the_next(consumer: FakeConsumer) -> None:
    at = Standing(consumer)
    with at.share as share:
        old = share.expect(1)
        consumer.callbacks["on_lost"](consumer, consumer.partitions(0, 1))
        consumer.callbacks["on_assign"](consumer, consumer.partitions(0, 1))
        new = share.expect(1)
        share.publish([Explanation(event_id=each, reasons=[]) for each in ("old", "new")], [*old, *new])
        assert at.producer.sent == [(TOPICS.explanations, b"new")]


def test_a_fatal_error_is_not_dropped_with_the_messages(consumer: FakeConsumer) -> None:
    at = Standing(consumer)
    with at.share as share:
        at.stand_still()
        with pytest.raises(ShareLostError):
            share.send(decided(at, 5))
        fenced = Mock(spec=KafkaError)
        fenced.fatal.return_value = True
        fenced.str.return_value = "fenced"
        consumer.waiting.append(SimpleNamespace(error=lambda: fenced))
        with pytest.raises(BrokerError, match="refuses to give events"):
            share.take(10)


def test_a_worker_that_is_busy_for_long_and_still_a_member_goes_on(consumer: FakeConsumer) -> None:
    at = Standing(consumer)
    with at.share as share:
        at.now_ns += 30_000_000_000
        share.send(decided(at, 5))
        assert at.producer.sent == [(TOPICS.decisions, b"e5")]


def test_an_idle_worker_keeps_its_lease(consumer: FakeConsumer) -> None:
    at = Standing(consumer)
    with at.share as share:
        for _ in range(30):
            share.tick()
            at.now_ns += 1_000_000_000
        assert consumer.committed
        assert all(asynchronous for asynchronous, _ in consumer.committed)


def failed_for_good() -> Any:
    """As librdkafka hands it out in place of a message: by its code, without the mark."""
    error = KafkaError(KafkaError._FATAL, "fenced")
    assert not error.fatal()
    return SimpleNamespace(error=lambda: error)


def test_a_consumer_that_fails_for_good_is_replaced(consumer: FakeConsumer) -> None:
    now, others = iter(range(0, 10**15, 2_000_000_000)), [FakeConsumer(), FakeConsumer()]
    opened = iter(others)
    producer = FakeProducer()
    made = PartitionShare(consumer, producer, TOPICS, Counters(), lambda: next(now), another=lambda: next(opened))
    with made as share:
        consumer.waiting.extend([message(0, 5)])
        decide(share, share.take(10))
        consumer.waiting.extend([message(0, 6), failed_for_good()])
        assert share.take(10) == [], "what came with the failure is read again"
        assert consumer.committed[-1] == (False, {0: 6})
        consumer.callbacks["on_revoke"](consumer, consumer.partitions(0, 1))
        others[0].waiting.extend([message(0, 6)])
        decide(share, share.take(10))
    assert others[0].committed[-1] == (False, {0: 7})
    assert [key for _, key in producer.sent] == [b"e0-5", b"e0-6"]


def test_one_that_fails_again_and_again_ends_the_worker(consumer: FakeConsumer) -> None:
    now = iter(range(0, 10**15, 2_000_000_000))

    def another() -> FakeConsumer:
        made = FakeConsumer()
        made.waiting.append(failed_for_good())
        return made

    consumer.waiting.append(failed_for_good())
    made = PartitionShare(consumer, FakeProducer(), TOPICS, Counters(), lambda: next(now), another=another)
    with made as share:
        for _ in range(REPLACED_MAX):
            assert share.take(10) == []
        with pytest.raises(BrokerError, match="refuses to give events of"):
            share.take(10)
