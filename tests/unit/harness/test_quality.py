"""Quality measures against slow, obviously right oracles and scikit-learn."""

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from harness.quality import known_compromised, measure_quality
from harness.quality.cards import card_precision, lift
from harness.quality.curves import average_precision, precision_recall, roc_auc, thin
from harness.quality.scored import gather
from streams.errors import BadInputError
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.transaction import TRANSACTION_SCHEMA

Row = dict[str, Any]


def row(card: str, day: int, fraud: bool, score: float | None, **more: Any) -> Row:
    """One event with its label and decision; a score of None: lost."""
    return {"card": card, "day": day, "fraud": fraud, "score": score, "path": "model", "amount": 100, **more}


def tables(rows: list[Row]) -> tuple[pa.Table, pa.Table, pa.Table]:
    """(decisions, events, labels) of rows."""
    ids = [f"e{index}" for index in range(len(rows))]
    events = {
        "event_id": ids,
        "event_time_ns": [r["day"] * NS_PER_DAY + index for index, r in enumerate(rows)],
        "card_id": [r["card"] for r in rows],
        "amount_minor": [r["amount"] for r in rows],
        "currency": ["EUR"] * len(rows),
    }
    empty: dict[str, Any] = {field.name: [None] * len(rows) for field in TRANSACTION_SCHEMA if field.name not in events}
    labels = {
        "event_id": ids,
        "is_fraud": [r["fraud"] for r in rows],
        "scenario": [r.get("scenario") for r in rows],
        "look_alike": [r.get("look_alike") for r in rows],
        "reported_at_ns": [None] * len(rows),
    }
    answered = [(name, r) for name, r in zip(ids, rows, strict=True) if r["score"] is not None]
    decisions = pa.table(
        {
            "event_id": pa.array([name for name, _ in answered], pa.string()),
            "status": pa.array(["decided"] * len(answered), pa.string()).dictionary_encode(),
            "outcome": pa.array([outcome(r) for _, r in answered], pa.string()).dictionary_encode(),
            "score": pa.array([r["score"] for _, r in answered], pa.float64()),
            "path": pa.array([r["path"] for _, r in answered], pa.string()).dictionary_encode(),
            "response_ns": pa.array([r.get("response_ms", 5) * 1_000_000 for _, r in answered], pa.int64()),
        }
    )
    return decisions, pa.table({**events, **empty}, schema=TRANSACTION_SCHEMA), pa.table(labels, schema=LABEL_SCHEMA)


def outcome(r: Row) -> str:
    return str(r.get("outcome") or ("review" if r["score"] >= 0.5 else "approve"))


def oracle_card_precision(rows: list[Row], k: int) -> list[float]:
    """Card precision@K per day, card by card, in plain Python; scores must be distinct."""
    known: set[str] = set()
    found = []
    for day in sorted({r["day"] for r in rows}):
        suspicion: dict[str, float] = defaultdict(lambda: -1.0)
        compromised = set()
        for r in rows:
            if r["day"] == day and r["card"] not in known:
                suspicion[r["card"]] = max(suspicion[r["card"]], -1.0 if r["score"] is None else r["score"])
                if r["fraud"]:
                    compromised.add(r["card"])
        ranked = sorted((card for card in suspicion if suspicion[card] >= 0), key=lambda card: -suspicion[card])[:k]
        hits = [card for card in ranked if card in compromised]
        known.update(hits)
        found.append(len(hits) / k)
    return found


def random_rows(seed: int, size: int, lost: float = 0.1) -> list[Row]:
    random = np.random.default_rng(seed)
    scores = random.permutation(size) / size
    return [
        row(
            f"c{random.integers(0, max(2, size // 4))}",
            int(random.integers(100, 105)),
            bool(random.random() < 0.2 + 0.3 * score),
            None if random.random() < lost else float(score),
        )
        for score in scores
    ]


@given(seed=st.integers(0, 10_000), size=st.integers(1, 120), k=st.integers(1, 30))
def test_card_precision_equals_the_slow_oracle(seed: int, size: int, k: int) -> None:
    rows = random_rows(seed, size)
    days = card_precision(gather(*tables(rows)), k)
    assert [day.precision for day in days] == pytest.approx(oracle_card_precision(rows, k))
    assert all(day.precision <= day.ceiling + 1e-12 for day in days)


