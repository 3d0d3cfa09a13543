"""The circuit breaker, example by example: when it opens, how it closes, what it records."""

import dataclasses
import logging
import threading
from typing import Any

import pytest

from scorer.breaker import BREAKER_STATES, CircuitBreaker, Recorded, Transition
from scorer.breaker_config import BreakerConfig
from streams.errors import BadInputError
from tests.unit.scorer.clock import NS_PER_S, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def made(clock: FakeClock, **settings: Any) -> CircuitBreaker:
    return CircuitBreaker(BreakerConfig(**settings), clock)


def call(breaker: CircuitBreaker, *, failed: bool = False, duration_s: float = 0.0) -> bool:
    permit = breaker.acquire()
    if permit is None:
        return False
    breaker.record(permit, failed=failed, duration_ns=int(duration_s * NS_PER_S))
    return True


def opened(clock: FakeClock, **settings: Any) -> CircuitBreaker:
    breaker = made(clock, **settings)
    breaker.trip("test")
    return breaker


def test_it_opens_at_a_failure_rate_although_successes_lie_between(clock: FakeClock) -> None:
    breaker = made(clock, window_size=10, minimum_calls=10, failure_rate_threshold=0.8)
    for number in range(10):
        assert str(breaker.state) == "closed"
        call(breaker, failed=number % 5 != 0)
    assert str(breaker.state) == "open"
    cause = "failure rate 8/10 reached 0.8"
    assert breaker.transitions == (Transition(clock.now_ns, "closed", "open", cause, "failure-rate"),)
    assert breaker.transitions_by_kind == {("closed", "open", "failure-rate"): 1}


def test_it_does_not_open_before_the_minimum_of_calls(clock: FakeClock) -> None:
    breaker = made(clock, window_size=10, minimum_calls=5)
    for _ in range(4):
        call(breaker, failed=True)
    assert str(breaker.state) == "closed"
    call(breaker, failed=False)
    assert str(breaker.state) == "open"


def test_it_opens_at_a_rate_of_slow_calls_that_succeed(clock: FakeClock) -> None:
    breaker = made(clock, window_size=4, minimum_calls=4, slow_call_rate_threshold=0.5, slow_call_duration_s=1.0)
    for duration_s in (1.0, 1.0, 1.001, 1.001):
        call(breaker, duration_s=duration_s)
    assert str(breaker.state) == "open"
    assert breaker.transitions[0].cause == "slow calls (above 1 s) 2/4 reached 0.5"


def test_without_a_duration_the_clock_between_acquire_and_record_counts(clock: FakeClock) -> None:
    breaker = made(clock, window_size=1, minimum_calls=1)
    permit = breaker.acquire()
    assert permit is not None
    clock.pass_s(1.5)
    breaker.record(permit, failed=False)
    assert str(breaker.state) == "open"


def test_a_time_window_forgets_old_failures(clock: FakeClock) -> None:
    breaker = made(clock, window_kind="time", window_size=10, minimum_calls=4)
    for _ in range(3):
        call(breaker, failed=True)
    clock.pass_s(10)
    call(breaker, failed=True)
    assert str(breaker.state) == "closed"
    assert breaker.counts().calls == 1


def test_open_it_refuses_until_its_wait_is_over_and_then_permits_a_few(clock: FakeClock) -> None:
    breaker = opened(clock, wait_open_s=5, permitted_calls_half_open=2)
    clock.pass_s(4.999)
    assert breaker.acquire() is None
    clock.pass_s(0.001)
    assert breaker.acquire() is not None
    assert str(breaker.state) == "half-open"
    assert breaker.acquire() is not None
    assert breaker.acquire() is None
    assert breaker.refused == 2


def test_half_open_it_closes_when_all_trials_went_well(clock: FakeClock) -> None:
    breaker = opened(clock, permitted_calls_half_open=3)
    clock.pass_s(5)
    for _ in range(3):
        assert breaker.state != "closed"
        call(breaker)
    assert str(breaker.state) == "closed"
    assert breaker.counts().calls == 0
    assert [each.to_state for each in breaker.transitions] == ["open", "half-open", "closed"]


