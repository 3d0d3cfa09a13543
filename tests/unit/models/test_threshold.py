"""Thresholds keep to the budget and to the precision, against a search over every score."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from models.threshold import AlertBudget, choose_thresholds, precision_recall
from streams.errors import BadInputError

scored = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(scored, st.floats(0.02, 1.0), st.floats(0.3, 1.0))
def test_choice_is_what_trying_every_score_gives(
    rows: list[tuple[bool, int]], share: float, block_precision: float
) -> None:
    labels = np.array([label for label, _ in rows])
    scores = np.array([score / 13 for _, score in rows])
    budget = AlertBudget(share, None, block_precision, block_alerts_min=2)
    choice = choose_thresholds(labels, scores, 1.0, budget)
    allowed = budget.alerts(len(rows), 1.0)
    affordable = [s for s in np.unique(scores) if (scores >= s).sum() <= allowed] or [scores.max()]
    assert choice.thresholds.review == min(affordable)
    sure = [
        s for s in np.unique(scores)
        if s >= min(affordable) and labels[scores >= s].mean() >= block_precision and (scores >= s).sum() >= 2
    ]  # fmt: skip
    assert choice.thresholds.block == (min(sure) if sure else 1.0)
    assert choice.thresholds.review <= choice.thresholds.block
    assert choice.alerts == (scores >= choice.thresholds.review).sum()


def test_curve_equals_sklearn() -> None:
    rng = np.random.default_rng(1)
    labels, scores = rng.random(500) < 0.1, rng.integers(0, 80, 500) / 80
    labels[0] = True
    curve = precision_recall(labels, scores)
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    np.testing.assert_allclose(curve.score[::-1], thresholds)
    np.testing.assert_allclose(curve.precision[::-1], precision[:-1])
    np.testing.assert_allclose(curve.recall[::-1], recall[:-1])


def test_budget_per_day_counts_days() -> None:
    assert AlertBudget(alerts_per_day=50).alerts(10_000, 3.0) == 150
    assert AlertBudget(0.01).alerts(10_000, 3.0) == 100
    assert AlertBudget(0.01).alerts(10, 3.0) == 1


def test_nonsense_is_refused() -> None:
    with pytest.raises(BadInputError, match="review share"):
        AlertBudget(0.0)
    with pytest.raises(BadInputError, match="per day"):
        AlertBudget(alerts_per_day=0)
    with pytest.raises(BadInputError, match="block precision"):
        AlertBudget(block_precision=1.5)
    with pytest.raises(BadInputError, match="at least one"):
        choose_thresholds(np.empty(0, dtype=np.bool_), np.empty(0), 1.0, AlertBudget())


def test_a_budget_need_not_be_whole_alerts_a_day() -> None:
    assert AlertBudget(alerts_per_day=2.5).alerts(events=1_000, days=2) == 5
