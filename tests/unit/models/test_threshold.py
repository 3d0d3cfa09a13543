"""Thresholds keep to the budget and to the precision, against a search over every score."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_curve

from models.bundle import Thresholds
from models.cost import CostMatrix
from models.threshold import AlertBudget, Outcomes, choose_thresholds, precision_recall, wilson_low
from streams.errors import BadInputError

scored = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=60)


def outcomes(labels: np.ndarray, scores: np.ndarray, days: float = 1.0) -> Outcomes:
    return Outcomes(labels, scores, np.ones(len(labels)), days)


def proves(labels: np.ndarray, precision: float) -> bool:
    """The lower Wilson bound by its definition: the smallest share whose score test does not refuse the count."""
    hits, count = int(labels.sum()), len(labels)
    return hits / count >= precision and binomial_z(hits, count, precision) >= 1.959963984540054 - 1e-9


def binomial_z(hits: int, count: int, share: float) -> float:
    return float((hits / count - share) / np.sqrt(share * (1 - share) / count))


@settings(max_examples=150, deadline=None)
@given(scored, st.floats(0.02, 1.0), st.floats(0.1, 0.95))
def test_choice_is_what_trying_every_score_gives(
    rows: list[tuple[bool, int]], share: float, block_precision: float
) -> None:
    labels = np.array([label for label, _ in rows])
    scores = np.array([score / 13 for _, score in rows])
    budget = AlertBudget(share, None, block_precision)
    choice = choose_thresholds(outcomes(labels, scores), budget)
    allowed = budget.alerts(len(rows), 1.0)
    affordable = [s for s in np.unique(scores) if (scores >= s).sum() <= allowed] or [scores.max()]
    assert choice.thresholds.review == min(affordable)
    lowest = max(min(affordable), block_precision)
    sure = [s for s in np.unique(scores) if s >= lowest and proves(labels[scores >= s], block_precision)]
    assert choice.thresholds.block == (min(sure) if sure else 1.0)
    assert choice.thresholds.review <= choice.thresholds.block
    assert choice.alerts == (scores >= choice.thresholds.review).sum()
    assert choice.rule["rule"] == "budget"


def test_blocking_takes_evidence() -> None:
    """Four frauds of four alerts are enough for fraud to be likelier than not; three are not."""
    for hits, blocked in ((3, 0), (4, 4)):
        labels, scores = np.arange(1_000) < hits, np.linspace(0.9, 0.1, 1_000)
        choice = choose_thresholds(outcomes(labels, scores), AlertBudget(0.004))
        assert (choice.block_alerts, choice.block_precision) == (blocked, 1.0 if blocked else 0.0)


def test_what_is_unlikely_by_itself_is_not_blocked_along_with_the_sure() -> None:
    labels = np.arange(1_000) < 60
    scores = np.where(np.arange(1_000) < 40, 0.9, np.where(np.arange(1_000) < 90, 0.3, 0.01))
    choice = choose_thresholds(outcomes(labels, scores), AlertBudget(0.1))
    assert choice.thresholds == Thresholds(0.3, 0.9)


def test_wilson_is_scipys() -> None:
    for hits, count in ((0, 3), (4, 4), (7, 10), (90, 200)):
        expected = binomtest(hits, count).proportion_ci(0.95, "wilson").low
        assert wilson_low(np.array([hits / count]), np.array([count]))[0] == pytest.approx(expected, abs=1e-12)


def test_costs_decide_when_they_are_given() -> None:
    labels, scores = np.arange(10) < 5, np.linspace(0.9, 0.1, 10)
    choice = choose_thresholds(outcomes(labels, scores, 2.0), AlertBudget(0.1), CostMatrix(0.2, 5.0, 1.0))
    assert choice.thresholds == Thresholds(scores[4], scores[4])
    assert choice.rule["rule"] == "cost"
    assert (choice.rule["cost_per_day"], choice.rule["cost_per_day_of_approving_all"]) == (0.0, 2.5)


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
        choose_thresholds(outcomes(np.empty(0, dtype=np.bool_), np.empty(0)), AlertBudget())


def test_a_budget_need_not_be_whole_alerts_a_day() -> None:
    assert AlertBudget(alerts_per_day=2.5).alerts(events=1_000, days=2) == 5
