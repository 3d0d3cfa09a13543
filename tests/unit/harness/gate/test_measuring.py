from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.gate.builds import Build
from harness.gate.measuring import Measurements, Turn, Turns, metrics_of
from streams.errors import RunInvalidError

BASE, HEAD = Build("base1", Path(), {}), Build("head1", Path(), {})


def results(p99: float, status: str = "pass") -> dict[str, Any]:
    part = {"p50": p99 / 4.0, "p99": p99}
    return {
        "latency_ms": {"response": part, "service": {"p50": None, "p99": 2.0}, "stages": {"model": {"p50": 0.2}}},
        "verdict": {"status": status, "reasons": ["late load"] if status == "invalid" else []},
    }


class Machine:
    """Answers with p99 8 for base and 10 for head; the runs in `late` (from 1) are invalid."""

    def __init__(self, late: frozenset[int] = frozenset()) -> None:
        self.late, self.order = late, []  # type: tuple[frozenset[int], list[str]]

    def __call__(self, build: Build) -> tuple[Mapping[str, Any], Path]:
        self.order.append(build.name)
        status = "invalid" if len(self.order) in self.late else "pass"
        return results(10.0 if build is HEAD else 8.0, status), Path(f"run-{len(self.order)}")


def test_metrics_are_percentiles_and_stages_that_were_measured() -> None:
    assert metrics_of(results(8.0)) == {
        "response P50": 2.0,
        "response P99": 8.0,
        "service P99": 2.0,
        "stage model P50": 0.2,
    }


def test_turns_change_their_order_and_give_rounds() -> None:
    machine = Machine()
    rounds = Turns(BASE, HEAD, machine, lambda _: None).play(0, 3).rounds()
    assert machine.order == ["base1", "head1", "base1", "head1", "base1", "base1", "base1", "base1", "head1"]
    assert rounds["response P99"].base == rounds["response P99"].again == (8.0, 8.0, 8.0)
    assert rounds["response P99"].head == (10.0, 10.0, 10.0)


def test_rounds_can_be_added() -> None:
    turns = Turns(BASE, HEAD, Machine(), lambda _: None)
    turns.play(0, 2)
    assert len(turns.play(2, 3).rounds()["response P99"].head) == 3


def test_an_invalid_run_is_repeated_and_counted() -> None:
    told: list[str] = []
    measured = Turns(BASE, HEAD, Machine(frozenset({2})), told.append).play(0, 1)
    assert measured.invalid == 1
    assert len(measured.turns) == 3
    assert "invalid" in told[1]


def test_runs_that_stay_invalid_end_the_gate() -> None:
    with pytest.raises(RunInvalidError, match=r"3 runs of head .* late load"):
        Turns(BASE, HEAD, Machine(frozenset({2, 3, 4})), lambda _: None).play(0, 1)


def test_only_metrics_of_all_runs_are_compared() -> None:
    turns = [
        Turn("base", 0, {"a": 1.0, "b": 1.0}, ""),
        Turn("head", 0, {"a": 2.0}, ""),
        Turn("again", 0, {"a": 1.0}, ""),
    ]
    assert list(Measurements(turns).rounds()) == ["a"]


def test_a_metric_of_nought_is_left_out() -> None:
    turns = [Turn(side, 0, {"a": 0.0, "b": 1.0}, "") for side in ("base", "head", "again")]
    assert list(Measurements(turns).rounds()) == ["b"]
