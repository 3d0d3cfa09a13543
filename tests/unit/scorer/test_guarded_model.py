"""The model behind its guards: a score, or the reason why rules must decide."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.bulkhead import Callee
from scorer.guarded_model import Fallback, GuardedModel, Guards
from streams.errors import BadInputError
from tests.unit.scorer.clock import FakeClock

VALUES = np.zeros((3, 2), dtype=np.float32)
LONG_S, SHORT_S = 60.0, 0.02
ANSWERED_S = 2.0
"""A limit that is waited for once, and long enough for a model that answers, on a busy machine too."""


@dataclass(frozen=True)
class Output:
    margin: NDArray[np.float32]
    reconstruction_error: NDArray[np.float32]


def output(*margins: float) -> Output:
    return Output(np.array(margins, dtype=np.float32), np.zeros(len(margins), dtype=np.float32))


class Model:
    """A model that does what the test says."""

    def __init__(self) -> None:
        self.answer: Any = output(1, 2, 3)
        self.calls = 0
        self.gate = threading.Event()
        self.gate.set()

    def score(self, values: NDArray[np.float32]) -> Any:
        self.calls += 1
        self.gate.wait(LONG_S)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def model() -> Iterator[Model]:
    made = Model()
    yield made
    made.gate.set()


def guarded(model: Model, *, clock: FakeClock | None = None, guards: Guards | None = None, **more: Any) -> GuardedModel:
    breaker = CircuitBreaker(BreakerConfig(), clock or FakeClock())
    callee = Callee(model.score, more.pop("abort", None))
    return GuardedModel(lambda: callee, breaker, time.monotonic_ns, guards or Guards(LONG_S, limit_kind="hard"), **more)


def cause(guard: GuardedModel) -> Fallback:
    found = guard.score(VALUES)
    assert found.output is None
    assert found.fallback is not None
    return found.fallback


def test_a_score_comes_through(model: Model) -> None:
    guard = guarded(model)
    found = guard.score(VALUES)
    assert found.fallback is None
    assert found.output is not None
    assert found.output.margin.tolist() == [1, 2, 3]
    assert (guard.breaker.counts().calls, guard.breaker.counts().failed) == (1, 0)
    assert guard.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (output(1, np.nan, np.inf), Fallback("not-finite", "2 of 3 margins are not finite")),
        (output(1, 2), Fallback("failed", "[2] margins for 3 events")),
        (ValueError("no such input"), Fallback("failed", "ValueError: no such input")),
    ],
)
def test_an_answer_that_is_none_falls_back_and_counts_as_a_failure(
    model: Model, answer: Any, expected: Fallback
) -> None:
    guard = guarded(model)
    model.answer = answer
    assert cause(guard) == expected
    assert guard.breaker.counts().failed == 1
    assert guard.fallbacks == {expected.cause: 1}
    guard.close()


def test_failures_open_the_breaker_and_the_model_is_left_alone(model: Model) -> None:
    clock = FakeClock()
    guard = guarded(model, clock=clock)
    model.answer = ValueError("broken")
    for _ in range(5):
        assert cause(guard).cause == "failed"
    assert cause(guard) == Fallback("open", "the breaker is open")
    assert model.calls == 5
    clock.pass_s(5)
    model.answer = output(1, 2, 3)
    for _ in range(5):
        assert guard.score(VALUES).output is not None
    assert str(guard.breaker.state) == "closed"
    guard.close()


def test_a_model_that_hangs_costs_one_time_limit(model: Model) -> None:
    lates: list[Any] = []
    guard = guarded(
        model, guards=Guards(SHORT_S, late_wait_s=0, limit_kind="hard"), on_late=lates.append, abort=model.gate.set
    )
    model.gate.clear()
    assert cause(guard) == Fallback("overdue", "no score within 0.02 s")
    assert str(guard.breaker.state) == "open"
    assert guard.breaker.transitions[0].cause == "1 calls in a row past the time limit of 0.02 s"
    assert {cause(guard).cause for _ in range(100)} == {"open"}
    assert model.calls == 1
    assert guard.close()
    assert len(lates) == 1
    assert guard.summary() == {
        "fallback_batches": {"open": 100, "busy": 0, "overdue": 1, "failed": 0, "not-finite": 0},
        "late_results": {"scored": 1, "failed": 0},
        "bulkhead": {"max_concurrent_calls": 1, "max_wait_ms": 0, "available": 1, "overdue_calls": 0, "rejected": 0},
    }


def test_late_failures_and_reasons_are_said(model: Model, caplog: pytest.LogCaptureFixture) -> None:
    guard = guarded(model, guards=Guards(SHORT_S, late_wait_s=0, limit_kind="hard"), abort=model.gate.set)
    model.gate.clear()
    model.answer = ValueError("no such tensor")
    with caplog.at_level("WARNING", "riskbench.scorer"):
        assert cause(guard).cause == "overdue"
        assert guard.close()
    assert guard.summary()["late_results"] == {"scored": 0, "failed": 1}
    assert "no score for 3 events (overdue): no score within 0.02 s" in caplog.text
    assert "ValueError: no such tensor" in caplog.text


def test_while_a_call_is_overdue_all_others_fall_back_at_once(model: Model) -> None:
    guard = guarded(model, guards=Guards(SHORT_S, overdue_calls_max=0, limit_kind="hard"))
    model.gate.clear()
    assert cause(guard).cause == "overdue"
    assert {cause(guard) for _ in range(50)} == {Fallback("busy", "the bulkhead is full: 1 of 1 calls are overdue")}
    assert str(guard.breaker.state) == "closed"
    assert guard.breaker.counts().calls == 1
    assert guard.fallbacks == {"overdue": 1, "busy": 50}
    assert guard.summary()["bulkhead"]["rejected"] == 50
    model.gate.set()
    assert guard.close()


def test_a_trial_that_meets_a_busy_worker_is_not_used_up(model: Model) -> None:
    clock = FakeClock()
    guard = guarded(model, clock=clock, guards=Guards(SHORT_S, limit_kind="hard"))
    model.gate.clear()
    assert cause(guard).cause == "overdue"
    clock.pass_s(5)
    for _ in range(20):
        assert cause(guard).cause == "busy"
    assert str(guard.breaker.state) == "half-open"
    model.gate.set()
    while guard.breaker.state != "closed":
        guard.score(VALUES)
    assert guard.close()


def test_with_a_second_place_a_trial_is_made_beside_the_overdue_call(model: Model) -> None:
    clock = FakeClock()
    guard = guarded(model, clock=clock, guards=Guards(ANSWERED_S, max_concurrent_calls=2, limit_kind="hard"))
    model.gate.clear()
    assert cause(guard).cause == "overdue"
    clock.pass_s(5)
    first_gate, model.gate = model.gate, threading.Event()
    model.gate.set()
    while guard.breaker.state != "closed":
        assert guard.score(VALUES).output is not None
    assert guard.summary()["bulkhead"]["overdue_calls"] == 1
    first_gate.set()
    assert guard.close()


def test_no_event_waits_longer_than_the_limit_whatever_hangs(model: Model) -> None:
    """A call that nothing can stop: the deciding thread is back after one limit, and never waits again."""
    guard = guarded(model, guards=Guards(SHORT_S, limit_kind="hard"), abort=lambda: None)
    model.gate.clear()
    begin = time.monotonic()
    causes = [cause(guard).cause for _ in range(1_000)]
    waited = time.monotonic() - begin
    assert causes == ["overdue", *["open"] * 999]
    assert waited < LONG_S / 2  # the call itself hangs until the test ends
    model.gate.set()
    assert guard.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"time_limit_s": 0}, "guard time_limit_s: 0 must be above 0 and at most 3600"),
        ({"time_limit_s": float("nan")}, "guard time_limit_s: nan must be above 0"),
        ({"max_concurrent_calls": 0}, "guard max_concurrent_calls: 0 must be from 1 to 64"),
        ({"max_wait_s": 2.0}, "guard max_wait_s: 2 must be at least 0 and below time_limit_s 2"),
        ({"late_wait_s": -1}, "guard late_wait_s: -1 must be from 0 to 3600"),
        ({"overdue_calls_max": -1}, "guard overdue_calls_max: -1 is below its bound 0"),
    ],
)
def test_guards_out_of_bounds_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        Guards(**settings)


def test_the_defaults_are_one_second_slow_and_two_seconds_hard() -> None:
    assert (BreakerConfig().slow_call_duration_s, Guards().time_limit_s) == (1.0, 2.0)
