"""Offsets are committable only after what was produced for them is acknowledged."""

import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.engines.acknowledged import AcknowledgedOffsets
from streams.errors import BrokerError

EVENTS = ("events", 0)


def test_an_offset_waits_for_its_messages() -> None:
    offsets = AcknowledgedOffsets()
    delivered = offsets.follow()
    offsets.took(EVENTS, 41)
    offsets.close_epoch()
    assert offsets.committable() == {}
    delivered(None, None)
    assert offsets.committable() == {EVENTS: 42}
    assert offsets.committable() == {}


def test_a_later_epoch_waits_for_the_ones_before() -> None:
    offsets = AcknowledgedOffsets()
    first = offsets.follow()
    offsets.took(EVENTS, 1)
    offsets.close_epoch()
    second = offsets.follow()
    offsets.took(EVENTS, 2)
    offsets.close_epoch()
    second(None, None)
    assert offsets.committable() == {}
    first(None, None)
    assert offsets.committable() == {EVENTS: 3}


def test_a_message_that_is_not_taken_is_an_error_and_never_committed() -> None:
    offsets = AcknowledgedOffsets()
    delivered = offsets.follow()
    offsets.took(EVENTS, 1)
    offsets.close_epoch()
    delivered("no leader", None)
    with pytest.raises(BrokerError, match="no leader"):
        offsets.raise_failure()
    assert offsets.committable() == {}


def test_messages_followed_together_count_when_all_are_there() -> None:
    offsets, arrived = AcknowledgedOffsets(), []
    delivered = offsets.follow(3, lambda: arrived.append(True))
    offsets.took(EVENTS, 8)
    offsets.close_epoch()
    for partition, offset in ((0, 20), (1, 7)):
        delivered(None, placed(partition, offset))
    assert (offsets.committable(), offsets.reached, arrived) == ({}, {}, [])
    delivered(None, placed(0, 21))
    assert offsets.committable() == {EVENTS: 9}
    assert offsets.reached == {("decisions", 0): 22, ("decisions", 1): 8}
    assert arrived == [True]


@pytest.mark.parametrize("failing", range(5))
def test_one_that_fails_among_many_is_seen_and_holds_back_their_offset(failing: int) -> None:
    offsets, arrived = AcknowledgedOffsets(), []
    delivered = offsets.follow(5, lambda: arrived.append(True))
    offsets.took(EVENTS, 8)
    offsets.close_epoch()
    for number in range(5):
        delivered("too large" if number == failing else None, placed(0, number))
    assert (offsets.committable(), offsets.reached, arrived) == ({}, {}, [])
    with pytest.raises(BrokerError, match="too large"):
        offsets.raise_failure()


def test_a_delivery_too_many_does_not_stand_for_another() -> None:
    offsets, arrived = AcknowledgedOffsets(), []
    first, second = offsets.follow(2, lambda: arrived.append(True)), offsets.follow()
    offsets.took(EVENTS, 8)
    offsets.close_epoch()
    for number in range(4):
        first(None, placed(0, number))
    assert (offsets.committable(), arrived) == ({}, [True])
    second(None, placed(0, 4))
    assert offsets.committable() == {EVENTS: 9}


def test_what_is_reached_never_goes_back() -> None:
    offsets = AcknowledgedOffsets()
    first, second = offsets.follow(2), offsets.follow()
    first(None, placed(0, 3))
    second(None, placed(0, 4))
    first(None, placed(1, 0))
    assert offsets.reached == {("decisions", 0): 5, ("decisions", 1): 1}


def test_deliveries_served_by_several_threads_complete_once() -> None:
    offsets, arrived, count = AcknowledgedOffsets(), [], 400

    def deliver(delivered: Any, first: int) -> None:
        for at in range(first, count, 4):
            delivered(None, placed(first, at))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for turn in range(20):
            delivered = offsets.follow(count, lambda: arrived.append(True))
            offsets.took(EVENTS, turn)
            offsets.close_epoch()
            threads = [threading.Thread(target=deliver, args=(delivered, first)) for first in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(arrived) == turn + 1
            assert offsets.committable() == {EVENTS: turn + 1}
    finally:
        sys.setswitchinterval(interval)
    assert offsets.reached == {("decisions", first): count - 3 + first for first in range(4)}


def placed(partition: int, offset: int) -> Any:
    return SimpleNamespace(topic=lambda: "decisions", partition=lambda: partition, offset=lambda: offset)


def test_partitions_given_up_are_forgotten() -> None:
    offsets = AcknowledgedOffsets()
    offsets.took(EVENTS, 1)
    offsets.took(("events", 1), 8)
    offsets.close_epoch()
    offsets.forget({EVENTS})
    assert offsets.committable() == {("events", 1): 9}


@given(st.lists(st.sampled_from(["take", "close", "deliver"]), max_size=60), st.randoms(use_true_random=False))
def test_nothing_is_committed_before_it_is_delivered(steps: list[str], chance: Any) -> None:
    offsets = AcknowledgedOffsets()
    waiting: list[tuple[int, Any]] = []
    next_offset = 0
    for step in steps:
        if step == "take":
            waiting.append((next_offset, offsets.follow()))
            offsets.took(EVENTS, next_offset)
            next_offset += 1
        elif step == "close":
            offsets.close_epoch()
        elif waiting:
            waiting.pop(chance.randrange(len(waiting)))[1](None, None)
        safe = offsets.committable()
        if safe:
            assert safe[EVENTS] <= min((offset for offset, _ in waiting), default=next_offset)
