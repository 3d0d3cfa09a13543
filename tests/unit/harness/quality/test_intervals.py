"""Intervals against SciPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from harness.quality.intervals import apart, percentile_interval, wilson


@given(whole=st.integers(1, 5_000), share=st.floats(0, 1))
def test_wilson_equals_scipys(whole: int, share: float) -> None:
    part = round(share * whole)
    expected = binomtest(part, whole).proportion_ci(0.95, method="wilson")
    found = wilson(part, whole)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) == {"low": None, "high": None}
    assert percentile_interval(np.array([np.nan, np.nan])) == {"low": None, "high": None}


def test_percentiles_leave_out_undefined_replicates() -> None:
    replicates = np.append(np.linspace(0, 1, 201), [np.nan] * 50)
    assert percentile_interval(replicates) == {"low": pytest.approx(0.025), "high": pytest.approx(0.975)}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"low": 0.1, "high": 0.2}, {"low": 0.3, "high": 0.4}, True),
        ({"low": 0.3, "high": 0.4}, {"low": 0.1, "high": 0.2}, True),
        ({"low": 0.1, "high": 0.3}, {"low": 0.3, "high": 0.4}, False),
        ({"low": None, "high": None}, {"low": 0.3, "high": 0.4}, None),
    ],
)
def test_apart(one: dict[str, float | None], other: dict[str, float | None], expected: bool | None) -> None:
    assert apart(one, other) is expected
