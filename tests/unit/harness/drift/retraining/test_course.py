"""The course of an answer: every way it can go, with a desk that decides nothing by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.drift.retraining.course import Course
from harness.drift.retraining.settings import AnswerSettings
from streams.rollout import RolloutPlan, RolloutStep, check_plan
from tests.unit.harness.drift.retraining.made import CHAMPION, FakeDesk, alarm, day

ONCE = AnswerSettings(renewals_max=0)


def course_of(
    desk: FakeDesk, days: int, alarms: dict[int, float], settings: AnswerSettings = ONCE
) -> tuple[Course, list[RolloutStep]]:
    """Asked at every day's beginning; `alarms` by the day on which they are told."""
    course, steps = Course(CHAMPION, desk, settings), []
    for number in range(days):
        steps += course.at(day(number), [alarm(alarms[number])] if number in alarms else [])
    return course, steps


def test_nothing_happens_without_an_alarm() -> None:
    desk = FakeDesk()
    course, steps = course_of(desk, 30, {})
    assert (steps, course.answers, desk.asked) == ([], [], [])


def test_an_alarm_leads_through_all_gates_to_everything() -> None:
    desk = FakeDesk()
    course, steps = course_of(desk, 30, {10: 9.5})
    told = [(step.phase, step.from_event_time_ns, step.share) for step in steps]
    assert told == [("shadow", day(10), None), ("canary", day(12), 0.05), ("full", day(14), None)]
    (answer,) = course.answers
    assert (answer.outcome, answer.stopped_by, answer.candidate) == ("full", None, "fraud-1")
    assert [gate.gate for gate in answer.gates] == ["backtest", "segments", "shadow", "canary"]
    assert [found["event_time_ns"] for found in answer.alarms] == [day(9.5)]
    assert course.champion.model_version == "fraud-1"


@pytest.mark.parametrize("gate", ["backtest", "segments"])
def test_a_gate_before_the_stream_keeps_the_candidate_out_of_it(gate: str) -> None:
    course, steps = course_of(FakeDesk({gate}), 12, {10: 9.5})
    assert steps == []
    assert (course.answers[0].outcome, course.answers[0].stopped_by) == ("rolled-back", gate)
    assert course.champion == CHAMPION


@pytest.mark.parametrize(("gate", "phases"), [("shadow", ["shadow"]), ("canary", ["shadow", "canary"])])
def test_a_gate_in_the_stream_rolls_back(gate: str, phases: list[str]) -> None:
    course, steps = course_of(FakeDesk({gate}), 16, {10: 9.5})
    assert [step.phase for step in steps] == [*phases, "rolled-back"]
    assert (course.answers[0].outcome, course.answers[0].stopped_by) == ("rolled-back", gate)
    assert course.champion == CHAMPION


def test_what_was_stopped_is_tried_again_when_more_labels_have_come_and_not_for_ever() -> None:
    desk = FakeDesk({"backtest"})
    course, _ = course_of(desk, 80, {10: 9.5})
    assert [now_ns for _, now_ns in desk.asked] == [day(10), day(17), day(24), day(31)]
    assert [answer.attempt for answer in course.answers] == [1, 2, 3, 4]


def test_what_was_learnt_from_the_first_labels_is_learnt_again() -> None:
    course, steps = course_of(FakeDesk(), 60, {10: 9.5}, AnswerSettings(renewals_max=1))
    assert [answer.event_time_ns for answer in course.answers] == [day(10), day(21)]
    assert [step.candidate.model_version for step in steps if step.phase == "full"] == ["fraud-1", "fraud-2"]
    assert course.answers[1].champion == "fraud-1"


def test_a_stream_that_ends_too_soon_leaves_it_under_way() -> None:
    course, _ = course_of(FakeDesk(), 12, {10: 9.5})
    assert course.answers[0].outcome == "under-way"


@given(
    stops=st.sets(st.sampled_from(["backtest", "segments", "shadow", "canary"])),
    alarms=st.dictionaries(st.integers(0, 59), st.floats(0, 59), max_size=8),
    renewals=st.integers(0, 2),
)
def test_the_steps_are_a_plan_that_scorers_take_and_in_order(
    stops: set[str], alarms: dict[int, float], renewals: int
) -> None:
    course, steps = course_of(FakeDesk(stops), 60, alarms, AnswerSettings(renewals_max=renewals))
    check_plan(RolloutPlan(steps=tuple(steps)))
    times = [step.from_event_time_ns for step in steps]
    assert times == sorted(times)
    for answer in course.answers:
        assert (answer.outcome == "rolled-back") == (answer.stopped_by is not None)
        assert all(gate.passed for gate in answer.gates) == (answer.outcome != "rolled-back")
