"""A run folder keeps the models that were on trial in it, so that it can be run again with them."""

from pathlib import Path

from harness.drift.retraining.keeping import keep_rollout, kept_rollout
from streams.rollout import Candidate, RolloutStep
from tests.unit.harness.drift.retraining.made import day


def test_what_was_kept_is_found_wherever_the_folder_went(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "bundle.json").write_text("{}", encoding="utf-8")
    candidate = Candidate(bundle=str(tmp_path / "bundle"), model_version="fraud-2")
    steps = [
        RolloutStep(phase="shadow", from_event_time_ns=day(1), candidate=candidate),
        RolloutStep(phase="canary", from_event_time_ns=day(3), candidate=candidate, share=0.05),
    ]
    (tmp_path / "run" / "case").mkdir(parents=True)
    keep_rollout(steps, tmp_path / "run")
    moved = (tmp_path / "run").rename(tmp_path / "elsewhere")
    plan = kept_rollout(moved)
    assert plan is not None
    assert [(step.phase, step.from_event_time_ns, step.share) for step in plan.steps] == [
        ("shadow", day(1), None),
        ("canary", day(3), 0.05),
    ]
    assert {step.candidate.model_version for step in plan.steps} == {"fraud-2"}
    assert all((Path(step.candidate.bundle) / "bundle.json").is_file() for step in plan.steps)
    assert str(tmp_path) not in (moved / "case" / "rollout.json").read_text(encoding="utf-8")


def test_a_run_whose_model_stayed_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "case").mkdir()
    keep_rollout([], tmp_path)
    assert kept_rollout(tmp_path) is None
    assert list((tmp_path / "case").iterdir()) == []
