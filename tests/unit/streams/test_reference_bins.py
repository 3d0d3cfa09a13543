"""Reference bins and PSI against slow oracles and against polars-ds where the conventions are the same."""

import numpy as np
import polars as pl
import polars_ds as pds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streams.errors import BadInputError
from streams.reference_bins import ReferenceBins, psi, psi_of, psi_threshold, shares


@pytest.mark.filterwarnings("ignore:`qcut` is deprecated:DeprecationWarning")  # inside polars-ds
@pytest.mark.parametrize(("shift", "spread"), [(0.0, 1.0), (0.0, 1.5), (0.3, 1.0), (-0.1, 0.8)])
def test_psi_agrees_with_polars_ds_on_continuous_values(shift: float, spread: float) -> None:
    rng = np.random.default_rng(4)
    reference, window = rng.normal(size=20_001), rng.normal(shift, spread, size=5_003)
    bins = ReferenceBins.fit(reference)
    expected = pl.select(pds.psi(window, reference, n_bins=10)).item()
    assert psi_of(bins, bins.count(window)) == pytest.approx(expected, abs=5e-5)


def test_point_masses_and_missing_values_have_bins_of_their_own() -> None:
    rng = np.random.default_rng(5)
    values = np.concatenate([np.zeros(500), np.full(300, 7.0), rng.normal(100, 1, 150), np.full(50, np.nan)])
    bins = ReferenceBins.fit(values)
    assert bins.point_masses == (0.0, 7.0)
    assert len(bins.edges) == 1  # 150 of 950 known values are spread: about 1.6 tenths, so two intervals
    assert bins.counts == (75, 75, 500, 300, 50)
    moved = np.where(values == 7.0, 8.0, values)
    assert bins.count(moved).tolist() == [375, 75, 500, 0, 50]


def test_edges_are_right_closed_and_ends_infinite() -> None:
    bins = ReferenceBins((1.0, 2.0), (), (0, 0, 0, 0))
    assert bins.count([-np.inf, 1.0, 1.0000001, 2.0, 2.1, np.inf, np.nan]).tolist() == [2, 2, 2, 1]


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float32, st.integers(1, 60), elements=st.floats(-3, 3, width=32) | st.just(np.float32(np.nan))),
    arrays(np.float32, st.integers(0, 60), elements=st.floats(-9, 9, width=32) | st.just(np.float32(np.nan))),
    st.integers(2, 12),
)
def test_every_value_is_counted_once_where_a_loop_would_put_it(
    reference: np.ndarray, window: np.ndarray, wanted: int
) -> None:
    bins = ReferenceBins.fit(reference, wanted)
    expected = [0] * bins.size
    for value in window.tolist():
        if np.isnan(value):
            place = bins.size - 1
        elif value in bins.point_masses:
            place = len(bins.edges) + 1 + bins.point_masses.index(value)
        else:
            place = sum(value > edge for edge in bins.edges)
        expected[place] += 1
    assert bins.count(window).tolist() == expected
    assert sum(bins.counts) == len(reference)
    assert psi_of(bins, bins.counts) == 0.0
    assert ReferenceBins.from_dict(bins.to_dict()) == bins


def test_an_empty_bin_counts_as_epsilon() -> None:
    expected = (0.9999 - 0.5) * np.log(0.9999 / 0.5) + (1e-4 - 0.5) * np.log(1e-4 / 0.5)
    assert psi([0.5, 0.5], [0.9999, 0.0]) == pytest.approx(expected)
    assert psi([0.5, 0.5, 0.0], [0.5, 0.5, 0.0]) == 0.0
    assert shares([0, 0]).tolist() == [0.0, 0.0]


def test_threshold_is_rarely_passed_without_drift() -> None:
    rng = np.random.default_rng(6)
    bins = ReferenceBins.fit(rng.normal(size=20_000))
    limit = psi_threshold(10, 20_000, 500, 0.95)
    passed = [psi_of(bins, bins.count(rng.normal(size=500))) > limit for _ in range(400)]
    assert 0.02 < np.mean(passed) < 0.10


@pytest.mark.parametrize("stored", [{}, {"edges": [2, 1], "point_masses": [], "counts": [1, 1, 1, 1]},
                                    {"edges": [1], "point_masses": [], "counts": [1]},
                                    {"edges": ["x"], "point_masses": [], "counts": [1]}])  # fmt: skip
def test_damaged_bins_are_refused(stored: dict[str, object]) -> None:
    with pytest.raises(BadInputError, match="reference bins"):
        ReferenceBins.from_dict(stored)


def test_nonsense_is_refused() -> None:
    with pytest.raises(BadInputError, match="0 values"):
        ReferenceBins.fit([])
    with pytest.raises(BadInputError, match="same bins"):
        psi([1.0], [0.5, 0.5])
    with pytest.raises(BadInputError, match="n_window 0"):
        psi_threshold(10, 100, 0)
