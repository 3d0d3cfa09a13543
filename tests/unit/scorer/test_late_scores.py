"""What overdue calls come to: kept once for each event, whichever side is first, and bounded."""

import threading
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.bulkhead import Callee
from scorer.guarded_model import Guarded, GuardedModel, Guards, Model
from scorer.late_scores import LateScores
from scorer.time_limit import Failed, Late, Result
from streams.errors import BadInputError
from streams.late_score import LateScore
from tests.unit.scorer.clock import NS_PER_S, FakeClock

ROWS = np.zeros((2, 3), np.float32)
IDS = ["a", "b"]


class Output(msgspec.Struct, frozen=True):
    margin: NDArray[np.float32]
    reconstruction_error: NDArray[np.float32]


def output(*margins: float) -> Output:
    return Output(np.array(margins, np.float32), np.zeros(len(margins), np.float32))


def grade(margin: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    return np.where(margin > 0, 3, 1).astype(np.int8), 1 / (1 + np.exp(-margin.astype(np.float64)))


def late_scores(out: Path | None, **more: Any) -> LateScores:
    return LateScores(out, grade, FakeClock(), time_limit_s=2.0, worker="w", model_version="m", **more)


def late(outcome: Any = None, rows: NDArray[np.float32] = ROWS) -> Late[Any, Any]:
    return Late(rows, outcome if outcome is not None else Result(output(3.0, -3.0), 10 * NS_PER_S))


def read(path: Path) -> list[LateScore]:
    return [msgspec.json.decode(line, type=LateScore) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("ended_first", [False, True])
def test_a_late_score_is_kept_with_its_event(tmp_path: Path, ended_first: bool) -> None:
    out = tmp_path / "late.jsonl"
    with late_scores(out) as kept:
        if ended_first:
            kept.take(late())
            kept.expect(ROWS, IDS)
        else:
            kept.expect(ROWS, IDS)
            assert kept.summary()["awaited"] == 2
            kept.take(late())
        assert kept.summary() == {"scored": 2, "failed": 0, "kept": 2, "not_kept": 0, "awaited": 0}
    first, second = read(out)
    assert (first.event_id, first.margin, first.outcome, second.outcome) == ("a", 3.0, "block", "approve")
    assert first.score == pytest.approx(0.9525741268224334)
    assert (first.elapsed_ns, first.late_ns, first.ended_ns) == (10 * NS_PER_S, 8 * NS_PER_S, 1_000 * NS_PER_S)
    assert (first.worker, first.model_version, first.error) == ("w", "m", None)


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (Failed(ValueError("told to stop"), 3 * NS_PER_S), "ValueError: told to stop"),
        (Result(output(1.0), 3 * NS_PER_S), "[1] margins for 2 events"),
        (Result(output(1.0, float("nan")), 3 * NS_PER_S), "some not finite"),
    ],
)
def test_a_call_that_failed_late_is_kept_with_its_error(tmp_path: Path, outcome: Any, error: str) -> None:
    out = tmp_path / "late.jsonl"
    with late_scores(out) as kept:
        kept.expect(ROWS, IDS)
        kept.take(late(outcome))
    assert all(error in str(each.error) and each.score is None for each in read(out))
    assert kept.summary()["failed"] == 2


def test_what_is_kept_is_bounded_and_the_rest_counted(tmp_path: Path) -> None:
    out = tmp_path / "late.jsonl"
    with late_scores(out, kept_max=3) as kept:
        for _ in range(2):
            kept.expect(ROWS, IDS)
            kept.take(late())
    assert len(read(out)) == 3
    assert kept.summary() == {"scored": 4, "failed": 0, "kept": 3, "not_kept": 1, "awaited": 0}


def test_without_a_file_they_are_counted_and_without_late_scores_no_file_is_left(tmp_path: Path) -> None:
    with late_scores(None) as kept:
        kept.expect(ROWS, IDS)
        kept.take(late())
    assert kept.summary()["not_kept"] == 2
    with late_scores(tmp_path / "late.jsonl"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--late-scores"):
        late_scores(tmp_path / "no" / "such" / "folder")


def test_a_model_that_hangs_and_then_answers_leaves_its_scores(tmp_path: Path) -> None:
    gate = threading.Event()

    def score(values: NDArray[np.float32]) -> Output:
        assert gate.wait(60)
        return output(*range(len(values)))

    def make() -> Model:
        return Callee(score)

    out, clock = tmp_path / "late.jsonl", FakeClock()
    with late_scores(out) as kept:
        guard = GuardedModel(
            make, CircuitBreaker(BreakerConfig(), clock), clock, Guards(0.02, limit_kind="hard"), on_late=kept.take
        )
        found: Guarded = guard.score(ROWS)
        assert found.fallback is not None
        kept.expect(ROWS, IDS)
        gate.set()
        assert guard.close()
    assert [(each.event_id, each.margin) for each in read(out)] == [("a", 0.0), ("b", 1.0)]
