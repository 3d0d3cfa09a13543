"""The decision flow: paths, counts, what is explained; the same decisions for any cut into micro-batches."""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import Thresholds
from models.calibration import UNCALIBRATED, Calibration
from models.features.batch import Vocabulary
from models.features.catalog import FEATURE_INDEX
from models.features.state import FeatureState
from models.onnx_model import ModelOutput
from scorer.assembly import rule_columns
from scorer.counters import Counters
from scorer.explaining import Scored
from scorer.guarded_model import Fallback, Guarded
from scorer.judgement import Judge
from scorer.messages import Origin
from scorer.options import Explain
from scorer.pipeline import Parts, Pipeline
from streams.codec import decode_decision, encode
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


class Collected:
    """Takes what is to be explained."""

    def __init__(self) -> None:
        self.rows: list[Scored] = []

    def submit(self, rows: Scored) -> None:
        self.rows.append(rows)

    @property
    def ids(self) -> list[str]:
        return [event_id for rows in self.rows for event_id in rows.event_ids]


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
    judge = Judge(pack, guard or FakeGuard(), UNCALIBRATED, Thresholds(0.5, 0.9))
    parts = Parts(FeatureState.empty(VOCABULARY), judge, "model-1")
    ticks = itertools.count(1_000, 7)
    return Pipeline(parts, clock_ns=lambda: next(ticks), worker="w", counters=Counters(), explain=explain)


def event(number: int, amount: float, *, time_ns: int | None = None, card: str = "card") -> CardTransaction:
    moment = 20_000 * NS_PER_DAY + number * NS_PER_HOUR if time_ns is None else time_ns
    return CardTransaction(
        event_id=f"e{number}", event_time_ns=moment, card_id=card, amount_minor=round(amount * 100), currency="EUR"
    )


def decide(pipeline: Pipeline, events: Sequence[CardTransaction], taken_ns: int = 500) -> list[Decision]:
    return list(pipeline.decide(pipeline.prepare(events), taken_ns, 40))


def test_rules_model_and_thresholds_share_the_work() -> None:
    pipeline = make_pipeline()
    found = decide(pipeline, [event(1, 10), event(2, 6_000), event(3, 1_005), event(4, 2_000)])
    assert [(d.event_id, d.outcome, d.path) for d in found] == [
        ("e1", "approve", "model"),
        ("e2", "block", "rules"),
        ("e3", "review", "model"),
        ("e4", "block", "model"),
    ]
    assert found[1].margin is None
    assert found[1].score == 0.97
    assert [[reason.code for reason in decision.reasons] for decision in found] == [[], ["HUGE"], [], []]
    assert pipeline.counters.by_path == {"rules": 1, "model": 3, "fallback": 0}
    assert pipeline.counters.by_outcome == {"approve": 1, "review": 1, "block": 2}


def taken_from(index: int) -> Origin:
    return Origin("t.events", 0, index, b"c")


def test_messages_are_decided_as_their_events_are() -> None:
    events = [event(number, 100 * number, card=f"card {number % 3}") for number in range(40)]
    by_events, by_messages = make_pipeline(), make_pipeline()
    by_messages.take([encode(events[0])], taken_from)  # the first is not believed without a look
    for begin in range(0, len(events), 7):
        part = events[begin : begin + 7]
        arrived = by_messages.take([encode(each) for each in part], taken_from)
        assert arrived.batch is not None
        assert (list(arrived.places), list(arrived.dead_letters)) == (list(range(len(part))), [])
        assert list(by_messages.decide(arrived.batch, 500, 40)) == decide(by_events, part)


def test_what_is_no_event_becomes_a_letter_and_its_neighbours_a_batch() -> None:
    pipeline = make_pipeline()
    decide(pipeline, [event(0, 1)])
    far = event(9, 1, time_ns=25_000 * NS_PER_DAY)
    arrived = pipeline.take([encode(event(1, 1)), b"{", encode(far), encode(event(2, 1))], taken_from)
    assert arrived.batch is not None
    assert (list(arrived.batch.event_ids), list(arrived.places)) == (["e1", "e2"], [0, 3])
    assert [letter.offset for letter in arrived.dead_letters] == [1, 2]
    arrived = pipeline.take([encode(event(3, 1)), encode(far)], taken_from)
    assert arrived.batch is not None
    assert (list(arrived.batch.event_ids), [letter.offset for letter in arrived.dead_letters]) == (["e3"], [1])
    assert pipeline.take([b"["], taken_from).batch is None


