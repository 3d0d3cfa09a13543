"""The decision flow: paths, waves, counts; the same decisions for any cut into micro-batches."""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import Thresholds
from models.features.batch import Vocabulary
from models.features.catalog import FEATURE_INDEX
from models.features.state import FeatureState
from models.onnx_model import ModelOutput
from scorer.assembly import rule_columns
from scorer.counters import Counters
from scorer.guarded_model import Fallback, Guarded
from scorer.options import Explain
from scorer.pipeline import Parts, Pipeline
from streams.decision import Decision, Reason
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.transaction import CardTransaction

VOCABULARY = Vocabulary(("books", "fuel"), ("chip", "online"))
AMOUNT = FEATURE_INDEX["amount"]


class FakeGuard:
    """A model whose margin is the amount over 100, minus 10; or no model at all."""

    def __init__(self, down: bool = False) -> None:
        self.down = down
        self.rows: list[int] = []

    def score(self, values: np.ndarray) -> Guarded:
        self.rows.append(len(values))
        if self.down:
            return Guarded(None, Fallback("open", "the breaker is open"))
        margin = (values[:, AMOUNT] / np.float32(100) - np.float32(10)).astype(np.float32)
        return Guarded(ModelOutput(margin, np.zeros(len(values), np.float32)))


class FakeContributions:
    def reasons(self, values: np.ndarray, reconstruction_error: np.ndarray, top: int) -> list[list[Reason]]:
        return [
            [Reason(code="amount", text=f"amount is {row[AMOUNT]}", kind="feature", contribution=1.0)][:top]
            for row in values
        ]


class FakePack:
    """Blocks amounts over 5,000; falls back on review."""

    version = "rules-1"

    def decide(self, values: np.ndarray) -> Any:
        huge = values[:, AMOUNT] > 5_000
        outcome = np.where(huge, 3, 0).astype(np.int8)
        return _Verdicts(outcome, np.where(huge, 0, -1).astype(np.int16), huge[:, None], np.where(huge, 0.97, 0.0))

    def fallback(self, verdicts: Any) -> tuple[np.ndarray, np.ndarray]:
        escalated = verdicts.outcome == 0
        return np.where(escalated, 2, verdicts.outcome).astype(np.int8), np.where(escalated, 0.6, verdicts.score)

    def reasons(self, fired_row: np.ndarray, values_row: np.ndarray) -> list[Reason]:
        return [Reason(code="HUGE", text="huge", kind="rule")] if fired_row[0] else []


class _Verdicts:
    def __init__(self, outcome: np.ndarray, deciding: np.ndarray, fired: np.ndarray, score: np.ndarray) -> None:
        self.outcome, self.deciding, self.fired, self.score = outcome, deciding, fired, score


def make_pipeline(guard: FakeGuard | None = None, explain: Explain = "flagged") -> Pipeline:
    pack: Any = FakePack()
    parts = Parts(
        FeatureState.empty(VOCABULARY), pack, guard or FakeGuard(), FakeContributions(), Thresholds(0.5, 0.9), "model-1"
    )
    ticks = itertools.count(1_000, 7)
    return Pipeline(parts, clock_ns=lambda: next(ticks), worker="w", counters=Counters(), explain=explain)


def event(number: int, amount: float, *, time_ns: int | None = None, card: str = "card") -> CardTransaction:
    moment = 20_000 * NS_PER_DAY + number * NS_PER_HOUR if time_ns is None else time_ns
    return CardTransaction(
        event_id=f"e{number}", event_time_ns=moment, card_id=card, amount_minor=round(amount * 100), currency="EUR"
    )


def waves(pipeline: Pipeline, events: Sequence[CardTransaction], taken_ns: int = 500) -> list[list[Decision]]:
    return [list(wave) for wave in pipeline.decide(pipeline.prepare(events), taken_ns, 40)]


def test_rules_model_and_thresholds_share_the_work() -> None:
    pipeline = make_pipeline()
    first, second = waves(pipeline, [event(1, 10), event(2, 6_000), event(3, 1_005), event(4, 2_000)])
    assert [(d.event_id, d.outcome, d.path) for d in first] == [
        ("e1", "approve", "model"),
        ("e2", "block", "rules"),
    ]
    assert [(d.event_id, d.outcome, d.path) for d in second] == [("e3", "review", "model"), ("e4", "block", "model")]
    assert first[1].margin is None
    assert first[1].score == 0.97
    assert [reason.code for reason in first[1].reasons] == ["HUGE"]
    assert [reason.code for reason in second[0].reasons] == ["amount"]
    assert pipeline.counters.by_path == {"rules": 1, "model": 3, "fallback": 0}
    assert pipeline.counters.by_outcome == {"approve": 1, "review": 1, "block": 2}


