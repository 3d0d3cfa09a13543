"""Recall by pattern, customer, typology and market; budgets, time to detect, stability, and the whole."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from harness.aml.budgets import rank_all
from harness.aml.measure import Asked, measure_aml
from harness.aml.ranking import customer_scores, day_end_ns
from harness.aml.recall import found_patterns, pattern_recall
from harness.aml.stability import market_references, psi_by_market, psi_max
from harness.aml.truth import NEVER, Truth, truth_of
from harness.quality.intervals import wilson
from streams.labels import NS_PER_DAY
from tests.unit.harness.aml.made import (
    DAY,
    Sent,
    accounts,
    at,
    laundering,
    members,
    scored,
    small_truth,
    transfers,
)


def instants(truth: Truth, **found: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([found.get(name, NEVER) for name in truth.customer_names])


def test_any_member_and_half_of_them() -> None:
    truth = small_truth()
    found = pattern_recall(truth, instants(truth, a=at(3)))
    assert (found.overall.recall, found.overall.recall_half) == (0.5, 0.0)
    assert found.overall.customer_recall == 1 / 5
    found = pattern_recall(truth, instants(truth, a=at(3), b=at(3), d=at(3)))
    assert (found.overall.recall, found.overall.recall_half) == (1.0, 1.0)
    assert found.overall.recall_low == wilson(2, 2)["low"]
    assert (found.by_typology["cycle"].patterns, found.by_typology["cycle"].customers) == (1, 2)
    assert found.by_typology["cycle"].customer_recall == 0.5
    assert set(found.by_typology) == {"cycle", "fan_in"}
    assert found.by_market["NL"].customers == 2
    assert found.by_market["NL"].patterns == 0
    assert found.by_market["NL"].recall is None
    assert found.by_market["BE"].recall == 1.0


def test_a_member_found_before_it_took_part_stands_for_nothing() -> None:
    truth = small_truth()
    assert not found_patterns(truth, instants(truth, c=at(0, 5))).any_member.any()
    assert found_patterns(truth, instants(truth, c=at(1, 5))).any_member.tolist() == [True, False]


def test_the_ranking_of_all_puts_the_unscored_last() -> None:
    truth = small_truth()
    best, order = rank_all(customer_scores(scored(("a", 0, 1, 0.0), ("d", 1, 1, 0.5), ("a", 2, 1, 0.2)), truth), truth)
    assert [truth.customer_names[place] for place in order[:2]] == ["d", "a"]
    assert best[order[0]] > best[order[1]] > 0.0
    assert best[order[2]] == -1.0


def test_time_to_detect_counts_those_never_found() -> None:
    table = scored(("a", 1, 3, 0.9), ("shop", 0, 3, 0.4))
    truth = small_truth()
    found = measure_aml(table, truth, Asked(k=1)).aml.time_to_detect
    hours = (day_end_ns(DAY + 1) - at(0, 2)) / 3.6e12
    assert (found.patterns, found.found) == (2, 1)
    assert found.p50_h == pytest.approx(hours)
    assert found.p90_h is None
    assert found.within_days == {"1": 0.0, "3": 0.5, "7": 0.5, "14": 0.5, "30": 0.5}
    assert found.while_active == 0.0


def crowd(customers: int = 600, patterns: int = 12, days: int = 6, seed: int = 5) -> tuple[Truth, pa.Table]:
    """Many customers in two markets; launderers score higher, not always."""
    rng = np.random.default_rng(seed)
    names = {f"c{n}": ("BE", "NL")[n % 2] for n in range(customers)}
    everyone = list(names)
    sent = [
        Sent(int(rng.integers(days)), float(rng.random() * 24), name, everyone[int(rng.integers(customers))])
        for name in everyone
    ]
    typology = {number: ("fan_in", "cycle", "untyped")[number % 3] for number in range(patterns)}
    belong = {number: [f"c{3 * number + step}" for step in range(3)] for number in range(patterns)}
    for number, names_of in belong.items():
        day = int(rng.integers(days - 2))
        sent += [Sent(day, 5, names_of[0], names_of[1], number), Sent(day + 1, 6, names_of[1], names_of[2], number)]
    sent.sort(key=lambda row: (row.day, row.hour))
    truth = truth_of(transfers(sent), laundering(sent, typology), accounts(names), members(belong, typology))
    since = dict(zip(truth.customer_names, truth.suspicious_from_ns.tolist(), strict=True))
    rows = []
    for name in truth.customer_names:
        for day in range(days):
            guilty = since[name] <= day_end_ns(DAY + day)
            rows.append((name, day, 23.5, float(np.clip(rng.normal(0.6 if guilty else 0.3, 0.12), 0, 1))))
    return truth, scored(*rows)


def test_the_whole_of_a_crowd() -> None:
    truth, table = crowd()
    found = measure_aml(table, truth, Asked(k=10, k_share=0.08, seed=1))
    assert [budget.share for budget in found.aml.budgets] == [0.01, 0.02, 0.05, 0.08, 0.1]
    for smaller, larger in zip(found.aml.budgets, found.aml.budgets[1:], strict=False):
        assert smaller.recall.overall.found <= larger.recall.overall.found
    budget = found.aml.budgets[3]
    assert budget.customers == 48
    assert found.quality["pattern_recall"] == budget.recall.overall.recall
    assert budget.lift.value == pytest.approx((budget.precision.value or 0) / (36 / 600))
    for figure in (budget.precision, budget.lift, found.aml.worklists.precision, found.aml.worklists.lift):
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= (figure.value or 0) <= figure.high
    assert found.quality["lift_at_k"] > 2
    assert found.quality["precision_at_k"] <= found.quality["precision_at_k_ceiling"] <= 1
    assert found.quality["intervals"]["pr_auc"]["low"] < found.quality["pr_auc"]
    again = measure_aml(table, truth, Asked(k=10, k_share=0.08, seed=1))
    assert msgspec.json.encode(again.aml) == msgspec.json.encode(found.aml)
    assert again.quality == found.quality


def test_scores_that_know_nothing_are_worth_nothing() -> None:
    truth, table = crowd(customers=2_000, patterns=60)
    shuffled = np.random.default_rng(0).permutation(table["score"].to_numpy())
    found = measure_aml(table.set_column(2, "score", pa.array(shuffled)), truth, Asked(k=20))
    assert found.aml.budgets[-1].lift.value == pytest.approx(1, abs=0.5)
    assert found.quality["lift_at_k"] == pytest.approx(1, abs=0.6)
    assert found.quality["roc_auc"] == pytest.approx(0.5, abs=0.07)


def test_nothing_scored_is_nothing_found() -> None:
    truth = small_truth()
    empty = scored(("a", 0, 1, 0.5)).slice(0, 0)
    found = measure_aml(empty, truth, Asked(k=3))
    assert found.quality["precision_at_k"] is None
    assert found.quality["pattern_recall"] == 0.0
    assert found.aml.worklists.precision.low is None


def test_a_stream_without_laundering_has_no_recall() -> None:
    sent = [Sent(0, hour, "a", "b") for hour in range(5)]
    truth = truth_of(transfers(sent), laundering(sent, {}), accounts({"a": "BE", "b": "BE"}), members({}, {}))
    found = measure_aml(scored(("a", 0, 1, 0.5)), truth, Asked(k=3))
    assert found.quality["pattern_recall"] is None
    assert found.quality["pr_auc"] is None
    assert found.quality["lift_at_k"] is None
    assert found.aml.time_to_detect.p50_h is None


def test_psi_by_market_sees_the_market_that_moved() -> None:
    truth, table = crowd()
    scores = customer_scores(table, truth)
    reference = market_references(scores, truth)
    assert set(reference) == {"BE", "NL"}
    assert psi_max(psi_by_market(scores, truth, reference)) == pytest.approx(0, abs=1e-9)
    values = table["score"].to_numpy().copy()
    dutch = np.array([int(name[1:]) % 2 == 1 for name in table["customer_id"].to_pylist()])
    values[dutch] = np.clip(values[dutch] + 0.2, 0, 1)
    moved = customer_scores(table.set_column(2, "score", pa.array(values)), truth)
    found = psi_by_market(moved, truth, reference)
    assert found["BE"].status == "stable"
    assert found["NL"].status == "drift"
    assert psi_max(found) == found["NL"].value
    few = psi_by_market(moved, truth, reference, scores_min=10_000)
    assert psi_max(few) is None
    assert {row.status for row in few.values()} == {"unknown"}


def test_days_without_a_transfer_have_a_worklist_too() -> None:
    sent = [Sent(0, 1, "a", "b"), Sent(4, 1, "a", "b")]
    truth = truth_of(transfers(sent), laundering(sent, {}), accounts({"a": "BE", "b": "BE"}), members({}, {}))
    found = measure_aml(scored(("a", 0, 1, 0.5), ("b", 0, 1, 0.4)), truth, Asked(k=1)).aml.worklists
    assert [day.listed for day in found.days] == [1, 1, 0, 0, 0]
    assert truth.last_day - truth.first_day == 4
    assert truth.first_day == at(0) // NS_PER_DAY
