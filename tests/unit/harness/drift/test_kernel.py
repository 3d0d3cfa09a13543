"""The counting kernel against the reference bins' own counting, and indices against the plain formula and polars-ds."""

import numpy as np
import polars as pl
import polars_ds as pds
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.drift.kernel import BinTable
from harness.drift.shares import index_of
from streams.reference_bins import EPSILON, ReferenceBins, psi, shares

VALUES = st.lists(
    st.one_of(st.floats(-5, 5, width=32), st.sampled_from([0.0, 1.0, 2.5, float("nan"), float("inf")])), min_size=1
)


@given(st.lists(st.floats(-5, 5, width=32), min_size=1), VALUES, st.integers(2, 12))
def test_counts_are_those_of_the_reference_bins(sample: list[float], values: list[float], bins: int) -> None:
    fitted = [ReferenceBins.fit(sample, bins), ReferenceBins.fit([0.0, 0.0, 1.0, *sample], bins)]
    table = BinTable.of(fitted)
    column = np.array(values, np.float32)
    counts = np.zeros((3, 2, table.size), np.int64)
    table.count_into(counts, np.stack([column, column], axis=1), np.full(len(column), 1))
    for place, each in enumerate(fitted):
        assert counts[1, place, : each.size].tolist() == each.count(column).tolist()
    assert counts[[0, 2]].sum() == 0
    assert counts[1].sum() == 2 * len(values)


@given(st.lists(st.integers(0, 500), min_size=4, max_size=4), st.lists(st.integers(0, 500), min_size=4, max_size=4))
def test_an_index_of_many_rows_is_the_index_of_each(before: list[int], now: list[int]) -> None:
    rows = index_of(np.stack([shares(before), shares(now)]), np.stack([shares(now), shares(now)]), EPSILON)
    assert rows[0] == pytest.approx(psi(shares(before), shares(now)))
    assert rows[1] == 0


@pytest.mark.filterwarnings("ignore:`qcut` is deprecated:DeprecationWarning")  # inside polars-ds
def test_an_index_agrees_with_polars_ds() -> None:
    random = np.random.default_rng(5)
    reference, window = random.normal(0, 1, 20_000), random.normal(0.3, 1.2, 5_000)
    bins = ReferenceBins.fit(reference)
    table = BinTable.of([bins])
    counts = np.zeros((1, 1, table.size), np.int64)
    table.count_into(counts, window[:, np.newaxis], np.zeros(len(window), np.int64))
    ours = float(index_of(bins.shares, counts[0, 0] / len(window), EPSILON))
    oracle = pl.select(pds.psi(pl.Series(window), pl.Series(reference), n_bins=10)).item()
    assert ours == pytest.approx(oracle, rel=1e-2)
    assert ours > EPSILON


def test_a_bin_that_a_few_keys_leave_or_come_to_is_a_small_index() -> None:
    before, now = np.array([0.06, 0.44, 0.5]), np.array([0.0, 0.47, 0.53])
    assert index_of(before, now, EPSILON) > 0.3
    assert index_of(before, now) < 0.15
    assert index_of(before[::-1], now[::-1]) == pytest.approx(index_of(before, now))
    assert index_of(np.array([1.0, 0.0]), np.array([0.8, 0.2])) > 0.25
