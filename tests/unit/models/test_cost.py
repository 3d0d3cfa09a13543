"""The cheapest thresholds against trying every pair."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cost import NEVER, CostMatrix, cheapest, cost_matrix
from streams.errors import BadInputError

events = st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(1, 500)), min_size=1, max_size=40)
money = st.integers(0, 60).map(float)


def total(rows: list[tuple[bool, int, int]], review: float, block: float, matrix: CostMatrix) -> float:
    cost = 0.0
    for fraud, score, amount in rows:
        if score / 9 >= block:
            cost += 0.0 if fraud else float(matrix.false_block or 0.0)
        elif score / 9 >= review:
            cost += matrix.false_alert
        elif fraud:
            cost += matrix.missed_fraud_share * amount + matrix.missed_fraud
    return cost


@settings(max_examples=200, deadline=None)
@given(events, money, st.none() | money, st.integers(1, 4), money)
def test_no_pair_is_cheaper(
    rows: list[tuple[bool, int, int]], alert: float, block: float | None, quarters: int, fixed: float
) -> None:
    matrix = CostMatrix(alert, block, quarters / 4, fixed)
    labels, scores, amounts = (np.array(column) for column in zip(*rows, strict=True))
    found = cheapest(labels, scores / 9, amounts.astype(np.float64), matrix)
    thresholds = [*np.unique(scores / 9).tolist(), NEVER]
    blocks = [NEVER] if block is None else thresholds
    pairs = [(r, b) for r, b in itertools.product(thresholds, blocks) if r <= b]
    costs = {pair: total(rows, *pair, matrix) for pair in pairs}
    assert found.cost == pytest.approx(min(costs.values()), abs=1e-6)
    assert costs[found.review, found.block] == pytest.approx(found.cost, abs=1e-6)
    assert found.cost_of_approving_all == pytest.approx(costs[NEVER, NEVER])


def test_costs_as_a_person_writes_them() -> None:
    assert cost_matrix(None, None, None) is None
    assert cost_matrix("100%", 4.0, 25.0) == CostMatrix(4.0, 25.0, 1.0, 0.0)
    assert cost_matrix("250", 4.0, None) == CostMatrix(4.0, None, 0.0, 250.0)
    assert cost_matrix(None, 4.0, None) == CostMatrix(4.0, None, 1.0, 0.0)
    with pytest.raises(BadInputError, match="need --cost-false-alert"):
        cost_matrix("100%", None, 3.0)
    with pytest.raises(BadInputError, match="neither a share"):
        cost_matrix("much", 1.0, None)
    with pytest.raises(BadInputError, match="must cost something"):
        cost_matrix("0%", 1.0, None)
    with pytest.raises(BadInputError, match="cost false_alert is -1"):
        cost_matrix(None, -1.0, None)
