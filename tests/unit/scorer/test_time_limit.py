"""The hard time limit: late calls are left behind, and nobody waits for them."""

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scorer.time_limit import Failed, Late, Overdue, Result, TimeLimited
from streams.errors import BadInputError

LONG_S, SHORT_S = 60.0, 0.02


class Stage:
    """A function whose calls last until they are let go."""

    def __init__(self) -> None:
        self.started, self.go, self.aborted = threading.Event(), threading.Event(), threading.Event()
        self.lates: list[Late[Any, Any]] = []
        self.late, self.free = threading.Event(), threading.Event()

    def hang(self, argument: int) -> int:
        self.started.set()
        self.go.wait(LONG_S)
        return argument * 2

    def keep(self, late: Late[Any, Any]) -> None:
        self.lates.append(late)
        self.late.set()


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.go.set()


def limited(function: Any, limit_s: float = LONG_S, **more: Any) -> TimeLimited[Any, Any]:
    return TimeLimited(function, limit_s, time.monotonic_ns, **more)


def test_a_call_in_time_gives_its_value() -> None:
    guarded = limited(lambda argument: argument + 1)
    for number in range(200):
        answer = guarded.call(number)
        assert isinstance(answer, Result)
        assert answer.value == number + 1
        assert answer.elapsed_ns >= 0
    assert guarded.close()


def test_a_call_that_raises_is_an_answer() -> None:
    guarded = limited(lambda _: 1 / 0)
    answer = guarded.call(1)
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, ZeroDivisionError)
    assert isinstance(guarded.call(2), Failed)
    assert guarded.close()


def test_all_calls_run_on_one_thread_that_is_not_the_callers() -> None:
    guarded = limited(lambda _: threading.get_ident())
    seen = {answer.value for _ in range(5) if isinstance(answer := guarded.call(0), Result)}
    assert len(seen) == 1
    assert threading.get_ident() not in seen
    guarded.close()


def test_an_overdue_call_is_left_behind_and_its_value_kept(stage: Stage) -> None:
    guarded = limited(stage.hang, SHORT_S, on_late=stage.keep, on_free=stage.free.set)
    answer = guarded.call(21)
    assert isinstance(answer, Overdue)
    assert answer.elapsed_ns >= SHORT_S * 1e9
    assert not stage.free.is_set()
    stage.go.set()
    assert stage.free.wait(LONG_S)
    assert [(late.argument, late.outcome.value) for late in stage.lates if isinstance(late.outcome, Result)] == [
        (21, 42)
    ]
    answer = guarded.call(5)
    assert isinstance(answer, Result)
    assert answer.value == 10
    assert guarded.close()


def test_an_overdue_call_is_told_to_stop_when_its_late_score_has_been_waited_for(stage: Stage) -> None:
    aborts: list[float] = []

    def abort() -> None:
        aborts.append(time.monotonic())
        stage.go.set()

    guarded = limited(stage.hang, SHORT_S, abort=abort, late_wait_s=3 * SHORT_S, on_free=stage.free.set)
    begin = time.monotonic()
    assert isinstance(guarded.call(1), Overdue)
    assert not aborts
    assert stage.free.wait(LONG_S)
    assert len(aborts) == 1
    assert aborts[0] - begin >= 4 * SHORT_S
    assert guarded.close()


def test_a_call_that_has_ended_is_not_told_to_stop(stage: Stage) -> None:
    guarded = limited(stage.hang, SHORT_S, abort=stage.aborted.set, late_wait_s=2 * SHORT_S, on_free=stage.free.set)
    assert isinstance(guarded.call(1), Overdue)
    stage.go.set()
    assert stage.free.wait(LONG_S)
    assert not stage.aborted.wait(4 * SHORT_S)
    assert guarded.close()


def test_what_is_spent_already_is_part_of_the_limit(stage: Stage) -> None:
    guarded = limited(stage.hang, LONG_S, on_free=stage.free.set)
    assert isinstance(guarded.call(1, spent_ns=int(2 * LONG_S * 1e9)), Overdue)
    stage.go.set()
    assert stage.free.wait(LONG_S)
    assert guarded.close()


def test_a_late_error_is_kept_too(stage: Stage) -> None:
    def fail(argument: int) -> int:
        stage.hang(argument)
        raise ValueError("terminated")

    guarded = limited(fail, SHORT_S, abort=stage.go.set, on_late=stage.keep)
    assert isinstance(guarded.call(1), Overdue)
    assert stage.late.wait(LONG_S)
    assert isinstance(stage.lates[0].outcome, Failed)
    assert guarded.close()


@pytest.mark.parametrize("which", ["abort", "on_late"])
def test_what_abort_or_on_late_raise_is_logged_and_stops_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture, which: str
) -> None:
    def broken(*_: Any) -> None:
        stage.go.set()
        raise RuntimeError("broken")

    guarded = limited(stage.hang, SHORT_S, on_free=stage.free.set, **{"abort": stage.go.set, which: broken})
    with caplog.at_level(logging.ERROR, "riskbench.scorer"):
        assert isinstance(guarded.call(1), Overdue)
        assert stage.free.wait(LONG_S)
        assert isinstance(guarded.call(2), Result)
    assert len(caplog.records) == 1
    assert guarded.close()


def test_close_ends_the_thread_and_may_be_repeated() -> None:
    before = threading.active_count()
    guarded = limited(lambda argument: argument)
    guarded.call(1)
    assert guarded.close()
    assert guarded.close()
    assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="called after close"):
        guarded.call(2)


def test_close_says_when_a_call_still_hangs(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    guarded = limited(stage.hang, SHORT_S)
    assert isinstance(guarded.call(1), Overdue)
    with caplog.at_level(logging.WARNING, "riskbench.scorer"):
        assert not guarded.close(wait_s=SHORT_S)
    assert "still hangs" in caplog.text
    stage.go.set()
    assert guarded.close(wait_s=LONG_S)


def test_no_answer_is_lost_or_given_twice_when_calls_end_at_the_limit() -> None:
    """Calls that last about as long as the limit: each ends as a result or as overdue with one late result."""
    late: list[int] = []
    limit_s = 0.002

    def linger(number: int) -> int:
        time.sleep(limit_s * (0.9 + 0.02 * (number % 10)))
        return number

    free = threading.Semaphore(0)
    guarded = limited(linger, limit_s, on_late=lambda each: late.append(each.argument), on_free=free.release)
    results: list[int] = []
    overdue: list[int] = []
    for number in range(150):
        answer = guarded.call(number)
        if isinstance(answer, Overdue):
            assert free.acquire(timeout=LONG_S)
        (overdue if isinstance(answer, Overdue) else results).append(number)
        if isinstance(answer, Result):
            assert answer.value == number
    assert guarded.close(wait_s=LONG_S)
    assert sorted(results + overdue) == list(range(150))
    assert late == overdue


@pytest.mark.parametrize("limit_s", [0.0, -1.0, 3_601.0, float("nan"), float("inf")])
def test_a_limit_out_of_bounds_is_refused(limit_s: float) -> None:
    with pytest.raises(BadInputError, match="time limit: "):
        limited(lambda argument: argument, limit_s)