@given(
    amounts=st.lists(st.integers(1, 700_000), max_size=40),
    most=st.integers(1, 50),
    explain=st.sampled_from(["flagged", "all", "none"]),
)
def test_in_words_they_are_the_same_decisions(amounts: list[int], most: int, explain: Explain) -> None:
    events = [event(number, amount / 100, card=f"c{number % 3}") for number, amount in enumerate(amounts)]
    events += events[::7]
    one_by_one, in_words = make_pipeline(explain=explain), make_pipeline(explain=explain)
    said, collected = Collected(), Collected()
    one_by_one.explain_by(said)
    in_words.explain_by(collected)
    decisions = decide(one_by_one, events)
    words, found = in_words.write(in_words.prepare(events), 500, 40), list[bytes]()
    while (together := words(most)).ids:
        found += together.values
        assert not collected.rows, "explained when all of them are out"
        again = [decode_decision(value) for value in together.values]
        assert [each.event_id for each in again] == list(together.ids)
        assert {each.emitted_ns for each in again} == {together.emitted_ns}
    assert [essence(decode_decision(value)) for value in found] == [essence(each) for each in decisions]
    instants = {each.event_id: each.emitted_ns for each in map(decode_decision, found)}
    handed = [(each, at) for rows in collected.rows for each, at in zip(rows.event_ids, rows.decided_ns, strict=True)]
    assert handed == [(each, instants[each]) for each in said.ids]
    assert in_words.counters.decided == one_by_one.counters.decided == len(amounts)


def test_a_score_is_the_logistic_function_of_its_margin_in_double() -> None:
    (first,) = decide(make_pipeline(), [event(1, 123.45)])
    margin = first.margin
    assert margin is not None
    assert margin == float(np.float32(margin))
    assert first.score == pytest.approx(1 / (1 + np.exp(-margin)), rel=1e-15)


def test_scores_are_calibrated_before_they_meet_the_thresholds() -> None:
    pack: Any = FakePack()
    halved = Calibration("platt", 0.5, 0.5, -1.0)
    judge = Judge(pack, FakeGuard(), halved, Thresholds(0.5, 0.9))
    verdicts, judged = judge.decide(np.full((1, len(FEATURE_INDEX)), 1_100, np.float32))
    assert verdicts.outcome.tolist() == [0]
    assert judged.margin.tolist() == [1.0]
    assert judged.score.tolist() == [pytest.approx(1 / (1 + np.exp(0.5)))]
    assert judged.outcome.tolist() == [1]


def test_stamps_and_stages_follow_the_clock() -> None:
    first, second = decide(make_pipeline(), [event(1, 10), event(2, 2_000)], taken_ns=500)
    assert first.taken_ns == second.taken_ns == 500
    assert (first.emitted_ns or 0) < (second.emitted_ns or 0)
    assert set(first.stages_ns) == {"features", "rules", "model", "table_wait"}
    assert first.stages_ns["table_wait"] == 40


def test_what_is_handed_over_is_what_the_model_saw_and_when_it_was_decided() -> None:
    pipeline, collected = make_pipeline(), Collected()
    pipeline.explain_by(collected)
    decisions = decide(pipeline, [event(1, 10), event(2, 2_000), event(3, 6_000), event(4, 1_500)])
    (rows,) = collected.rows
    assert rows.event_ids == ["e2", "e4"]
    assert rows.values[:, AMOUNT].tolist() == [2_000, 1_500]
    assert rows.decided_ns == [decisions[1].emitted_ns, decisions[3].emitted_ns]


def test_features_are_the_row_the_model_saw() -> None:
    (first,) = decide(make_pipeline(), [event(1, 12.5)])
    row = np.frombuffer(first.features or b"", "<f4")
    assert len(row) == len(FEATURE_INDEX)
    assert row[AMOUNT] == np.float32(12.5)