@given(seed=st.integers(0, 10_000), size=st.integers(2, 80), k=st.integers(1, 10))
def test_the_order_of_events_does_not_matter_even_with_ties(seed: int, size: int, k: int) -> None:
    rows = [{**r, "score": None if r["score"] is None else round(r["score"], 1)} for r in random_rows(seed, size)]
    shuffled = [rows[index] for index in np.random.default_rng(seed + 1).permutation(size)]
    ours = card_precision(gather(*tables(rows)), k)
    assert [d.found for d in card_precision(gather(*tables(shuffled)), k)] == [d.found for d in ours]


def test_ties_at_the_last_place_are_taken_without_regard_to_labels() -> None:
    """Forty equal cards, ten of them compromised: over many days, K = 10 finds a quarter of what it takes."""
    rows = [row(f"c{day}-{card}", day, card < 10, 0.7) for day in range(200) for card in range(40)]
    assert measure_quality(*tables(rows), k=10).to_dict()["precision_at_k"] == pytest.approx(0.25, abs=0.03)


def test_a_card_found_on_one_day_is_left_out_on_the_next() -> None:
    rows = [row("a", 1, True, 0.9), row("b", 1, False, 0.1), row("a", 2, True, 0.9), row("b", 2, True, 0.8)]
    days = card_precision(gather(*tables(rows)), 1)
    assert [(day.cards, day.compromised, day.found) for day in days] == [(2, 1, 1), (1, 1, 1)]
    assert [day.day for day in days] == ["1970-01-02", "1970-01-03"]


def test_ceiling_is_what_is_there_to_find() -> None:
    rows = [row(f"c{card}", 1, card < 3, 0.1) for card in range(50)]
    assert [day.ceiling for day in card_precision(gather(*tables(rows)), 10)] == [pytest.approx(0.3)]
    assert [day.ceiling for day in card_precision(gather(*tables(rows)), 2)] == [1.0]


def test_lift_of_a_random_ranking_is_one_and_of_the_best_its_inverse_share() -> None:
    rows = [row(f"c{card}", 1, card < 5, 0.99 if card < 5 else card / 1000) for card in range(100)]
    assert lift(card_precision(gather(*tables(rows)), 5), 5) == pytest.approx(20)
    assert lift(card_precision(gather(*tables(rows)), 100), 100) == pytest.approx(1)


@given(seed=st.integers(0, 10_000), size=st.integers(2, 200), ties=st.booleans())
def test_curves_equal_scikit_learn(seed: int, size: int, ties: bool) -> None:
    random = np.random.default_rng(seed)
    score = random.random(size).round(1 if ties else 9)
    fraud = random.random(size) < 0.3
    if not fraud.any() or fraud.all():
        return
    assert roc_auc(fraud, score) == pytest.approx(roc_auc_score(fraud, score))
    assert average_precision(fraud, score) == pytest.approx(average_precision_score(fraud, score))


def test_curves_without_a_class_are_undefined() -> None:
    nothing, everything = np.zeros(3, bool), np.ones(3, bool)
    assert average_precision(nothing, np.arange(3.0)) is None
    assert roc_auc(nothing, np.arange(3.0)) is None
    assert roc_auc(everything, np.arange(3.0)) is None


def test_a_thinned_curve_keeps_its_ends() -> None:
    random = np.random.default_rng(3)
    curve = precision_recall(random.random(5_000) < 0.4, random.random(5_000))
    assert curve is not None
    points = thin(curve, 50)
    assert len(points) <= 50
    assert points[-1][0] == 1.0
    assert [p[0] for p in points] == sorted(p[0] for p in points)


def test_lost_events_rank_last_and_are_never_flagged() -> None:
    rows = [row("a", 1, True, None), row("b", 1, True, 0.9), row("c", 1, False, 0.1), row("d", 1, False, None)]
    values = measure_quality(*tables(rows), k=4).to_dict()
    assert values["lost"] == 2
    assert values["recall"] == 0.5
    assert values["precision_at_k"] == 0.25
    assert values["false_positive_rate"] == 0
    assert values["pr_auc"] == pytest.approx(average_precision_score([1, 1, 0, 0], [-1, 0.9, 0.1, -1]))


def test_decisions_after_the_deadline_are_not_ranked() -> None:
    rows = [row("a", 1, True, 0.9, response_ms=1500), row("b", 1, True, 0.8), row("c", 1, False, 0.1)]
    values = measure_quality(*tables(rows), k=2, deadline_ms=1000).to_dict()
    assert (values["precision_at_k"], values["precision_at_k_deadline"], values["late_for_deadline"]) == (1.0, 0.5, 1)
    assert measure_quality(*tables(rows), k=2).to_dict()["precision_at_k_deadline"] is None


