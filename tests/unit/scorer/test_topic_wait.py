"""A scorer that is started before its run waits for the run's topics."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from scorer.__main__ import StopFlag, _instance
from scorer.topic_wait import POLL_S, await_topics
from streams.errors import BrokerError


class Time:
    """A clock that moves by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def answers(*given: Sequence[str] | BrokerError) -> Callable[[], Sequence[str]]:
    """What is missing, one answer a question; the last one goes on for ever."""
    left: Iterator[Sequence[str] | BrokerError] = iter(given)
    last = given[-1]

    def missing() -> Sequence[str]:
        found = next(left, last)
        if isinstance(found, BrokerError):
            raise found
        return found

    return missing


def test_it_waits_for_the_broker_and_then_for_every_topic() -> None:
    time = Time()
    missing = answers(BrokerError("no broker answers"), ["p.events", "p.decisions"], ["p.decisions"], [])
    assert await_topics(missing, 10.0, StopFlag(), time.clock, time.sleep)
    assert time.now == 3 * POLL_S


def test_it_gives_up_and_names_what_is_missing() -> None:
    time = Time()
    with pytest.raises(BrokerError, match=r"topic p\.events is not there.*check --prefix; waited 3 s"):
        await_topics(answers(["p.events"]), 3.0, StopFlag(), time.clock, time.sleep)
    assert 3.0 <= time.now < 3.0 + 2 * POLL_S
    with pytest.raises(BrokerError, match=r"no broker answers; waited 3 s"):
        await_topics(answers(BrokerError("no broker answers")), 3.0, StopFlag(), time.clock, time.sleep)


def test_a_stop_ends_the_wait() -> None:
    time, stop = Time(), StopFlag()

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        stop.set()

    assert not await_topics(answers(["p.events"]), 600.0, stop, time.clock, sleep)
    assert time.now == POLL_S


def test_processes_of_containers_are_told_apart_by_their_hosts() -> None:
    assert _instance(4711, "laptop") == "4711"
    assert {_instance(1, "3f2a"), _instance(1, "77b0")} == {"3f2a", "77b0"}
