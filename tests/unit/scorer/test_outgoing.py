"""Decisions go out in their order, none is lost, and what waits leaves together when there is room."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from hypothesis import given
from hypothesis import strategies as st

from scorer.engines import outgoing
from scorer.engines.acknowledged import AcknowledgedOffsets
from scorer.engines.outgoing import FEW, MANY, ON_THE_WAY_MAX, Outgoing
from streams.errors import BrokerError

EVENTS = ("events", 0)


class Producer:
    """A producer with some room, whose messages are reported a few polls after they were handed over."""

    def __init__(
        self,
        polls: int,
        room: int = 1_000,
        refusal: int = KafkaError._QUEUE_FULL,
        out: list[bytes] | None = None,
    ) -> None:
        self.polls, self.room, self.refusal = polls, room, refusal
        self.now = 0
        self.out: list[bytes] = [] if out is None else out
        self.sendings_open: list[int] = []
        self.open: list[tuple[int, Callable[[Any, Any], None]]] = []

    def produce_batch(self, topic: str, messages: list[dict[str, Any]]) -> int:
        self.sendings_open.append(len({id(callback) for _, callback in self.open}))
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

    def flush(self, timeout: float) -> int:
        while self.open and self.polls < 10**6:
            self.poll(timeout)
        return len(self.open)


def fine() -> bool:
    return True


def parts_of(sizes: list[int]) -> list[tuple[list[str], list[bytes]]]:
    """Keys and values of as many messages, numbered through."""
    numbers = iter(range(sum(sizes)))
    return [(["k"] * size, [b"%d" % next(numbers) for _ in range(size)]) for size in sizes]


@given(st.lists(st.integers(1, 2 * MANY), max_size=30), st.integers(1, 6), st.integers(1, 3 * MANY), st.booleans())
def test_all_go_out_in_order_and_are_acknowledged(sizes: list[int], polls: int, room: int, gathers: bool) -> None:
    out: list[bytes] = []
    prompt, offsets = Producer(polls, room, out=out), AcknowledgedOffsets()
    gathering = Producer(2 * polls, room, out=out) if gathers else None
    made = Outgoing(prompt, "decisions", offsets, fine, gathering)
    for number, part in enumerate(parts_of(sizes)):
        made.expect(len(part[0]))
        made.send(*part)
        offsets.took(EVENTS, number)
        made.serve()
        assert gathering is None or not (prompt.open and gathering.open)
    offsets.close_epoch()
    ticks = iter(range(10**9))
    assert made.flush(1.0, lambda: next(ticks))
    assert out == [b"%d" % number for number in range(sum(sizes))]
    assert offsets.committable() == ({EVENTS: len(sizes)} if sizes else {})


@given(st.lists(st.integers(1, 40), max_size=30), st.integers(1, 6))
def test_what_was_sent_at_a_few_times_is_on_its_way_at_once(sizes: list[int], polls: int) -> None:
    producer = Producer(polls)
    made = Outgoing(producer, "decisions", AcknowledgedOffsets(), fine)
    for part in parts_of(sizes):
        made.send(*part)
        made.serve()
    assert max(producer.sendings_open, default=0) < ON_THE_WAY_MAX


def test_many_at_once_leave_by_the_producer_that_gathers_until_there_are_few_again() -> None:
    prompt, gathering = Producer(1), Producer(1)
    made = Outgoing(prompt, "decisions", AcknowledgedOffsets(), fine, gathering)
    sizes = [FEW - 1, MANY - 1, MANY, MANY - 1, FEW, FEW - 1, MANY - 1]
    by_gathering = []
    for part in parts_of(sizes):
        by_gathering.append(made.expect(len(part[0])))
        made.send(*part)
        made.serve()
    assert by_gathering == [False, False, True, True, True, False, False]
    assert len(prompt.out) == sum(sizes) - len(gathering.out)
    assert len(gathering.out) == MANY + MANY - 1 + FEW


def test_what_may_no_longer_be_sent_waits_and_is_dropped() -> None:
    producer, ours = Producer(3), [True]
    made = Outgoing(producer, "decisions", AcknowledgedOffsets(), lambda: ours[0])
    for _ in range(ON_THE_WAY_MAX):
        made.send(["k"], [b"v"])
    made.send(["k"] * 3, [b"v"] * 3)
    ours[0] = False
    for _ in range(5):
        made.serve()
    assert (len(producer.out), len(producer.open), made.waiting) == (ON_THE_WAY_MAX, 0, 3)
    assert made.drop() == 3
    ours[0] = True
    made.serve()
    assert len(producer.out) == ON_THE_WAY_MAX


def test_a_sending_dropped_when_it_was_out_in_part_leaves_its_place_to_others() -> None:
    producer = Producer(1, room=2)
    made = Outgoing(producer, "decisions", AcknowledgedOffsets(), fine)
    for _ in range(2 * ON_THE_WAY_MAX):
        made.send(["k"] * 3, [b"v"] * 3)
        assert made.drop() == 1
        made.serve()
    assert len(producer.out) == 2 * 2 * ON_THE_WAY_MAX


def test_a_broker_that_is_away_holds_up_who_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "WAITING_MAX", 5)
    producer, offsets = Producer(polls=10**9), AcknowledgedOffsets()
    made = Outgoing(producer, "decisions", offsets, fine)
    for _ in range(ON_THE_WAY_MAX):
        made.send(["k"], [b"v"])
    offsets.follow()("timed out", None)
    with pytest.raises(BrokerError, match="timed out"):
        made.send(["k"] * 6, [b"v"] * 6)


def test_a_flush_ends_when_nothing_is_acknowledged() -> None:
    made = Outgoing(Producer(polls=10**9), "decisions", AcknowledgedOffsets(), fine)
    for size in (1,) * ON_THE_WAY_MAX + (6,):
        made.send(["k"] * size, [b"v"] * size)
    ticks = iter(range(0, 10**12, 10**8))
    assert not made.flush(1.0, lambda: next(ticks))


def test_one_that_is_refused_is_an_error() -> None:
    made = Outgoing(
        Producer(1, room=2, refusal=KafkaError.MSG_SIZE_TOO_LARGE), "decisions", AcknowledgedOffsets(), fine
    )
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        made.send(["k"] * 3, [b"v"] * 3)
