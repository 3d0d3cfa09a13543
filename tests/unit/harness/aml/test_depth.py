"""Precision and recall over the depth of the ranking, against counting by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.aml.budgets import rank_all
from harness.aml.depth import POINTS_MAX, depths
from harness.aml.measure import Asked, measure_aml
from harness.aml.ranking import customer_scores
from tests.unit.harness.aml.made import scored, small_truth

NAMES = small_truth().customer_names


@given(st.lists(st.floats(0.001, 0.999), min_size=len(NAMES), max_size=len(NAMES)))
def test_each_depth_is_what_counting_gives(values: list[float]) -> None:
    truth = small_truth()
    table = scored(*((name, 3, 1.0, value) for name, value in zip(NAMES, values, strict=True)))
    best, order = rank_all(customer_scores(table, truth), truth)
    suspicious, patterns = truth.is_suspicious, len(truth.patterns)
    found = depths(truth, best, order)
    assert [each.customers for each in found] == list(range(1, len(NAMES) + 1))
    for each in found:
        top = set(order[: each.customers].tolist())
        hits = int(suspicious[list(top)].sum())
        known = {p for p, c in zip(truth.member_pattern, truth.member_customer, strict=True) if int(c) in top}
        assert each.precision == hits / each.customers
        assert each.customer_recall == hits / suspicious.sum()
        assert each.pattern_recall == len(known) / patterns


def test_it_goes_as_deep_as_there_are_scores_and_agrees_with_the_budgets() -> None:
    made = measure_aml(scored(("b", 1, 12.0, 0.9), ("d", 2, 8.0, 0.8)), small_truth(), Asked(k=2, k_share=0.5)).aml
    assert [each.customers for each in made.depths] == [1, 2]
    assert len(made.depths) <= POINTS_MAX
    budget = next(row for row in made.budgets if row.share == 0.5)
    assert made.depths[-1].precision == budget.precision.value
    assert made.depths[-1].pattern_recall == budget.recall.overall.recall


def test_nobody_scored_is_no_curve() -> None:
    truth = small_truth()
    assert depths(truth, np.full(len(truth), -1.0), np.arange(len(truth))) == []
