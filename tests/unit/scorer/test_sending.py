"""Decisions through a worker's share: a few together, those that find no room later, none of a share that was lost."""

from collections.abc import Callable
from typing import Any

import pytest

from scorer.counters import Counters
from scorer.engines.lease import ShareLostError
from scorer.engines.outgoing import MANY, ON_THE_WAY_MAX
from scorer.engines.partitions import SENT_TOGETHER, PartitionShare
from scorer.words.written import Written
from streams.decision import Decision
from tests.unit.scorer.test_partitions import TOPICS, FakeConsumer, FakeProducer, Standing, decide, in_bytes, message


class Batches(FakeProducer):
    """A broker that notes how many messages are handed over at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def produce_batch(self, topic: str, messages: list[Any]) -> int:
        self.sizes.append(len(messages))
        return super().produce_batch(topic, messages)


class Slow(FakeProducer):
    """A broker that acknowledges when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[Callable[[Any, Any], None]] = []
        self.acknowledges = False

    def produce(self, topic: str, value: bytes, key: bytes | str, on_delivery: Callable[[Any, Any], None]) -> None:
        self.sent.append((topic, in_bytes(key)))
        self.open.append(on_delivery)

    def poll(self, timeout: float) -> int:
        due, self.open = (self.open, []) if self.acknowledges else ([], self.open)
        for delivered in due:
            delivered(None, None)
        return len(due)


class Acknowledged:
    """A decision that has its place."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def topic(self) -> str:
        return TOPICS.decisions

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset


def test_words_are_sent_a_few_together_and_none_after_the_share_is_lost() -> None:
    consumer = FakeConsumer()
    producer, asked = Batches(), list[int]()
    at = Standing(consumer, producer=producer)
    with at.share as share:

        def words(most: int) -> Written:
            asked.append(most)
            if len(asked) == 3:
                at.stand_still()
            first = sum(asked[:-1])
            ids = [f"e{n}" for n in range(first, first + most)]
            return Written(ids, [event_id.upper().encode() for event_id in ids], at.now_ns)

        with pytest.raises(ShareLostError) as lost:
            share.send_words(words)
    assert asked == [SENT_TOGETHER, 2 * SENT_TOGETHER, 4 * SENT_TOGETHER]
    assert producer.sizes == asked[:2]
    assert lost.value.sent == sum(asked[:2])
    assert at.producer.sent == [(TOPICS.decisions, f"e{n}".encode()) for n in range(lost.value.sent)]


def test_decisions_that_wait_go_out_while_nothing_comes_in() -> None:
    consumer = FakeConsumer()
    producer, now = Slow(), iter(range(0, 10**15, 1_000))
    with PartitionShare(consumer, producer, TOPICS, Counters(), lambda: next(now)) as share:
        for n in range(2 * ON_THE_WAY_MAX):
            share.send([Decision(event_id=f"e{n}", outcome="approve", score=0.0)])
        assert len(producer.sent) == ON_THE_WAY_MAX
        assert share.take(10) == []
        assert len(producer.sent) == ON_THE_WAY_MAX
        producer.acknowledges = True
        assert share.take(10) == []
        assert len(producer.sent) == 2 * ON_THE_WAY_MAX


def test_many_decisions_leave_together_by_the_producer_that_gathers() -> None:
    consumer = FakeConsumer()
    prompt, gathering, now = FakeProducer(), Batches(), iter(range(0, 10**15, 1_000))
    with PartitionShare(consumer, prompt, TOPICS, Counters(), lambda: next(now), gathering=gathering) as share:
        for many in (SENT_TOGETHER, MANY):
            consumer.waiting.extend(message(0, offset) for offset in range(many))
            decide(share, share.take(many))
    assert (len(prompt.sent), gathering.sizes) == (SENT_TOGETHER, [MANY])


def test_decisions_that_wait_when_the_share_is_lost_are_given_up() -> None:
    consumer = FakeConsumer()
    producer, now, counters = Slow(), iter(range(0, 10**15, 1_000)), Counters()
    with PartitionShare(consumer, producer, TOPICS, counters, lambda: next(now)) as share:
        for n in range(2 * ON_THE_WAY_MAX):
            share.send([Decision(event_id=f"e{n}", outcome="approve", score=0.0)])
        consumer.callbacks["on_lost"](consumer, consumer.partitions(0, 1))
        producer.acknowledges = True
        share.take(10)
    assert len(producer.sent) == counters.given_up == ON_THE_WAY_MAX


def test_what_is_told_of_acknowledgements_stands_still_while_others_arrive() -> None:
    producer = Slow()
    at = Standing(FakeConsumer(), producer=producer)
    with at.share as share:
        decide(share, [message(0, 5)])
        decide(share, [message(0, 6)])
        reached = at.keeping.connect.call_args.args[0]
        for offset, delivered in enumerate(producer.open):
            before = reached()
            delivered(None, Acknowledged(offset))
            assert before == ({(TOPICS.decisions, 0): offset} if offset else {})
            assert reached() == {(TOPICS.decisions, 0): offset + 1}
        producer.open.clear()
