"""A model changed under the stream: who decides which event, in every phase, whatever the micro-batches."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.breaker_desk import Request, breaker_desk
from scorer.explaining import Scored
from scorer.guarded_model import GuardedModel, Model
from scorer.rollout.canary import bound_of, place_of
from scorer.rollout.report import RolloutMetrics
from streams.decision import Decision
from streams.transaction import CardTransaction
from tests.unit.scorer.rollout.case import BROKEN, A, B, Bench, plan, step
from tests.unit.scorer.test_pipeline import decide, event, make_pipeline

ALL = (
    step("shadow", 10), step("canary", 20), step("full", 30), step("rolled-back", 40), step("shadow", 50, B),
    step("full", 60, B),
)  # fmt: skip


def stream(count: int = 70) -> list[CardTransaction]:
    """An event an hour on nine cards, of amounts that each model judges otherwise; every tenth is blocked by rules, and
    some are late."""
    events = [event(n, 6_000 if n % 10 == 3 else 500 + 37 * (n % 40), card=f"card-{n % 9}") for n in range(1, count)]
    for n in range(5, count - 9, 8):
        events.insert(n + 4, events.pop(n))
    return events


def bare(decisions: Sequence[Decision]) -> list[Decision]:
    """Without what tells the time of the micro-batch."""
    return [msgspec.structs.replace(each, emitted_ns=None, stages_ns={}) for each in decisions]


@pytest.fixture
def told(tmp_path: Path) -> dict[int, Decision]:
    found = decide(Bench(tmp_path, plan(*ALL)).pipeline, stream())
    return {int(each.event_id[1:]): each for each in found}


def in_canary(number: int) -> bool:
    return place_of(f"card-{number % 9}", "") < bound_of(0.5)


def test_every_event_is_decided_by_the_model_of_its_own_hour(told: dict[int, Decision]) -> None:
    assert len(told) == 69
    for number, decision in told.items():
        by = "model-1"
        if 30 <= number < 40 or (20 <= number < 30 and in_canary(number)):
            by = "model-a"
        elif number >= 60:
            by = "model-b"
        assert decision.model_version == by, number
        assert decision.path == ("rules" if number % 10 == 3 else "model")
    assert any(in_canary(number) for number in range(20, 30))
    assert not all(in_canary(number) for number in range(20, 30))


def test_the_other_model_goes_along_in_shadow_and_canary_and_nowhere_else(told: dict[int, Decision]) -> None:
    minus = {"model-1": 10, "model-a": 5, "model-b": 20}
    for number, decision in told.items():
        beside = {1: "model-a", 2: "model-1" if in_canary(number) else "model-a", 5: "model-b"}.get(number // 10)
        if beside is None or number % 10 == 3:
            assert decision.shadow is None, number
            continue
        assert decision.shadow is not None
        assert decision.shadow.model_version == beside
        both = minus[str(decision.model_version)] - minus[beside]
        assert (decision.shadow.margin or 0) - (decision.margin or 0) == pytest.approx(both, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(cuts=st.sets(st.integers(1, 68)))
def test_micro_batches_and_rollouts_do_not_mind_each_other(
    tmp_path_factory: pytest.TempPathFactory, cuts: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("cuts")
    whole = decide(Bench(folder, plan(*ALL)).pipeline, stream())
    bench, events, parts = Bench(folder), stream(), []
    edges = [0, *sorted(cuts), len(events)]
    for low, high in pairwise(edges):
        parts += decide(bench.pipeline, events[low:high])
    assert bare(parts) == bare(whole)
    assert bench.rollout.summary()["decided_by"] == Counter(each.model_version for each in whole)


def test_steps_told_one_after_the_other_decide_as_the_whole_plan_does(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    whole = decide(Bench(tmp_path, plan(*ALL)).pipeline, stream())
    bench, found = Bench(tmp_path / "one"), []
    for at, each in enumerate(stream()):
        if at % 10 == 5 and at < 60:  # each step before its hour
            bench.tell(plan(*ALL[: at // 10 + 1]))
        found += decide(bench.pipeline, [each])
    assert bare(found) == bare(whole)
    assert bench.rollout.summary()["late_steps"] == 0
    assert bench.opened == ["model-a", "model-b"]


def test_a_micro_batch_is_one_call_of_each_model(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(step("shadow"), step("canary")))
    decide(bench.pipeline, stream())
    assert {name: guard.calls for name, guard in bench.guards.items()} == {"model-1": 1, "model-a": 1, "model-b": 0}


def test_without_steps_decisions_are_what_they_are_without_a_plan(tmp_path: Path) -> None:
    assert bare(decide(Bench(tmp_path).pipeline, stream())) == bare(decide(make_pipeline(), stream()))


def test_a_step_that_comes_too_late_is_counted_and_a_rollback_at_once_is_none(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    decide(bench.pipeline, [event(9, 10)])
    bench.tell(plan(step("shadow", 5)))
    decide(bench.pipeline, [event(10, 10)])
    assert bench.rollout.summary()["late_steps"] == 1
    bench.tell(plan(step("shadow", 5), step("rolled-back")))
    found = decide(bench.pipeline, [event(11, 10)])
    assert bench.rollout.summary()["late_steps"] == 1
    assert found[0].shadow is None


def test_a_refused_candidate_leaves_the_champion_in_every_phase(tmp_path: Path) -> None:
    broken = step("shadow", 10, BROKEN), step("canary", 20, BROKEN), step("full", 30, BROKEN)
    bench = Bench(tmp_path, plan(*broken, step("rolled-back", 40, BROKEN), step("shadow", 50)))
    found = decide(bench.pipeline, stream())
    assert {each.model_version for each in found} == {"model-1"}
    told = bench.rollout.summary()
    assert told["refused"] == {"model-broken": "bundle file model.onnx is corrupted"}
    assert (told["phase"], told["champion"], told["candidate"]) == ("shadow", "model-1", "model-a")


def test_a_candidate_that_gives_no_score_leaves_its_keys_to_the_champion(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(step("shadow"), step("canary", share=0.999)))
    bench.guards["model-a"].down = True
    found = decide(bench.pipeline, stream())
    assert {(each.model_version, each.path) for each in found} >= {("model-1", "model")}
    assert ("model-a", "model") not in {(each.model_version, each.path) for each in found}
    assert "fallback" not in {each.path for each in found}
    assert all(each.shadow is None for each in found)


def test_a_champion_by_rollout_that_gives_no_score_leaves_it_to_the_rules(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(step("shadow"), step("full")))
    bench.guards["model-a"].down = True
    assert {each.path for each in decide(bench.pipeline, stream())} == {"fallback", "rules"}


def test_a_rollback_gives_back_what_was_before_a_second_candidate(tmp_path: Path) -> None:
    steps = step("shadow"), step("full"), step("shadow", 0, B), step("full", 20, B), step("rolled-back", 40, B)
    found = decide(Bench(tmp_path, plan(*steps)).pipeline, stream())
    by = {int(each.event_id[1:]): each.model_version for each in found}
    assert {by[n] for n in range(1, 20)} == {by[n] for n in range(40, 70)} == {"model-a"}
    assert {by[n] for n in range(20, 40)} == {"model-b"}


class Submitted:
    def __init__(self) -> None:
        self.rows: list[Scored] = []

    def submit(self, rows: Scored) -> None:
        self.rows.append(rows)


def test_what_is_explained_is_explained_by_whoever_decided_it(tmp_path: Path) -> None:
    bench, submitted = Bench(tmp_path, plan(*ALL)), Submitted()
    bench.pipeline.explain_by(submitted)
    found = decide(bench.pipeline, stream())
    flagged = {each.event_id for each in found if each.path == "model" and each.outcome != "approve"}
    assert sorted(name for rows in submitted.rows for name in rows.event_ids) == sorted(flagged)
    by = {each.event_id: each.model_version for each in found}
    assert all(len({by[name] for name in rows.event_ids}) == 1 for rows in submitted.rows)
    assert len(submitted.rows) >= 3


def test_the_candidate_is_known_in_the_summary(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(step("shadow", 10), step("canary", 20)))
    told = bench.rollout.summary()
    assert (told["phase"], told["share"], told["champion"], told["candidate"]) == ("canary", 0.5, "model-1", "model-a")


def test_an_order_by_hand_reaches_the_breakers_of_every_model(tmp_path: Path) -> None:
    bench = Bench(tmp_path, plan(step("shadow"), step("full")))
    champion, candidate = (CircuitBreaker(BreakerConfig(), lambda: 0) for _ in range(2))
    loaded: Any = bench.watch.prepared.contenders
    score: Any = None  # never called
    guard = GuardedModel(lambda: Model(score), candidate, lambda: 0)
    loaded[A] = replace(loaded[A], guard=guard)
    asked = Request("127.0.0.1", "127.0.0.1:8000", "application/json", b'{"state": "forced-open"}')
    status, _ = breaker_desk(champion, bench.rollout.breakers)(asked)
    assert (status, champion.state, candidate.state) == (200, "forced-open", "forced-open")
    assert bench.rollout.summary()["models"]["model-a"]["breaker"] == "forced-open"
    metrics = {metric.name: metric for metric in RolloutMetrics(bench.rollout).collect()}
    assert {each.labels["phase"]: each.value for each in metrics["riskbench_rollout_phase"].samples} == {
        "shadow": 0, "canary": 0, "full": 1, "rolled-back": 0
    }  # fmt: skip
