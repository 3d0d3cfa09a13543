"""Areas, their errors and category rates against plain counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.separability.ranking import auc, auc_error, bins, free_auc, rate_auc, rates, within_auc


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=60))
def test_auc_equals_the_count_of_pairs(rows: list[tuple[int, bool]]) -> None:
    values, positive = np.array([float(v) for v, _ in rows]), np.array([p for _, p in rows])
    pairs = [(a > b) + 0.5 * (a == b) for a in values[positive] for b in values[~positive]]
    assert auc(values, positive) == pytest.approx(np.mean(pairs) if pairs else 0.5)


def test_the_free_auc_takes_either_direction_and_puts_missing_values_at_either_end() -> None:
    positive = np.array([True, True, False, False])
    assert free_auc(np.array([1.0, 2.0, 3.0, 4.0]), positive) == 1.0
    assert free_auc(np.array([np.nan, np.nan, 3.0, 4.0]), positive) == 1.0
    assert free_auc(np.array([5.0, 5.0, 5.0, 5.0]), positive) == 0.5


def test_the_error_is_the_spread_of_areas_without_any_signal() -> None:
    rng = np.random.default_rng(1)
    areas = [auc(rng.random(400), np.arange(400) < 40) for _ in range(600)]
    assert np.std(areas) == pytest.approx(auc_error(40, 360), rel=0.1)
    assert auc_error(0, 10) == float("inf")


def test_rates_are_learnt_on_the_first_rows_only() -> None:
    codes = np.array([0, 0, 1, 1, 2, 2] * 50)
    positive = np.array([True, False, False, False, True, True] * 50)
    first = np.arange(300) < 240
    changed = positive.copy()
    changed[~first] = ~changed[~first]
    assert np.array_equal(rates(codes, positive, first), rates(codes, changed, first))
    assert rate_auc(codes, positive, first) > 0.8
    assert rate_auc(codes, changed, first) < 0.2


def test_within_strata_only_what_is_left_over_counts() -> None:
    rng = np.random.default_rng(2)
    stratum = rng.integers(0, 2, 4_000)
    positive = rng.random(4_000) < np.where(stratum == 1, 0.4, 0.05)
    assert auc(stratum.astype(np.float64), positive) > 0.7
    assert within_auc(stratum.astype(np.float64), positive, stratum) == 0.5
    assert within_auc(positive.astype(np.float64), positive, stratum) == 1.0


def test_bins_keep_ties_together_and_missing_values_apart() -> None:
    values = np.array([np.nan, 1.0, 1.0, 1.0, 2.0, 3.0, np.nan])
    found = bins(values, 3)
    assert len(set(found[1:4])) == 1
    assert found[0] == found[6]
    assert found[0] not in found[1:6]
    assert set(bins(np.full(3, np.nan))) == {0}
