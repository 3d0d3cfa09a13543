"""What an answer leaves in a run's case: every bundle that was on trial in the stream, and the plan of its rollout."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from harness.case import CASE
from streams.errors import BadInputError
from streams.rollout import Candidate, RolloutPlan, RolloutStep, candidates, read_plan, write_plan

CANDIDATES, ROLLOUT = "candidates", "rollout.json"


def keep_rollout(steps: Sequence[RolloutStep], run: Path) -> None:
    """Copy the candidates into the case, and the plan with their places there (relative to the case). Nothing where no
    candidate came into the stream."""
    if not steps:
        return
    case = run / CASE
    try:
        for each in candidates(steps):
            shutil.copytree(each.bundle, case / CANDIDATES / each.model_version, dirs_exist_ok=True)
    except OSError as error:
        raise BadInputError(f"{case}: cannot be written: {error.strerror or error}") from error
    write_plan(case / ROLLOUT, _placed(steps, lambda version: f"{CANDIDATES}/{version}"))


def repeat_rollout(plan: RolloutPlan, run: Path, work: Path) -> Path:
    """Keep a plan that is carried out again, and leave it in `work` for the scorer; returns the file."""
    keep_rollout(plan.steps, run)
    file = work / ROLLOUT
    write_plan(file, plan)
    return file


def kept_rollout(run: Path) -> RolloutPlan | None:
    """The plan in a run's case, its candidates where they lie there; None where the model was not changed. Raises
    BadInputError when it is damaged."""
    file = run / CASE / ROLLOUT
    if not file.is_file():
        return None
    return _placed(read_plan(file).steps, lambda version: str((run / CASE / CANDIDATES / version).resolve()))


def _placed(steps: Sequence[RolloutStep], place: Callable[[str], str]) -> RolloutPlan:
    def moved(candidate: Candidate) -> Candidate:
        return Candidate(bundle=place(candidate.model_version), model_version=candidate.model_version)

    return RolloutPlan(steps=tuple(msgspec.structs.replace(step, candidate=moved(step.candidate)) for step in steps))