def test_half_open_it_opens_as_soon_as_the_verdict_is_certain(clock: FakeClock) -> None:
    breaker = opened(clock, permitted_calls_half_open=4, failure_rate_threshold=0.5)
    clock.pass_s(5)
    call(breaker, failed=True)
    call(breaker)
    assert str(breaker.state) == "half-open"
    call(breaker, failed=True)
    assert str(breaker.state) == "open"
    assert breaker.transitions[-1].cause == "trial calls: failure rate 2/4 reached 0.5"


def test_half_open_slow_trials_open_it_too(clock: FakeClock) -> None:
    breaker = opened(clock, permitted_calls_half_open=2)
    clock.pass_s(5)
    call(breaker, duration_s=1.1)
    assert str(breaker.state) == "open"


def test_the_wait_grows_with_every_failed_trial_and_starts_anew_after_closing(clock: FakeClock) -> None:
    breaker = opened(clock, wait_open_s=5, wait_open_factor=2, wait_open_s_max=15, permitted_calls_half_open=1)
    for wait_s in (5, 10, 15, 15):
        assert breaker.wait_open_ns == wait_s * NS_PER_S
        clock.pass_s(wait_s)
        call(breaker, failed=True)
    clock.pass_s(15)
    call(breaker)
    assert str(breaker.state) == "closed"
    breaker.trip("again")
    assert breaker.wait_open_ns == 5 * NS_PER_S


def test_a_result_from_before_a_change_is_not_counted_after_it(clock: FakeClock) -> None:
    breaker = made(clock, permitted_calls_half_open=1)
    early = breaker.acquire()
    assert early is not None
    breaker.trip("test")
    clock.pass_s(5)
    trial = breaker.acquire()
    assert trial is not None
    breaker.record(early, failed=True)
    breaker.release(early)
    assert (breaker.state, breaker.acquire()) == ("half-open", None)
    breaker.record(trial, failed=False, duration_ns=0)
    assert str(breaker.state) == "closed"


def test_a_released_trial_may_be_made_by_another(clock: FakeClock) -> None:
    breaker = opened(clock, permitted_calls_half_open=1)
    clock.pass_s(5)
    trial = breaker.acquire()
    assert trial is not None
    assert breaker.acquire() is None
    breaker.release(trial)
    assert breaker.acquire() is not None


def test_trials_that_never_come_back_do_not_hold_it_half_open_for_ever(clock: FakeClock) -> None:
    breaker = opened(clock, permitted_calls_half_open=1, wait_half_open_s_max=30)
    clock.pass_s(5)
    assert breaker.acquire() is not None
    clock.pass_s(30)
    assert breaker.acquire() is None
    assert str(breaker.state) == "open"


def test_forced_open_it_refuses_until_reset(clock: FakeClock) -> None:
    breaker = made(clock)
    breaker.force_open("maintenance")
    clock.pass_s(1_000)
    assert breaker.acquire() is None
    breaker.trip("ignored")
    assert str(breaker.state) == "forced-open"
    breaker.reset()
    assert call(breaker)
    causes = [(each.from_state, each.to_state, each.cause) for each in breaker.transitions]
    assert causes == [("closed", "forced-open", "maintenance"), ("forced-open", "closed", "by hand")]


def test_disabled_it_permits_everything_and_counts_nothing(clock: FakeClock) -> None:
    breaker = made(clock, minimum_calls=1)
    breaker.disable()
    breaker.disable()
    for _ in range(20):
        assert call(breaker, failed=True, duration_s=9)
    assert (breaker.state, breaker.counts().calls, breaker.transition_count) == ("disabled", 0, 1)


@pytest.mark.parametrize(("forced", "state"), [("open", "forced-open"), ("closed", "disabled")])
def test_forced_by_the_settings_it_is_so_from_the_beginning(clock: FakeClock, forced: Any, state: str) -> None:
    breaker = made(clock, forced=forced, minimum_calls=1)
    (first,) = breaker.transitions
    assert (first.to_state, first.cause, first.kind) == (state, f"forced {forced} by the settings", "settings")
    assert call(breaker, failed=True) == (forced == "closed")
    assert str(breaker.state) == state


