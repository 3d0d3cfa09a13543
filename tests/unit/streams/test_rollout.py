"""Plans of a rollout: what may follow what, that steps are only added, and that any bytes are taken or refused."""

import re
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import BadInputError
from streams.rollout import (
    PHASES,
    Candidate,
    Phase,
    RolloutPlan,
    RolloutStep,
    candidates,
    check_added,
    check_plan,
    read_plan,
    write_plan,
)

A, B = (Candidate(bundle=f"/bundles/{name}", model_version=f"fraud-{name}") for name in "ab")


def step(phase: Phase, candidate: Candidate = A, at: int = 0) -> RolloutStep:
    return RolloutStep(
        phase=phase, from_event_time_ns=at, candidate=candidate, share=0.05 if phase == "canary" else None
    )


def plan(*steps: RolloutStep) -> RolloutPlan:
    return RolloutPlan(steps=steps)


def test_a_plan_comes_back_as_it_was_written(tmp_path: Path) -> None:
    told = RolloutPlan(steps=(step("shadow"), step("canary", at=7), step("full", at=9)), hold_event_time_ns=20)
    write_plan(tmp_path / "plan", told)
    assert read_plan(tmp_path / "plan") == told
    write_plan(tmp_path / "plan", plan(*told.steps, step("rolled-back")))
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]
    assert candidates(read_plan(tmp_path / "plan").steps) == [A]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((step("canary"),), "begins in shadow"),
        ((step("full"),), "begins in shadow"),
        ((step("shadow"), step("shadow", B)), "fraud-a is still in shadow"),
        ((step("shadow"), step("shadow")), "after shadow only canary, full, rolled-back"),
        ((step("shadow"), step("full"), step("canary")), "after full only rolled-back"),
        ((step("shadow"), step("rolled-back"), step("full")), "only shadow of another candidate"),
        ((RolloutStep(phase="canary", from_event_time_ns=0, candidate=A),), "a share of keys belongs to canary"),
        ((RolloutStep(phase="full", from_event_time_ns=0, candidate=A, share=0.5),), "and to nothing else"),
    ],
)
def test_a_step_that_cannot_follow_is_refused_in_words(steps: tuple[RolloutStep, ...], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        check_plan(plan(*steps))


@given(st.lists(st.tuples(st.sampled_from(PHASES), st.sampled_from([A, B])), max_size=6))
def test_whatever_decides_was_in_shadow_before_and_one_candidate_is_on_trial(
    told: list[tuple[Phase, Candidate]],
) -> None:
    steps = [step(phase, candidate) for phase, candidate in told]
    try:
        check_plan(plan(*steps))
    except BadInputError:
        return
    on_trial: Candidate | None = None
    for each in steps:
        assert on_trial in (None, each.candidate)
        if each.phase == "shadow":
            on_trial = each.candidate
        elif each.phase == "full":
            assert on_trial == each.candidate
            on_trial = None
        elif each.phase == "rolled-back":
            on_trial = None
        else:
            assert on_trial == each.candidate


def test_steps_are_only_added() -> None:
    check_added(plan(step("shadow")), plan(step("shadow"), step("full")))
    with pytest.raises(BadInputError, match="steps may only be added"):
        check_added(plan(step("shadow", at=1)), plan(step("shadow", at=2), step("full")))
    with pytest.raises(BadInputError, match="of 0 steps does not begin with the 1 steps"):
        check_added(plan(step("shadow")), plan())


@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_any_bytes_are_a_plan_or_refused_by_name(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.plan"
    path.write_bytes(content)
    with suppress(msgspec.DecodeError, BadInputError):
        check_plan(msgspec.json.decode(content, type=RolloutPlan))
        assert read_plan(path)
        return
    with pytest.raises(BadInputError, match=re.escape(str(path))):
        read_plan(path)


def test_a_plan_that_is_not_there_or_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read: No such file"):
        read_plan(tmp_path / "none")
    (tmp_path / "long").write_bytes(b" " * (2 << 20))
    with pytest.raises(BadInputError, match="longer than 1048576 bytes"):
        read_plan(tmp_path / "long")
    with pytest.raises(BadInputError, match="cannot be written"):
        write_plan(tmp_path / "no" / "plan", plan())
