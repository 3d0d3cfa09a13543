"""What a value is compared with: only shares that the bins hold exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import ArrayLike

from models.features.catalog import FEATURE_INDEX, FEATURES, Feature
from models.usual import Comparison
from streams.reference_bins import ReferenceBins


def feature(name: str) -> Feature:
    return FEATURES[FEATURE_INDEX[name]]


def compared(name: str, sample: ArrayLike, value: float) -> str:
    return Comparison(feature(name), ReferenceBins.fit(sample)).of(value, lambda number: f"{number:g}")


def test_a_high_value_is_held_against_the_highest_bound_below_it() -> None:
    sample = np.arange(1, 1_001)
    assert compared("amount", sample, 950.0) == " (90% of all are at most 900.1)"
    assert compared("amount", sample, 650.0) == " (60% of all are at most 600.4)"


def test_a_low_value_is_held_against_the_lowest_bound_above_it() -> None:
    sample = np.arange(1, 1_001)
    assert compared("amount", sample, 3.0) == " (90% of all are above 100.9)"
    assert compared("amount", sample, 350.0) == " (60% of all are above 400.6)"


def test_a_value_shared_by_many_says_so() -> None:
    assert compared("count_1h", [1] * 70 + list(range(2, 32)), 1.0) == " (as for 70% of all)"


def test_counts_have_nothing_between_them() -> None:
    sample = [*range(1, 31)] * 10
    assert not float(ReferenceBins.fit(sample).edges[-1]).is_integer()
    assert compared("count_24h", sample, 40.0) == " (90% of all are at most 27)"


def test_a_rare_value_beside_a_common_one_names_the_common_one() -> None:
    assert compared("terminal_risk_7d", [0.0] * 970 + [0.2] * 30, 0.4) == " (0 for 97% of all)"


def test_flags_and_categories_say_how_many() -> None:
    flags = [0.0] * 96 + [1.0] * 4
    assert compared("is_new_device", flags, 1.0) == " (4% of all)"
    assert compared("is_new_device", flags, 0.0) == " (96% of all)"
    assert compared("channel_code", [0.0] * 60 + [1.0] * 40, 1.0) == " (40% of all)"
    assert compared("channel_code", [0.0] * 60 + [1.0] * 40, -1.0) == ""


def test_a_time_of_day_has_no_order() -> None:
    assert compared("hour", np.linspace(0, 24, 1_000), 3.0) == ""


def test_shares_at_the_ends_are_not_rounded_to_none_or_all() -> None:
    flags = [0.0] * 9_990 + [1.0] * 10
    assert compared("is_new_device", flags, 1.0) == " (less than 1% of all)"
    assert compared("is_new_device", flags, 0.0) == " (more than 99% of all)"


def test_missing_says_how_often_it_is_known() -> None:
    made = Comparison(feature("amount"), ReferenceBins.fit([1.0, 2.0, 3.0, np.nan]))
    assert made.of_missing() == " (known for 75% of all)"
    nothing = Comparison(feature("amount"), ReferenceBins.fit([np.nan]))
    assert (nothing.of_missing(), nothing.of(3.0, str)) == ("", "")


@given(
    hnp.arrays(np.float64, st.integers(20, 200), elements=st.integers(0, 40).map(float)),
    st.integers(-5, 50).map(float),
)
def test_what_is_said_is_true(sample: np.ndarray, value: float) -> None:
    said = compared("amount_to_mean_30d", sample, value).strip(" ()")
    if not said:
        return
    if said.startswith("as for"):
        share, told = (sample == value).mean(), said.split()[2]
    elif " of all are " in said:
        bound = float(said.rsplit(" ", 1)[1])
        below = (sample <= bound).mean()
        assert (value > bound) == ("at most" in said)
        share, told = (below if "at most" in said else 1 - below), said.split()[0]
    else:
        share, told = (sample == float(said.split()[0])).mean(), said.split()[2]
    if told.startswith(("less", "more")):
        return
    assert float(told.rstrip("%")) == pytest.approx(100 * share, abs=0.51)