def test_threshold_measures_by_scenario_look_alike_money_and_path() -> None:
    rows = [
        row("a", 1, True, 0.9, scenario="stolen", amount=900, path="rules", outcome="block"),
        row("b", 1, True, 0.2, scenario="stolen", amount=100),
        row("c", 1, True, 0.6, scenario="testing", amount=1),
        row("d", 1, False, 0.7, look_alike="travel"),
        row("d", 1, False, 0.1, look_alike="travel"),
        row("e", 1, False, 0.1, path="fallback"),
    ]
    values = measure_quality(*tables(rows), k=3).to_dict()
    assert values["recall"] == pytest.approx(2 / 3)
    assert values["recall_amount"] == pytest.approx(901 / 1001)
    assert values["recall_by_scenario"] == {"stolen": 0.5, "testing": 1.0}
    assert values["scenarios"]["stolen"]["recall_amount"] == pytest.approx(0.9)
    assert values["look_alikes"] == {"travel": {"events": 2, "flagged": 1, "false_positive_rate": 0.5}}
    assert values["false_positive_rate"] == pytest.approx(1 / 3)
    assert values["false_positive_rate_cards"] == pytest.approx(1 / 2)
    assert values["precision"] == pytest.approx(2 / 3)
    paths = values["by_path"]
    assert [paths[p]["events"] for p in ("rules", "model", "fallback")] == [1, 4, 1]
    assert (paths["rules"]["recall"], paths["model"]["recall"], paths["fallback"]["recall"]) == (1.0, 0.5, None)
    assert paths["rules"]["recall_of_all"] == pytest.approx(1 / 3)


def test_excluded_events_count_nowhere() -> None:
    rows = [row("a", 1, True, 0.1), row("b", 1, True, 0.9), row("c", 1, False, 0.2)]
    values = measure_quality(*tables(rows), k=1, excluded=np.array([True, False, False])).to_dict()
    assert (values["events"], values["frauds"], values["excluded"], values["recall"]) == (2, 1, 1, 1.0)


def test_everything_lost_and_nothing_at_all_are_measured_too() -> None:
    lost = measure_quality(*tables([row("a", 1, True, None), row("b", 1, False, None)]), k=1).to_dict()
    assert (lost["precision_at_k"], lost["recall"], lost["lost"]) == (0.0, 0.0, 2)
    empty = measure_quality(*tables([]), k=1).to_dict()
    assert (empty["precision_at_k"], empty["recall"], empty["pr_auc"], empty["days"]) == (None, None, None, [])


def test_an_event_without_label_is_refused() -> None:
    decisions, events, labels = tables([row("a", 1, True, 0.9), row("b", 1, False, 0.1)])
    with pytest.raises(BadInputError, match=r"1 events have no label; the first is 'e1'"):
        measure_quality(decisions, events, labels.slice(0, 1), k=1)


def test_decisions_may_come_in_any_order_and_chunks() -> None:
    decisions, events, labels = tables(random_rows(5, 60))
    expected = measure_quality(decisions, events, labels, k=5).to_dict()
    order = np.random.default_rng(1).permutation(len(decisions))
    shuffled = decisions.take(order)
    chunked = pa.concat_tables([shuffled.slice(0, 7), shuffled.slice(7)])
    assert measure_quality(chunked, events, labels, k=5).to_dict() == expected


def oracle_known(rows: list[Row], since: int, delay: int) -> list[bool]:
    return [
        any(f["card"] == r["card"] and f["fraud"] and since <= f["day"] <= r["day"] - delay - 1 for f in rows)
        for r in rows
    ]


@given(seed=st.integers(0, 5_000), since=st.integers(98, 106), delay=st.integers(0, 4))
def test_known_compromised_equals_the_slow_oracle(seed: int, since: int, delay: int) -> None:
    rows = random_rows(seed, 60)
    _, events, labels = tables(rows)
    expected = oracle_known(rows, since, delay)
    assert known_compromised(events, labels, since * NS_PER_DAY, delay).tolist() == expected
    chunked = pa.concat_tables([events.slice(0, 20), events.slice(20)])
    assert known_compromised(chunked, labels, since * NS_PER_DAY, delay).tolist() == expected
    assert known_compromised(events.slice(0, 0), labels.slice(0, 0), 0, 0).tolist() == []
