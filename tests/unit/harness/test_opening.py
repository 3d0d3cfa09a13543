"""The audit trail begins with what decides; a scorer that is not ours is asked for nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.audit_trail.records import Thresholds, content_hash
from harness.opening import plan_records
from harness.scenario import Breaker
from harness.scorers import OwnScorer, ScorerSetup

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "20260102-030405-fraud"
    folder.mkdir()
    (folder / "scenario.yaml").write_bytes(b"name: fraud")
    return folder


def test_it_names_what_decides(run: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_bytes(b"{}")
    (tmp_path / "rules.yaml").write_bytes(b"rules: []")
    setup = ScorerSetup("native", 1, tmp_path, tmp_path / "rules.yaml", tmp_path, "flagged", Breaker(), nightly=True)
    (run / "case" / "state").mkdir(parents=True)
    (run / "case" / "state" / "features.state").write_bytes(b"state")
    (run / "case" / "dispositions.parquet").write_bytes(b"dispositions")
    bundle = {"thresholds": {"review": 0.2, "block": 0.8, "rule": "budget"}}
    plan = plan_records(run, setup, bundle, "all", STARTED)
    opening = plan.opening
    assert (opening.run, opening.started_at) == (run.name, "2026-01-02T03:04:05Z")
    contents = (b"name: fraud", b"{}", b"rules: []")
    assert (opening.scenario, opening.bundle, opening.rules) == tuple(content_hash(each) for each in contents)
    assert opening.case == {
        "dispositions.parquet": content_hash(b"dispositions"),
        "state/features.state": content_hash(b"state"),
    }
    assert plan.thresholds == Thresholds(review=0.2, block=0.8)
    assert plan.asked == "all"
    assert Path(plan.audit).parent == Path(plan.explanations).parent == run


def test_of_a_scorer_that_is_not_ours_only_the_scenario_is_known(run: Path) -> None:
    own = ScorerSetup("own", 1, Path(), None, None, "all", Breaker(), nightly=False, own=OwnScorer("x", 1.0))
    plan = plan_records(run, own, None, "all", STARTED)
    assert (plan.opening.bundle, plan.opening.rules, plan.thresholds) == (None, None, None)
    assert plan.asked == "none"
