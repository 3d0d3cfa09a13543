"""Decisions go out in their order, none is lost, and what waits leaves together when there is room."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from hypothesis import given
from hypothesis import strategies as st

from scorer.engines import outgoing
from scorer.engines.outgoing import ON_THE_WAY_MAX, Outgoing


class Producer:
    """A producer with some room, whose messages are reported a few polls after they were handed over."""

    def __init__(self, polls: int, room: int = 1_000, refusal: int = KafkaError._QUEUE_FULL) -> None:
        self.polls, self.room, self.refusal = polls, room, refusal
        self.now = 0
        self.out: list[bytes] = []
        self.crowds: list[int] = []
        self.open: list[tuple[int, Callable[[Any, Any], None]]] = []

    def produce_batch(self, topic: str, messages: list[dict[str, Any]]) -> int:
        self.crowds.append(len(self.open))
        free = max(self.room - len(self.open), 0)
        for message in messages[:free]:
            self.out.append(message["value"])
            self.open.append((self.now + self.polls, message["callback"]))
        for message in messages[free:]:
            message["_error"] = KafkaError(self.refusal)
        return min(free, len(messages))

    def poll(self, timeout: float) -> int:
        self.now += 1
        due = [callback for at, callback in self.open if at <= self.now]
        self.open = [each for each in self.open if each[0] > self.now]
        for callback in due:
            callback(None, None)
        return len(due)


def fine() -> bool:
    return True


def nothing() -> None:
    pass


def parts_of(sizes: list[int]) -> list[list[tuple[bytes, bytes]]]:
    numbers = iter(range(sum(sizes)))
    return [[(b"k", b"%d" % next(numbers)) for _ in range(size)] for size in sizes]


@given(st.lists(st.integers(1, 40), max_size=30), st.integers(1, 6), st.integers(1, 60))
def test_all_go_out_in_order_and_are_reported_once(sizes: list[int], polls: int, room: int) -> None:
    producer, reported = Producer(polls, room), []
    made = Outgoing(producer, "decisions", fine, nothing)
    for part in parts_of(sizes):
        made.send(part, lambda error, _message: reported.append(error))
        made.serve()
    ticks = iter(range(10**9))
    assert made.flush(1.0, lambda: next(ticks))
    while producer.open:
        made.serve()
    assert producer.out == [b"%d" % number for number in range(sum(sizes))]
    assert reported == [None] * sum(sizes)
    assert max(producer.crowds, default=0) < ON_THE_WAY_MAX


def test_what_may_no_longer_be_sent_waits_and_is_dropped() -> None:
    producer, ours = Producer(3), [True]
    made = Outgoing(producer, "decisions", lambda: ours[0], nothing)
    made.send([(b"k", b"v")] * ON_THE_WAY_MAX, lambda *_: None)
    made.send([(b"k", b"v")] * 3, lambda *_: None)
    ours[0] = False
    for _ in range(5):
        made.serve()
    assert (len(producer.out), len(producer.open), made.waiting) == (ON_THE_WAY_MAX, 0, 3)
    assert made.drop() == 3
    ours[0] = True
    made.serve()
    assert len(producer.out) == ON_THE_WAY_MAX


def test_a_broker_that_is_away_holds_up_who_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "WAITING_MAX", 5)
    producer = Producer(polls=10**9)

    def undelivered() -> None:
        if producer.now > 3:
            raise TimeoutError

    made = Outgoing(producer, "decisions", fine, undelivered)
    made.send([(b"k", b"v")] * ON_THE_WAY_MAX, lambda *_: None)
    with pytest.raises(TimeoutError):
        made.send([(b"k", b"v")] * 6, lambda *_: None)
    ticks = iter(range(0, 10**12, 10**8))
    producer.now = -(10**6)
    assert not made.flush(1.0, lambda: next(ticks))


def test_one_that_is_refused_is_an_error() -> None:
    made = Outgoing(Producer(1, room=2, refusal=KafkaError.MSG_SIZE_TOO_LARGE), "decisions", fine, nothing)
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        made.send([(b"k", b"v")] * 3, lambda *_: None)
