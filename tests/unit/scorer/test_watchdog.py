"""The time limit in the caller's own thread: overdue calls are told to stop, and nobody else is."""

import logging
import threading
import time
from typing import Any

import numpy as np
import pytest

from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.guarded_model import GuardedModel, Guards, Model
from scorer.time_limit import Failed, Late, Overdue, Result
from scorer.watchdog import Watched
from streams.errors import BadInputError

LONG_S, SHORT_S = 60.0, 0.02


class Obedient:
    """A function that ends when it is told to, with an error, as onnxruntime does."""

    def __init__(self) -> None:
        self.told = threading.Event()
        self.started = threading.Event()
        self.aborts = 0
        self.lates: list[Late[Any, Any]] = []

    def abort(self) -> None:
        self.aborts += 1
        self.told.set()

    def wait(self, argument: Any) -> Any:
        self.told.clear()
        self.started.set()
        if self.told.wait(LONG_S):
            raise ValueError("told to stop")
        return argument


def watched(function: Any, limit_s: float = LONG_S, **more: Any) -> Watched[Any, Any]:
    return Watched(function, limit_s, time.monotonic_ns, **{"abort": lambda: None, **more})


def test_calls_run_in_the_callers_thread() -> None:
    guarded = watched(lambda argument: (argument, threading.get_ident()))
    for number in range(100):
        answer = guarded.call(number)
        assert isinstance(answer, Result)
        assert answer.value == (number, threading.get_ident())
    assert guarded.close()


def test_a_call_that_raises_is_an_answer() -> None:
    guarded = watched(lambda _: 1 / 0)
    answer = guarded.call(1)
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, ZeroDivisionError)
    assert guarded.close()


def test_an_overdue_call_is_told_to_stop_once_and_the_next_is_not() -> None:
    model = Obedient()
    slow = True
    guarded = watched(
        lambda argument: model.wait(argument) if slow else argument,
        SHORT_S,
        abort=model.abort,
        on_late=model.lates.append,
    )
    answer = guarded.call(7)
    assert isinstance(answer, Overdue)
    assert answer.elapsed_ns >= SHORT_S * 1e9
    assert [late.argument for late in model.lates] == [7]
    assert isinstance(model.lates[0].outcome, Failed)
    slow = False
    assert all(isinstance(guarded.call(number), Result) for number in range(50))
    time.sleep(3 * SHORT_S)  # the watchdog wakes with nothing to watch
    assert model.aborts == 1
    assert guarded.close()


def test_what_ends_in_spite_of_the_abort_is_late_all_the_same() -> None:
    model = Obedient()

    def stubborn(argument: int) -> int:
        model.told.wait(LONG_S)
        return argument * 2

    guarded = watched(stubborn, SHORT_S, abort=model.abort, on_late=model.lates.append)
    assert isinstance(guarded.call(4), Overdue)
    assert [late.outcome.value for late in model.lates if isinstance(late.outcome, Result)] == [8]
    assert guarded.close()


def test_what_waiting_took_is_part_of_the_limit() -> None:
    model = Obedient()
    guarded = watched(model.wait, 0.2, abort=model.abort)
    begin = time.monotonic_ns()
    assert isinstance(guarded.call(1, spent_ns=150_000_000), Overdue)
    assert time.monotonic_ns() - begin < LONG_S * 1e9
    assert guarded.close()


def test_a_place_is_free_again_after_an_overdue_call() -> None:
    model, freed = Obedient(), list[int]()
    guarded = watched(model.wait, SHORT_S, abort=model.abort, on_free=lambda: freed.append(1))
    assert isinstance(guarded.call(1), Overdue)
    assert freed == [1]
    assert guarded.close()


@pytest.mark.parametrize("which", ["abort", "on_late"])
def test_what_abort_or_on_late_raise_is_logged(caplog: pytest.LogCaptureFixture, which: str) -> None:
    model = Obedient()

    def broken(*_: Any) -> None:
        model.told.set()
        raise RuntimeError("broken")

    guarded = watched(model.wait, SHORT_S, **{"abort": model.abort, which: broken})
    with caplog.at_level(logging.ERROR, "riskbench.scorer"):
        assert isinstance(guarded.call(1), Overdue)
    assert len(caplog.records) == 1
    assert guarded.close()


def test_an_interrupt_goes_through_and_leaves_the_watch_free() -> None:
    def interrupted(argument: int) -> int:
        if argument == 0:
            raise KeyboardInterrupt
        return argument

    guarded = watched(interrupted)
    with pytest.raises(KeyboardInterrupt):
        guarded.call(0)
    assert isinstance(guarded.call(1), Result)
    assert guarded.close()


def test_close_ends_the_thread_and_may_be_repeated() -> None:
    before = threading.active_count()
    guarded = watched(lambda argument: argument)
    assert guarded.close()
    assert guarded.close()
    assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="called after close"):
        guarded.call(2)


def test_a_limit_out_of_bounds_is_refused() -> None:
    with pytest.raises(BadInputError, match="time limit: 0"):
        watched(lambda argument: argument, 0.0)


def test_an_obedient_model_that_hangs_costs_one_time_limit() -> None:
    model = Obedient()
    breaker = CircuitBreaker(BreakerConfig(), time.monotonic_ns)
    guard = GuardedModel(lambda: Model(model.wait, model.abort), breaker, time.monotonic_ns, Guards(SHORT_S))
    values = np.zeros((3, 2), np.float32)
    causes = [found.fallback.cause for _ in range(20) if (found := guard.score(values)).fallback]
    assert causes == ["overdue", *["open"] * 19]
    summary = guard.summary()
    assert summary["late_results"] == {"scored": 0, "failed": 1}
    assert (summary["bulkhead"]["available"], summary["bulkhead"]["overdue_calls"]) == (1, 0)
    assert guard.close()
