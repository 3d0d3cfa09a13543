"""The search as the person at the keyboard sees it, with runs that are made up."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from harness.capacity import trials
from harness.cli import main
from harness.interruption import Interrupted
from harness.results import Results
from harness.run import Finished, Outside, RunOptions
from harness.runfolder import RunFolder
from harness.steps import Steps
from streams.errors import BrokerError, RunInvalidError


class Machine:
    """Stands for `carry_out`: a scorer that holds so many events a second; `breaks` raises at some run."""

    def __init__(self, results: Results, holds_per_s: float) -> None:
        self.results, self.holds_per_s = results, holds_per_s
        self.options: list[RunOptions] = []
        self.breaks: dict[int, BaseException] = {}

    def __call__(self, options: RunOptions, steps: Steps, outside: Outside) -> Finished:
        self.options.append(options)
        folder = RunFolder.create(options.out, options.scenario.name, outside.now())
        with steps.step("Streaming [not markup]") as say:
            say("half")
        steps.warn("a small broker")
        if error := self.breaks.get(len(self.options)):
            raise error
        rate = options.scenario.load.rate_per_s
        (folder.path / "case" / "bundle").mkdir(parents=True)
        self._write(folder.path, 10.0 if rate <= self.holds_per_s else 90.0)
        load = replace(self.results.load, target_per_s=rate, scheduled_per_s=rate, achieved_per_s=rate)
        slo = options.scenario.slo.model_dump()
        return Finished(folder.path, replace(self.results, load=load, slo=slo, engine="native"), None)

    @staticmethod
    def _write(folder: Path, response_ms: float) -> None:
        count = 1_000
        nothing = np.zeros(count, np.int64)
        rows = {
            "event_id": [f"e{number}" for number in range(count)],
            "measured": np.ones(count, bool),
            "outcome": ["approve"] * count,
            "response_ns": np.full(count, round(response_ms * 1e6)),
            "intended_ns": nothing,
            "sent_ns": nothing,
            "stage_table_wait_ns": nothing,
        }
        pq.write_table(pa.table(rows), folder / "decisions.parquet")
        timeline = {"second": np.arange(6), "sent": [1] * 6, "lag": [2] * 6}
        pq.write_table(pa.table(timeline), folder / "timeline.parquet")


@pytest.fixture
def machine(results: Results, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Machine]:
    def of(holds_per_s: float) -> Machine:
        made = Machine(results, holds_per_s)
        monkeypatch.setattr(trials, "carry_out", made)
        return made

    return of


class Ended:
    """How `bench capacity fraud …` ended."""

    def __init__(self, arguments: list[str], out: Path, capsys: pytest.CaptureFixture[str]) -> None:
        words = ["capacity", "fraud", "--out", str(out), "--resolution", "0.3", *arguments]
        with pytest.raises(SystemExit) as ended:
            main(words)
        told = capsys.readouterr()
        self.code, self.out, self.err = int(ended.value.code or 0), told.out, told.err
        self.folders = list(out.iterdir()) if out.is_dir() else []

    @property
    def saved(self) -> dict[str, Any]:
        (folder,) = self.folders
        found: dict[str, Any] = json.loads((folder / "capacity.json").read_text(encoding="utf-8"))
        return found


def test_a_search_from_end_to_end(
    machine: Callable[[float], Machine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = machine(1_500.0)
    ended = Ended([], tmp_path / "runs", capsys)
    assert ended.code == 0
    assert ended.saved["capacity_per_s"] == 1_410.0
    assert ended.saved["complete"]
    assert len(ended.saved["curve"]) == len(made.options) == 8
    assert "Capacity: 1,410 events/s with P99 ≤ 50 ms (held in 2 of 2 runs)." in ended.out
    assert len(re.findall(r"^ *\d[\d,]*/s  P50", ended.out, re.MULTILINE)) == len(made.options)
    assert ended.out.count("a small broker") == 1
    (folder,) = ended.folders
    assert (folder / "capacity.html").is_file()
    assert str(folder / "capacity.html") in ended.out


def test_the_model_is_the_first_runs_and_the_floor_is_measured_beside_every_second_run(
    machine: Callable[[float], Machine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = machine(1_500.0)
    Ended([], tmp_path / "runs", capsys)
    bundles = [options.scenario.scorer.bundle for options in made.options]
    assert bundles[0] is None
    assert len(set(bundles[1:])) == 1
    rates = [options.scenario.load.rate_per_s for options in made.options]
    assert [options.floor for options in made.options] == [rate in rates[:place] for place, rate in enumerate(rates)]


def test_json_is_alone_on_standard_output(
    machine: Callable[[float], Machine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(1_500.0)
    ended = Ended(["--json"], tmp_path / "runs", capsys)
    assert json.loads(ended.out) == ended.saved
    assert "Capacity: 1,410" in ended.err


def test_stopping_keeps_what_was_found(
    machine: Callable[[float], Machine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(1_500.0).breaks = {4: Interrupted(2)}
    ended = Ended([], tmp_path / "runs", capsys)
    assert ended.code == 130
    assert (ended.saved["complete"], ended.saved["capacity_per_s"], len(ended.saved["curve"])) == (False, 1_000.0, 3)
    assert "stopped before its end; so far" in ended.out
    assert (ended.folders[0] / "capacity.html").is_file()


def test_a_run_that_breaks_off_counts_as_not_held(
    machine: Callable[[float], Machine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(9_000.0).breaks = {3: RunInvalidError("worker-1 was killed"), 4: RunInvalidError("worker-1 was killed")}
    ended = Ended(["--highest", "2000"], tmp_path / "runs", capsys)
    assert ended.code == 0
    assert ended.saved["not_held_per_s"] == 2_000.0
    assert "the run broke off: worker-1 was killed" in ended.out


@pytest.mark.parametrize(("error", "code"), [(RunInvalidError("no worker"), 3), (BrokerError("no broker"), 2)])
def test_a_first_run_that_breaks_off_ends_the_search(
    machine: Callable[[float], Machine],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
) -> None:
    machine(9_000.0).breaks = {1: error}
    ended = Ended([], tmp_path / "runs", capsys)
    assert ended.code == code
    assert f"bench: {error}" in ended.err


def test_no_rate_held_fails(
    machine: Callable[[float], Machine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(1.0)
    ended = Ended([], tmp_path / "runs", capsys)
    assert ended.code == 1
    assert "No rate was held" in ended.out
