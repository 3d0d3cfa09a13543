"""A worker's share of a topic: what is given up is not decided here, what is safe is committed in the end."""

from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from scorer.counters import Counters
from scorer.engines.partitions import PartitionShare
from streams.decision import Decision, Explanation
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

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:
        self.committed.append((asynchronous, {at.partition: at.offset for at in offsets}))

    def position(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        return []

    def close(self) -> None:
        pass


class FakeProducer:
    """A broker that takes everything at once."""

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Callable[[Any, Any], None]) -> None:
        on_delivery(None, None)

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
