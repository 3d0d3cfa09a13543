import numpy as np
import pytest

from models.aml.labels import NO_PATTERN
from models.aml.ranked import ranked_customers


def test_customers_stand_where_their_best_row_puts_them() -> None:
    customers = np.repeat(np.arange(10), 2)
    scores = np.linspace(0.05, 0.5, 20)
    scores[0] = 0.9  # customer 0: one row high, one low
    labels = np.zeros(20, bool)
    labels[[1, 10]] = True  # of customer 0 and of customer 5
    pattern = np.where(labels, 3, NO_PATTERN)
    pattern[10] = 4
    found = ranked_customers(customers, labels, pattern, scores)
    assert (found.customers, found.suspicious, found.patterns) == (10, 2, 2)
    assert found.pattern_recall == pytest.approx(0.5)  # a tenth is one customer: 0, whose pattern is 3
    assert found.average_precision == pytest.approx((1 / 1 + 2 / 6) / 2)
    assert found.to_metrics()["suspicious_customers"] == 2


def test_without_patterns_recall_is_unknown() -> None:
    found = ranked_customers(np.array([1, 2]), np.array([True, False]), np.full(2, NO_PATTERN), np.array([0.2, 0.1]))
    assert found.to_metrics()["pattern_recall_at_10_percent"] is None