def test_without_a_model_the_rules_fall_back() -> None:
    pipeline = make_pipeline(FakeGuard(down=True))
    first = decide(pipeline, [event(1, 10), event(2, 6_000)])
    assert [(d.outcome, d.path, d.score, d.margin) for d in first] == [
        ("review", "fallback", 0.6, None),
        ("block", "rules", 0.97, None),
    ]
    assert pipeline.counters.by_path["fallback"] == 1


def test_the_model_is_not_asked_when_the_rules_decide_everything() -> None:
    guard = FakeGuard()
    decide(make_pipeline(guard), [event(1, 6_000)])
    assert guard.rows == []


@pytest.mark.parametrize(("explain", "explained"), [("flagged", {"e2"}), ("all", {"e1", "e2"}), ("none", set())])
def test_whose_scores_are_explained(explain: Explain, explained: set[str]) -> None:
    pipeline, collected = make_pipeline(explain=explain), Collected()
    pipeline.explain_by(collected)
    decide(pipeline, [event(1, 10), event(2, 2_000), event(3, 6_000)])
    assert set(collected.ids) == explained


def test_what_fell_back_has_no_score_to_explain() -> None:
    pipeline, collected = make_pipeline(FakeGuard(down=True), explain="all"), Collected()
    pipeline.explain_by(collected)
    decide(pipeline, [event(1, 10)])
    assert collected.rows == []


def test_asked_for_all_also_an_approval_says_which_rules_fired() -> None:
    seen: list[int] = []
    pipeline = make_pipeline(explain="all")
    pack: Any = pipeline._parts.judge.pack

    def reasons(fired: np.ndarray, values: np.ndarray) -> list[Reason]:
        seen.append(len(fired))
        return []

    pack.reasons = reasons
    decide(pipeline, [event(1, 10)])
    assert len(seen) == 1


def test_a_repeated_event_gets_no_second_decision() -> None:
    pipeline = make_pipeline()
    assert len(decide(pipeline, [event(1, 10), event(2, 10), event(1, 10)])) == 2
    assert decide(pipeline, [event(2, 10)]) == []
    assert (pipeline.counters.taken, pipeline.counters.decided, pipeline.counters.repeated) == (4, 2, 2)


def test_late_events_are_counted_and_decided() -> None:
    pipeline = make_pipeline()
    start = 20_000 * NS_PER_DAY
    times = [start, start - NS_PER_HOUR, start - 3 * NS_PER_DAY]
    found = decide(pipeline, [event(number, 10, time_ns=time) for number, time in enumerate(times)])
    assert len(found) == 3
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
    whole = {d.event_id: essence(d) for d in decide(make_pipeline(), events)}
    pipeline = make_pipeline()
    bounds = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
    parts = [events[low:high] for low, high in itertools.pairwise(bounds)]
    found = [essence(d) for part in parts for d in decide(pipeline, part)]
    assert {d.event_id: d for d in found} == whole
    assert len(found) == len(whole)


def test_rule_columns_are_the_catalogue_with_the_bundles_words() -> None:
    columns = rule_columns(VOCABULARY)
    assert [column.name for column in columns] == list(FEATURE_INDEX)
    assert columns[FEATURE_INDEX["category_code"]].categories == ("books", "fuel")


@pytest.mark.parametrize("amounts", [(10, 20), (10, 6_000, 20)])
def test_an_overdue_call_is_told_with_its_own_rows_and_their_events(amounts: tuple[int, ...]) -> None:
    """Late scores are recognised by the very rows of the call; what the rules decided is none of them."""
    called: list[np.ndarray] = []
    told: list[tuple[np.ndarray, list[str]]] = []

    class Overdue(FakeGuard):
        def score(self, values: np.ndarray) -> Guarded:
            called.append(values)
            return Guarded(None, Fallback("overdue", "no score within 2 s"))

    class Keeper:
        def expect(self, rows: np.ndarray, event_ids: Sequence[str]) -> None:
            told.append((rows, list(event_ids)))

    pipeline = make_pipeline(Overdue())
    pipeline.keep_late_scores(Keeper())
    found = decide(pipeline, [event(number, amount) for number, amount in enumerate(amounts)])
    assert told[0][0] is called[0]
    assert told[0][1] == [decision.event_id for decision in found if decision.path == "fallback"]
    assert len(told) == 1
