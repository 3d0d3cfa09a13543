import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.confidence import limit_kept, quantile_ranks, samples_needed


@pytest.mark.parametrize(("over", "samples"), [(0, 459), (1, 662), (10, 2_010), (100, 12_571)])
def test_samples_needed_are_those_of_mlperf_for_the_p99(over: int, samples: int) -> None:
    assert samples_needed(0.99, over) == samples


@given(over=st.integers(0, 200), q=st.sampled_from([0.5, 0.9, 0.99, 0.999]))
def test_samples_needed_is_where_the_finding_turns(over: int, q: float) -> None:
    needed = samples_needed(q, over)
    assert limit_kept(needed, over, q) == "kept"
    assert limit_kept(needed - 1, over, q) != "kept"


@given(count=st.integers(0, 20_000), share=st.floats(0.0, 1.0), q=st.sampled_from([0.5, 0.99, 0.999]))
def test_kept_and_broken_lie_on_either_side_of_the_quantile(count: int, share: float, q: float) -> None:
    over = round(count * share)
    found = limit_kept(count, over, q)
    if found == "kept":
        assert over < count * (1.0 - q)
    if found == "broken":
        assert over > count * (1.0 - q)


def test_few_samples_leave_a_limit_undecided() -> None:
    assert limit_kept(0, 0, 0.99) == "undecided"
    assert limit_kept(100, 0, 0.99) == "undecided"
    assert limit_kept(100, 10, 0.99) == "broken"


@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_the_interval_holds_the_quantile_as_often_as_it_says(q: float) -> None:
    rng = np.random.default_rng(7)
    count, trials = 2_000, 2_000
    ranks = quantile_ranks(count, q, 0.95)
    assert ranks.low is not None
    assert ranks.high is not None
    drawn = np.sort(rng.random((trials, count)), axis=1)
    held = (drawn[:, ranks.low - 1] <= q) & (q <= drawn[:, ranks.high - 1])
    assert 0.94 <= held.mean() <= 0.98


def test_an_interval_ends_where_the_samples_do() -> None:
    assert quantile_ranks(100, 0.99).high is None
    assert quantile_ranks(100, 0.01).low is None
    assert quantile_ranks(0, 0.5).low is None


def test_an_impossible_demand_is_refused() -> None:
    with pytest.raises(ValueError, match="needs over"):
        samples_needed(1.0 - 1e-12)
