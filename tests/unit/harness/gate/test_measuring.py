from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.gate.builds import Build
from harness.gate.measuring import Measurements, Result, Runner, Turn, Turns, metrics_of
from harness.processes import Family
from streams.errors import RunInvalidError

BASE, HEAD = Build("base1", Path(), {}), Build("head1", Path(), {})


def results(p99: float, status: str = "pass") -> dict[str, Any]:
    part = {"p50": p99 / 4.0, "p99": p99}
    return {
        "latency_ms": {"response": part, "service": {"p50": None, "p99": 2.0}, "stages": {"model": {"p50": 0.2}}},
        "verdict": {"status": status, "reasons": ["late load"] if status == "invalid" else []},
    }


class Machine:
    """Answers with p99 8 for base and 10 for head; the runs in `late` (from 1) are invalid. `events` has every begin
    and end in their order."""

    def __init__(self, late: frozenset[int] = frozenset()) -> None:
        self.late, self.begun = late, 0
        self.events: list[str] = []

    def begin(self, build: Build, side: str) -> Callable[[], Result]:
        self.begun += 1
        number = self.begun
        self.events.append(f"begin {side}")

        def end() -> Result:
            self.events.append(f"end {side}")
            status = "invalid" if number in self.late else "pass"
            return results(10.0 if build is HEAD else 8.0, status), Path(f"run-{number}")

        return end

    @property
    def order(self) -> list[str]:
        return [event.removeprefix("begin ") for event in self.events if event.startswith("begin ")]


def turns_of(machine: Machine, told: list[str] | None = None, *, together: bool = False) -> Turns:
    return Turns(BASE, HEAD, machine.begin, (told if told is not None else []).append, together=together)


def test_metrics_are_percentiles_and_stages_that_were_measured() -> None:
    assert metrics_of(results(8.0)) == {
        "response P50": 2.0,
        "response P99": 8.0,
        "service P99": 2.0,
        "stage model P50": 0.2,
    }


@pytest.mark.parametrize("together", [False, True])
def test_turns_change_their_order_and_give_rounds(*, together: bool) -> None:
    machine = Machine()
    rounds = turns_of(machine, together=together).play(0, 3).rounds()
    assert machine.order == ["base", "head", "again", "head", "again", "base", "again", "base", "head"]
    assert rounds["response P99"].base == rounds["response P99"].again == (8.0, 8.0, 8.0)
    assert rounds["response P99"].head == (10.0, 10.0, 10.0)


def test_together_all_have_begun_before_one_has_ended_and_by_turns_none() -> None:
    machines = Machine(), Machine()
    for machine, together in zip(machines, (True, False), strict=True):
        turns_of(machine, together=together).play(0, 1)
    assert [event.split()[0] for event in machines[0].events] == ["begin"] * 3 + ["end"] * 3
    assert [event.split()[0] for event in machines[1].events] == ["begin", "end"] * 3


def test_rounds_can_be_added() -> None:
    turns = turns_of(Machine())
    turns.play(0, 2)
    assert len(turns.play(2, 3).rounds()["response P99"].head) == 3


def test_a_rehearsal_does_not_count() -> None:
    machine, told = Machine(frozenset({1})), list[str]()
    turns = turns_of(machine, told, together=True)
    turns.rehearse()
    assert sorted(machine.order) == ["again", "base", "head"]
    assert (turns.measured.turns, turns.measured.invalid) == ([], 0)
    assert all(line.startswith("rehearsal") for line in told)


def test_by_turns_an_invalid_run_is_repeated_and_counted() -> None:
    told: list[str] = []
    machine = Machine(frozenset({2}))
    measured = turns_of(machine, told).play(0, 1)
    assert measured.invalid == 1
    assert machine.order == ["base", "head", "head", "again"]
    assert "invalid" in told[1]


def test_together_an_invalid_run_repeats_its_round() -> None:
    machine = Machine(frozenset({2}))
    measured = turns_of(machine, together=True).play(0, 1)
    assert measured.invalid == 1
    assert [turn.folder for turn in measured.turns] == ["run-4", "run-5", "run-6"]


@pytest.mark.parametrize("together", [False, True])
def test_runs_that_stay_invalid_end_the_gate(*, together: bool) -> None:
    late = frozenset({2, 5, 8}) if together else frozenset({2, 3, 4})
    with pytest.raises(RunInvalidError, match=r"3 runs of head .* late load"):
        turns_of(Machine(late), together=together).play(0, 1)


RUN = """#!/bin/sh
while [ "$1" != --out ]; do shift; done
echo "working in $2"
mkdir -p "$2/run-$$" && echo '{"verdict": {}}' > "$2/run-$$/results.json"
exit "${CODE:-0}"
"""


def build_of(folder: Path, **environ: str) -> Build:
    folder.mkdir()
    (folder / "bench").write_text(RUN)
    (folder / "bench").chmod(0o755)
    return Build("abc", folder, {"PATH": "/usr/bin:/bin", **environ})


def test_runs_that_are_made_together_keep_their_folders_apart(tmp_path: Path) -> None:
    build = build_of(tmp_path / "build")
    with Family() as family:
        runner = Runner(("fraud",), tmp_path / "out", family, 20.0)
        ends = [runner.begin(build, side) for side in ("base", "head")]
        folders = [end()[1] for end in ends]
    assert [folder.parent.name for folder in folders] == ["base", "head"]


def test_a_run_that_fails_says_its_last_words(tmp_path: Path) -> None:
    with Family() as family, pytest.raises(RunInvalidError, match=r"abc: bench run fraud .* ended with 2:\nworking in"):
        Runner(("fraud",), tmp_path / "out", family, 20.0).begin(build_of(tmp_path / "build", CODE="2"), "base")()


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
