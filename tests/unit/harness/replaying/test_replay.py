"""The origin of a run that repeats another one."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from harness.comparison import read_finished
from harness.replaying.changes import Wanted, replayed_scenario
from harness.replaying.earlier import Earlier
from harness.replaying.replay import Replay, speed_of
from harness.results import Results
from harness.runfolder import RunFolder
from harness.scenario import load_scenario
from streams.errors import RunInvalidError
from tests.unit.harness.replaying.made import EVENTS, row, write_run


@pytest.fixture
def earlier(tmp_path: Path) -> Earlier:
    folder = write_run(tmp_path / "earlier", [row(n) for n in range(EVENTS)])
    (folder / "case" / "bundle").mkdir(parents=True)
    (folder / "case" / "bundle" / "bundle.json").write_text("{}", encoding="utf-8")
    (folder / "case" / "rules.yaml").write_text("rules: []\n", encoding="utf-8")
    scenario = load_scenario("fraud")
    (folder / "scenario.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
    return Earlier(read_finished(folder), scenario)


def repeated(earlier: Earlier, tmp_path: Path, wanted: Wanted | None = None) -> Replay:
    wanted = wanted or Wanted()
    return Replay(earlier, replayed_scenario(earlier, wanted), tmp_path / "cache", wanted.speed)


def test_the_state_is_the_one_of_then_unless_something_else_decides(earlier: Earlier, tmp_path: Path) -> None:
    assert repeated(earlier, tmp_path).state == earlier.state
    shutil.copyfile(earlier.rules, tmp_path / "same.yaml")
    assert repeated(earlier, tmp_path, Wanted(rules=tmp_path / "same.yaml")).state == earlier.state
    (tmp_path / "other.yaml").write_text("rules: [other]\n", encoding="utf-8")
    assert repeated(earlier, tmp_path, Wanted(rules=tmp_path / "other.yaml")).state is None


def concluded(replay: Replay, tmp_path: Path, results: Results, score: float) -> RunFolder:
    """A run folder of the replay, in which the first event had this score."""
    folder = RunFolder.create(tmp_path / "runs", "fraud", datetime(2026, 1, 1, tzinfo=UTC))
    made = write_run(tmp_path / folder.path.name, [row(0, score=score), *(row(n) for n in range(1, EVENTS))])
    shutil.copytree(made, folder.path, dirs_exist_ok=True)
    shutil.copytree(replay.earlier.folder / "case", folder.path / "case")
    replay.conclude(folder, results)
    return folder


def test_what_was_found_is_left_in_the_run_folder(earlier: Earlier, tmp_path: Path, results: Results) -> None:
    replay = repeated(earlier, tmp_path, Wanted(speed=2.0))
    with pytest.raises(RunInvalidError, match="has not come to its end"):
        _ = replay.concluded
    folder = concluded(replay, tmp_path, results, score=0.75)
    assert not replay.concluded.holds
    assert pq.read_table(folder.path / "differences.parquet")["event_id"].to_pylist() == ["evt-000"]
    content = json.loads((folder.path / "replay.json").read_bytes())
    assert content["different"] == 1
    assert content["before"]["folder"] == str(earlier.folder)
    assert {change["name"] for change in content["changed"]} == {"speed"}


def test_equal_decisions_leave_an_empty_table(earlier: Earlier, tmp_path: Path, results: Results) -> None:
    replay = repeated(earlier, tmp_path)
    folder = concluded(replay, tmp_path, results, score=0.0)
    assert replay.concluded.equal
    assert pq.read_table(folder.path / "differences.parquet").num_rows == 0


def test_the_speed_of_a_replay_of_a_replay_is_of_the_first_run(
    earlier: Earlier, tmp_path: Path, results: Results
) -> None:
    assert speed_of(earlier.folder) == 1.0
    folder = concluded(repeated(earlier, tmp_path, Wanted(speed=2.0)), tmp_path, results, score=0.0)
    assert speed_of(folder.path) == 2.0
    (folder.path / "replay.json").write_text("[]", encoding="utf-8")
    assert speed_of(folder.path) == 1.0
