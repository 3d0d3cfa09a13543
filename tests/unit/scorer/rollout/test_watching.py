"""The plan's file: looked at, kept with the checkpoints, and no harm done by what is wrong with it."""

from pathlib import Path

import pytest

from scorer.rollout.watching import KEPT
from streams.errors import BadInputError
from streams.rollout import read_plan, write_plan
from tests.unit.scorer.rollout.case import BROKEN, B, Bench, plan, step

STEPS = (step("shadow"), step("canary", 20), step("full", 30))


def test_what_cannot_be_understood_changes_nothing_and_is_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(*STEPS[:1]))
    bench.path.write_bytes(b"{")
    bench.watch.look()
    assert "cannot be understood" in str(bench.watch.error)
    bench.tell(plan(step("shadow", 3)))
    assert "steps may only be added" in str(bench.watch.error)
    bench.tell(plan(*STEPS))
    assert bench.watch.error is None
    bench.path.unlink()
    bench.watch.look()
    bench.rollout.take()
    assert bench.rollout.summary()["steps"] == 3


def test_a_plan_is_taken_between_micro_batches_only(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.tell(plan(*STEPS))
    assert bench.rollout.summary()["phase"] is None
    bench.rollout.take()
    assert bench.rollout.summary()["phase"] == "full"


def test_a_refused_candidate_is_not_tried_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(step("shadow", 0, BROKEN)))
    bench.tell(plan(step("shadow", 0, BROKEN), step("rolled-back", 0, BROKEN), step("shadow", 0, B)))
    assert bench.opened == ["model-broken", "model-b"]


def test_a_worker_started_again_goes_on_in_the_phase_it_was_in(tmp_path: Path) -> None:
    keep = tmp_path / "checkpoints"
    first = Bench(tmp_path, keep=keep)
    assert not keep.exists()
    first.tell(plan(*STEPS, hold_hour=90))
    assert read_plan(keep / KEPT).steps == STEPS
    (tmp_path / "plan").unlink()
    write_plan(tmp_path / "plan", plan(*STEPS[:1]))  # older than what was kept
    again = Bench(tmp_path, keep=keep)
    assert again.rollout.summary()["steps"] == 3
    (tmp_path / "plan").unlink()
    again.watch.begin()
    assert again.watch.prepared.plan.steps == STEPS


def test_another_rollout_than_the_checkpoints_is_refused(tmp_path: Path) -> None:
    keep = tmp_path / "checkpoints"
    Bench(tmp_path, plan(*STEPS), keep=keep)
    write_plan(tmp_path / "plan", plan(step("shadow", 1)))
    with pytest.raises(BadInputError, match="does not begin with the 1 steps told before"):
        Bench(tmp_path, keep=keep)


def test_a_worker_behind_the_others_does_not_take_back_what_they_keep(tmp_path: Path) -> None:
    keep = tmp_path / "checkpoints"
    ahead, behind = Bench(tmp_path, keep=keep), Bench(tmp_path, keep=keep)
    ahead.tell(plan(*STEPS))
    write_plan(behind.path, plan(*STEPS[:2]))
    behind.watch.look()
    assert behind.watch.error is None
    assert read_plan(keep / KEPT).steps == STEPS