def test_a_score_is_the_logistic_function_of_its_margin_in_double() -> None:
    (first,) = waves(make_pipeline(), [event(1, 123.45)])
    margin = first[0].margin
    assert margin is not None
    assert margin == float(np.float32(margin))
    assert first[0].score == pytest.approx(1 / (1 + np.exp(-margin)), rel=1e-15)


def test_stamps_and_stages_follow_the_clock() -> None:
    first, second = waves(make_pipeline(), [event(1, 10), event(2, 2_000)], taken_ns=500)
    assert first[0].taken_ns == second[0].taken_ns == 500
    assert (first[0].emitted_ns or 0) < (second[0].emitted_ns or 0)
    assert set(first[0].stages_ns) == {"features", "rules", "model", "table_wait"}
    assert set(second[0].stages_ns) == {"features", "rules", "model", "table_wait", "explain"}
    assert first[0].stages_ns["table_wait"] == 40


def test_features_are_the_row_the_model_saw() -> None:
    (first,) = waves(make_pipeline(), [event(1, 12.5)])
    row = np.frombuffer(first[0].features or b"", "<f4")
    assert len(row) == len(FEATURE_INDEX)
    assert row[AMOUNT] == np.float32(12.5)


def test_without_a_model_the_rules_fall_back() -> None:
    pipeline = make_pipeline(FakeGuard(down=True))
    (first,) = waves(pipeline, [event(1, 10), event(2, 6_000)])
    assert [(d.outcome, d.path, d.score, d.margin) for d in first] == [
        ("review", "fallback", 0.6, None),
        ("block", "rules", 0.97, None),
    ]
    assert pipeline.counters.by_path["fallback"] == 1


def test_the_model_is_not_asked_when_the_rules_decide_everything() -> None:
    guard = FakeGuard()
    waves(make_pipeline(guard), [event(1, 6_000)])
    assert guard.rows == []


@pytest.mark.parametrize(("explain", "explained"), [("flagged", {"e2"}), ("all", {"e1", "e2"}), ("none", set())])
def test_whose_scores_are_explained(explain: Explain, explained: set[str]) -> None:
    found = itertools.chain(*waves(make_pipeline(explain=explain), [event(1, 10), event(2, 2_000)]))
    assert {d.event_id for d in found if any(reason.kind == "feature" for reason in d.reasons)} == explained


def test_a_repeated_event_gets_no_second_decision() -> None:
    pipeline = make_pipeline()
    assert len(waves(pipeline, [event(1, 10), event(2, 10), event(1, 10)])[0]) == 2
    assert waves(pipeline, [event(2, 10)]) == [[]]
    assert (pipeline.counters.taken, pipeline.counters.decided, pipeline.counters.repeated) == (4, 2, 2)


def test_late_events_are_counted_and_decided() -> None:
    pipeline = make_pipeline()
    start = 20_000 * NS_PER_DAY
    times = [start, start - NS_PER_HOUR, start - 3 * NS_PER_DAY]
    found = waves(pipeline, [event(number, 10, time_ns=time) for number, time in enumerate(times)])
    assert len(found[0]) == 3
    assert (pipeline.counters.late, pipeline.counters.too_late) == (1, 1)


def essence(decision: Decision) -> Decision:
    return msgspec.structs.replace(decision, taken_ns=None, emitted_ns=None, stages_ns={})


@given(
    amounts=st.lists(st.integers(1, 700_000), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=6),
    cards=st.integers(1, 4),
)
def test_any_cut_into_micro_batches_decides_the_same(amounts: list[int], cuts: list[int], cards: int) -> None:
    events = [event(number, amount / 100, card=f"c{number % cards}") for number, amount in enumerate(amounts)]
    events += events[::5]
    whole = {d.event_id: essence(d) for wave in waves(make_pipeline(), events) for d in wave}
    pipeline = make_pipeline()
    bounds = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
    parts = [events[low:high] for low, high in itertools.pairwise(bounds)]
    found = [essence(d) for part in parts for wave in waves(pipeline, part) for d in wave]
    assert {d.event_id: d for d in found} == whole
    assert len(found) == len(whole)


def test_rule_columns_are_the_catalogue_with_the_bundles_words() -> None:
    columns = rule_columns(VOCABULARY)
    assert [column.name for column in columns] == list(FEATURE_INDEX)
    assert columns[FEATURE_INDEX["category_code"]].categories == ("books", "fuel")
