"""What came of a fault, from rows whose story is known."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.faults.measures import measure_fault, outside, spans
from harness.faults.plan import Planned
from harness.faults.rows import Rows
from harness.faults.signals import Noted, lag_max
from harness.faults.steady import SLOW_SHARE_MAX, Hypothesis
from harness.faults.waits import model_waits_max
from harness.results import FaultResults
from tests.unit.harness.faults.made import (
    HYPOTHESIS,
    MS,
    START,
    S,
    at,
    change,
    fall_back,
    injected,
    lose,
    observed,
    rows,
    sample,
    slow,
)

OPENED = [change(15.2, "closed", "open"), change(20.5, "open", "half-open"), change(21.0, "half-open", "closed")]


def result(found: Rows, kind: str = "model-error", keys: dict[str, Any] | None = None, **more: Any) -> FaultResults:
    """Of a fault from 15 to 20 s."""
    planned, injection = injected(15.0, 20.0, kind, **(keys or {}))
    seen = observed(found, **more)
    (span,) = spans([planned], [injection], seen)
    return measure_fault(span, seen, None)


def test_a_fault_that_opens_the_breaker_and_passes() -> None:
    found = rows()
    fall_back(found, 15.1, 21.0)
    measured = result(found, changes=OPENED)
    assert (measured.status, measured.reasons) == ("pass", [])
    assert (measured.felt, measured.detected_by) == (["breaker", "fallback"], "fallback")
    assert measured.detected_ms == pytest.approx(115, abs=11)
    assert measured.open_ms == 200.0
    assert measured.closed_ms == 1_000.0
    assert measured.recovered_ms == 1_000.0  # steady and closed at 21.0, lifted at 20.0
    assert measured.by_path is not None
    assert (measured.events, measured.by_path.model) == (600, 7)
    assert (measured.p99_before_ms, measured.p99_during_ms, measured.p99_after_ms) == (5.0, 5.0, 5.0)
    assert measured.before is not None
    assert (measured.before.from_s, measured.before.until_s, measured.before.events) == (5.0, 15.0, 1_000)
    assert measured.after is not None
    assert (measured.after.from_s, measured.after.held) == (21.0, True)


@pytest.mark.parametrize(
    ("kind", "keys", "changes", "words"),
    [
        ("model-error", {}, [], "was not felt (by none of breaker, fallback): the injection did not work"),
        ("model-error", {}, [], "the breaker did not open"),
        ("model-error", {}, OPENED[:2], "the breaker did not close again"),
        ("model-slow", {"expect": {"breaker_opens": False}}, OPENED, "the breaker opened after 200 ms and should not"),
        ("model-slow", {"expect": {"detected_s_max": 0.1}}, OPENED, "detection took 0.2 s, at most 0.1 s were allowed"),
        ("model-slow", {"expect": {"detected_s_max": 0.1}}, [], "detection never came, at most 0.1 s were allowed"),
        ("model-slow", {"expect": {"recovered_s_max": 0.5}}, OPENED, "recovery took 1 s, at most 0.5 s were allowed"),
        ("model-slow", {"expect": {"response_p99_ms_max": 4.0}}, OPENED, "response P99 during it took 5 ms"),
    ],
)
def test_expectations_that_are_not_met(kind: str, keys: dict[str, Any], changes: list[Any], words: str) -> None:
    measured = result(rows(), kind, keys, changes=changes)
    assert measured.status == "fail"
    assert any(words in reason for reason in measured.reasons), measured.reasons


def test_a_fault_that_never_ends_is_not_recovered_from() -> None:
    found = rows()
    slow(found, 15.0, 40.0, 400.0)
    measured = result(found, "model-slow", {"expect": {"breaker_opens": False}})
    assert measured.recovered_ms is None
    assert measured.after is None
    assert any("recovery never came (no steady state after it)" in reason for reason in measured.reasons)


def test_no_steady_state_before_or_after_fails() -> None:
    found = rows()
    slow(found, 8.0, 9.0, 300.0)
    slow(found, 16.0, 17.0, 300.0)
    slow(found, 30.0, 31.0, 300.0)
    measured = result(found, "model-slow")
    assert measured.felt[0] == "overdue"
    assert [reason.split(" (")[0] for reason in measured.reasons] == [
        "no steady state before it",
        "no steady state after it",
    ]
    assert measured.recovered_ms == 0.0


def test_losses_and_repetitions_are_its_own() -> None:
    found = rows()
    fall_back(found, 15.1, 21.0)
    for ordinal in (1_600, 1_700):
        lose(found, ordinal)
    noted = Noted(repeated_ns=[at(14.0), at(16.0), at(39.0)])
    measured = result(found, changes=OPENED, noted=noted)
    assert (measured.lost, measured.duplicated) == (2, 2)
    assert "2 events were lost" in measured.reasons
    assert "2 events were decided twice" in measured.reasons


def test_a_model_that_always_says_the_same_is_felt_by_its_scores_and_seen_by_nobody() -> None:
    found = rows()
    due = found.due(at(15.0), at(20.0))
    found.margin[due] = np.where(np.isnan(found.margin[due]), np.nan, -8.0)
    measured = result(found, "model-constant")
    assert (measured.felt, measured.detected_ms, measured.status) == (["score"], None, "pass")


def test_a_fault_that_was_never_injected_fails() -> None:
    planned, _ = injected(15.0, 20.0)
    seen = observed(rows())
    (span,) = spans([planned], [], seen)
    assert measure_fault(span, seen, None).reasons[0].startswith("was never injected")


def test_two_faults_have_a_stretch_each_and_what_lies_outside_is_the_rest() -> None:
    found = rows()
    fall_back(found, 10.1, 13.0)
    slow(found, 20.0, 24.0, 300.0)
    first, second = injected(10.0, 12.0), injected(20.0, 23.0, "model-slow")
    second = (Planned(second[0].fault, 1, second[0].at_ns, 8), second[1])
    second[1].planned = second[0]
    seen = observed(found)
    both = spans([first[0], second[0]], [first[1], second[1]], seen)
    assert [(span.from_ns - START, span.until_ns - START) for span in both] == [
        (10 * S, 13 * S),
        (20 * S, 24 * S),
    ]
    kept = outside(both, found)
    second_of = (found.intended_ns - START) // S
    assert sorted(set(second_of[kept].tolist())) == [*range(5, 10), *range(13, 20), *range(24, 40)]
    assert both[1].before_ns == both[0].until_ns


def test_health_and_refusals_are_seen_once_a_second() -> None:
    found = rows()
    samples = [sample(s, silent=int(16 <= s < 19), dead_lettered=3 if s >= 17 else 0) for s in range(40)]
    measured = result(found, "model-slow", samples=samples, dead_lettered=3)
    assert (measured.detected_by, measured.detected_ms) == ("health", 1_000.0)
    assert measured.dead_lettered == 3


def test_the_lag_is_what_was_sent_and_not_answered() -> None:
    found = rows()
    slow(found, 15.0, 16.0, 2_000.0)
    assert lag_max(found, at(0.0), at(14.0)) == 1
    assert lag_max(found, at(15.0), at(18.0)) in (100, 101)


def back_by_hand(found: Rows, hypothesis: Hypothesis, from_ns: int, until_ns: int) -> int | None:
    """Second by second, as the words say."""
    begin = from_ns
    while begin + S <= until_ns:
        second, good = begin, True
        while second + S <= until_ns and second + S <= begin + round(hypothesis.hold_s * S):
            chosen = (found.intended_ns >= second) & (found.intended_ns < second + S)
            count = max(int(chosen.sum()), 1)
            late = int((found.response_ns[chosen] > hypothesis.limit_ms * MS).sum())
            rules = int(found.fallback[chosen].sum())
            lost = int(found.lost[chosen].sum())
            good &= late <= SLOW_SHARE_MAX * count and rules <= hypothesis.fallback_share_max * count and lost == 0
            second += S // 10
        if good:
            return begin
        begin += S // 10
    return None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["slow", "fall back", "lose"]), st.integers(0, 90), st.integers(1, 15)), max_size=4
    ),
    st.integers(0, 80),
)
def test_recovery_is_where_going_through_by_hand_finds_it(story: list[tuple[str, int, int]], from_tenth: int) -> None:
    found = rows(seconds=10, rate=50)
    for what, tenth, tenths in story:
        if what == "slow":
            slow(found, tenth / 10, (tenth + tenths) / 10, 300.0)
        elif what == "fall back":
            fall_back(found, tenth / 10, (tenth + tenths) / 10)
        else:
            lose(found, tenth * 5)
    end_ns = at(10.0)
    wanted = back_by_hand(found, HYPOTHESIS, at(from_tenth / 10), end_ns)
    assert HYPOTHESIS.back(found, at(from_tenth / 10), end_ns) == wanted


def test_a_spike_is_over_when_no_more_wait_than_before() -> None:
    found = rows()
    slow(found, 15.0, 18.0, 3_000.0)  # all waits until 18 s and later, 300 at once
    found.response_ns[:] = np.minimum(found.response_ns, 90 * MS)  # by its latencies alone nothing would be wrong
    measured = result(found, "load-spike", {"expect": {"recovered_s_max": 0.5}})
    assert measured.lag_max in (300, 301)
    assert measured.recovered_ms == pytest.approx(990, abs=20)
    assert "was not felt (by none of rate): the injection did not work" in measured.reasons
    assert any("recovery took 0.9" in reason for reason in measured.reasons)


def hang(found: Rows, second: float, limit_ms: int = 1_000) -> None:
    """From this instant on a call takes a time limit: its own event, and those queued behind it, wait for its end."""
    end_ns = at(second) + limit_ms * MS
    due = found.due(at(second), end_ns)
    found.emitted_ns[due] = np.maximum(found.emitted_ns[due], end_ns + MS + np.arange(due.stop - due.start))
    found.response_ns[due] = found.emitted_ns[due] + MS - found.intended_ns[due]
    found.call_ns[due.start] = limit_ms * MS
    found.call_end_ns[due.start] = end_ns


def test_a_call_that_hangs_is_waited_for_once_by_all_that_stand_behind_it() -> None:
    found = rows()
    assert model_waits_max(found, 1_000 * MS) == 0
    hang(found, 15.0)
    hang(found, 18.0)
    assert model_waits_max(found, 1_000 * MS) == 1


def test_an_event_that_stands_behind_two_calls_waits_twice() -> None:
    found = rows()
    hang(found, 15.0)
    hang(found, 15.5)
    assert model_waits_max(found, 1_000 * MS) == 2
    assert model_waits_max(found, 2_000 * MS) == 0, "calls within a longer limit"
    found.worker[found.due(at(15.5), at(16.5))] = 1
    assert model_waits_max(found, 1_000 * MS) == 1, "another worker's call holds nobody up"


def test_a_call_of_an_event_before_the_fault_is_waited_for_by_those_due_in_it() -> None:
    found = rows()
    hang(found, 15.0)
    begun = found.due(at(15.0), at(15.005)).stop
    assert model_waits_max(found, 1_000 * MS, slice(begun, len(found))) == 1
    assert model_waits_max(found, 1_000 * MS, found.due(at(17.0), at(20.0))) == 0


def test_a_scorer_without_stages_says_nothing_of_waits() -> None:
    found = rows()
    found.call_end_ns[:] = -1
    assert model_waits_max(found, 1_000 * MS) is None


@pytest.mark.parametrize(
    ("limit_ns", "hangs", "reason"),
    [
        (1_000 * MS, (16.0,), None),
        (1_000 * MS, (16.0, 16.5), "an event waited for the model 2 times, at most 1 were allowed"),
        (None, (16.0,), "an event waited for the model nobody says how often, at most 1 were allowed"),
    ],
)
def test_waiting_for_the_model_twice_fails_where_once_is_expected(
    limit_ns: int | None, hangs: tuple[float, ...], reason: str | None
) -> None:
    found = rows()
    for second in hangs:
        hang(found, second)
    keys = {"expect": {"model_waits_max": 1}}
    measured = result(found, keys=keys, changes=OPENED, time_limit_ns=limit_ns)
    assert [each for each in measured.reasons if "waited" in each] == ([] if reason is None else [reason])