def test_counted_calls_are_told_apart(clock: FakeClock) -> None:
    breaker = made(clock, window_size=100, minimum_calls=100)
    for failed, duration_s in ((False, 0), (False, 0), (False, 2), (True, 0), (True, 2)):
        call(breaker, failed=failed, duration_s=duration_s)
    assert breaker.recorded == Recorded(successful=2, failed=1, slow_successful=1, slow_failed=1)


def test_reset_while_closed_empties_the_window(clock: FakeClock) -> None:
    breaker = made(clock)
    call(breaker, failed=True)
    early = breaker.acquire()
    assert early is not None
    breaker.reset()
    breaker.record(early, failed=True)
    assert (breaker.counts().calls, breaker.transition_count) == (0, 0)


def test_time_spent_open_is_added_up(clock: FakeClock) -> None:
    breaker = opened(clock, permitted_calls_half_open=1)
    clock.pass_s(5)
    call(breaker)
    clock.pass_s(100)
    breaker.force_open()
    clock.pass_s(3)
    assert breaker.open_ns == 8 * NS_PER_S
    assert breaker.summary()["open_ms"] == 8_000


def test_the_summary_names_every_transition(clock: FakeClock) -> None:
    breaker = opened(clock)
    assert breaker.acquire() is None
    told = {"at_ns": clock.now_ns, "from": "closed", "to": "open", "cause": "test"}
    assert breaker.summary() == {"state": "open", "transitions": [told], "open_ms": 0.0, "refused": 1}


def test_listeners_are_told_and_their_errors_logged(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Transition] = []

    def broken(_: Transition) -> None:
        raise RuntimeError("deaf")

    breaker = CircuitBreaker(BreakerConfig(), clock, [broken, heard.append])
    with caplog.at_level(logging.INFO, "riskbench.scorer"):
        breaker.trip("test")
    assert [each.to_state for each in heard] == ["open"]
    assert "a listener of the breaker failed" in caplog.text
    assert "breaker closed -> open: test" in caplog.text


def test_calls_do_not_wait_for_each_other(clock: FakeClock) -> None:
    """The lock is not held during a call: eight threads meet inside theirs."""
    breaker, meeting = made(clock), threading.Barrier(8)

    def guarded() -> None:
        permit = breaker.acquire()
        assert permit is not None
        meeting.wait(timeout=30)
        breaker.record(permit, failed=False, duration_ns=0)

    threads = [threading.Thread(target=guarded) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert breaker.counts().calls == 8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"failure_rate_threshold": 0}, "breaker failure_rate_threshold: 0 must be above 0"),
        ({"failure_rate_threshold": 50}, "breaker failure_rate_threshold: 50 is above its bound 1"),
        ({"slow_call_rate_threshold": float("nan")}, "breaker slow_call_rate_threshold: nan is no finite number"),
        ({"slow_call_duration_s": -1}, "breaker slow_call_duration_s: -1 must be above 0"),
        ({"window_size": 0}, "breaker window_size: 0 must be at least 1"),
        ({"window_size": 2.5}, "breaker window_size: 2.5 is no whole number"),
        ({"minimum_calls": True}, "breaker minimum_calls: True is no finite number"),
        ({"minimum_calls": 11}, "breaker minimum_calls: 11 is above window_size 10: the breaker would never open"),
        ({"forced": "shut"}, "breaker forced: 'shut' is neither 'open' nor 'closed'"),
        ({"window_kind": "calls"}, "breaker window_kind: 'calls' is neither 'count' nor 'time'"),
        ({"permitted_calls_half_open": 0}, "breaker permitted_calls_half_open: 0 must be at least 1"),
        ({"wait_open_factor": 0.5}, "breaker wait_open_factor: 0.5 must be at least 1"),
        ({"wait_open_s": 61}, "breaker wait_open_s: 61 is above its bound 60"),
    ],
)
def test_a_config_out_of_bounds_is_refused_with_key_value_and_bound(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError) as caught:
        BreakerConfig(**settings)
    assert str(caught.value).startswith(message)


def test_a_time_window_may_ask_for_more_calls_than_seconds() -> None:
    assert BreakerConfig(window_kind="time", window_size=10, minimum_calls=100).minimum_calls == 100


def test_the_config_is_frozen_and_the_states_are_named() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        BreakerConfig().window_size = 3  # type: ignore[misc]
    assert BREAKER_STATES == ("closed", "open", "half-open", "forced-open", "disabled")
