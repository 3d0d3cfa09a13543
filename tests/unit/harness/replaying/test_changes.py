"""What a replay is asked to do otherwise."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.comparison import Run
from harness.prepared import scheduled
from harness.replaying.changes import Wanted, replayed_scenario
from harness.replaying.earlier import Earlier
from harness.scenario import load_scenario
from streams.errors import BadInputError
from streams.topics import Domain

ROUNDING_NS = 2


def earlier(folder: Path, domain: Domain = "fraud", **changes: Any) -> Earlier:
    """A run of a shipped scenario with these changes (`__` for the dots of a key path)."""
    scenario = load_scenario(domain, {key.replace("__", "."): value for key, value in changes.items()}, domain=domain)
    (folder / "case" / "bundle").mkdir(parents=True)
    (folder / "case" / "bundle" / "bundle.json").write_text(json.dumps({"files": {}}), encoding="utf-8")
    if domain == "aml":
        (folder / "case" / "rules").mkdir()
    else:
        (folder / "case" / "rules.yaml").write_text("rules: []\n", encoding="utf-8")
    (folder / "scenario.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
    return Earlier(Run(folder, {}, {}), scenario)


def test_without_changes_it_is_the_same_scenario_by_the_case(tmp_path: Path) -> None:
    run = earlier(tmp_path, seeds__world=9, load__rate_per_s=77.0)
    found = replayed_scenario(run, Wanted())
    assert found.scorer.bundle == str(tmp_path / "case" / "bundle")
    assert found.scorer.rules == str(tmp_path / "case" / "rules.yaml")
    known = {"scorer": {"bundle", "rules"}}
    assert found.model_dump(exclude=known) == run.scenario.model_dump(exclude=known)


def test_each_thing_can_be_changed(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "bundle.json").write_text("{}", encoding="utf-8")
    (tmp_path / "mine.yaml").write_text("rules: []\n", encoding="utf-8")
    run = earlier(tmp_path / "run")
    wanted = Wanted(
        engine="faust",
        workers=3,
        bundle=tmp_path / "bundle",
        rules=tmp_path / "mine.yaml",
        broker="embedded",
    )
    found = replayed_scenario(run, wanted)
    assert (found.scorer.engine, found.scorer.workers, found.broker) == ("faust", 3, "embedded")
    assert found.scorer.bundle == str(tmp_path / "bundle")
    assert found.scorer.rules == str(tmp_path / "mine.yaml")


def test_in_process_there_is_one_worker(tmp_path: Path) -> None:
    run = earlier(tmp_path, scorer__workers=3)
    assert replayed_scenario(run, Wanted(engine="inprocess")).scorer.workers == 1


@pytest.mark.parametrize("process", ["constant", "poisson", "burst"])
@pytest.mark.parametrize("speed", [0.5, 3.0])
def test_faster_is_the_same_schedule_in_less_time(tmp_path: Path, process: str, speed: float) -> None:
    run = earlier(tmp_path, load__process=process, load__duration_s=20.0)
    found = replayed_scenario(run, Wanted(speed=speed))
    before, after = (scheduled(scenario, 5_000) for scenario in (run.scenario, found))
    assert np.abs(before / speed - after).max() <= ROUNDING_NS


def test_the_same_events_meet_the_same_faults(tmp_path: Path) -> None:
    surge = {"kind": "load-spike", "at_s": 10.0, "duration_s": 25.0}
    run = earlier(tmp_path, load__duration_s=30.0, load__warmup_s=5.0, faults=[surge])
    found = replayed_scenario(run, Wanted(speed=3.0))
    assert found.faults[0].at_s == pytest.approx(10.0 / 3, abs=1e-8)
    assert found.faults[0].duration_s == pytest.approx(25.0 / 3, abs=1e-8)
    before, after = (scheduled(scenario, 10_000) for scenario in (run.scenario, found))
    assert np.abs(before / 3.0 - after).max() <= 100


@pytest.mark.parametrize(
    ("domain", "wanted", "said"),
    [
        ("aml", Wanted(engine="faust"), "whose engines are native and inprocess"),
        ("aml", Wanted(workers=2), "must be 1: the graph needs every transfer"),
        ("fraud", Wanted(engine="inprocess", workers=2), "--workers 2: engine inprocess is one process"),
        ("fraud", Wanted(engine="inprocess", broker="apache"), "--broker apache: engine inprocess has no broker"),
        ("fraud", Wanted(engine="inprocess", bootstrap_servers="a:1"), "--bootstrap-servers a:1: engine inprocess has"),
        ("fraud", Wanted(workers=0), "--workers"),
        ("fraud", Wanted(bundle=Path("/nowhere")), "--bundle /nowhere: no such directory"),
        ("fraud", Wanted(rules=Path("/nowhere.yaml")), "--rules /nowhere.yaml: no such file"),
        ("aml", Wanted(rules=Path("/nowhere")), "--rules /nowhere: no such folder"),
        ("fraud", Wanted(speed=1_000_000.0), "--speed (load.rate_per_s)"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, domain: Domain, wanted: Wanted, said: str) -> None:
    run = earlier(tmp_path, domain)
    with pytest.raises(BadInputError) as told:
        replayed_scenario(run, wanted)
    assert said in str(told.value)
