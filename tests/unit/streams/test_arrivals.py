"""Arrival processes: rates, order, determinism, refusals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.arrivals import NS_PER_S, PROCESSES, BurstShape, Surge, schedule_ns
from streams.errors import BadInputError

SHAPES = st.builds(
    lambda factor, every_s, share: BurstShape(factor=factor, every_s=every_s, length_s=every_s * share),
    st.floats(1.0, 50.0),
    st.floats(0.1, 60.0),
    st.floats(0.01, 0.9),
)


@settings(max_examples=60, deadline=None)
@given(
    process=st.sampled_from(sorted(PROCESSES)),
    rate_per_s=st.floats(0.5, 50_000.0),
    count=st.integers(0, 2_000),
    seed=st.integers(0, 2**63 - 1),
    burst=SHAPES,
)
def test_counted_schedules_are_sorted_and_prefixes_of_longer_ones(
    process: str, rate_per_s: float, count: int, seed: int, burst: BurstShape
) -> None:
    offsets = schedule_ns(process, rate_per_s, count=count, seed=seed, burst=burst)
    longer = schedule_ns(process, rate_per_s, count=count + 100, seed=seed, burst=burst)
    assert offsets.dtype == np.int64
    assert len(offsets) == count
    assert (np.diff(offsets) >= 0).all()
    assert (offsets >= 0).all()
    np.testing.assert_array_equal(offsets, longer[:count])


@settings(max_examples=60, deadline=None)
@given(
    process=st.sampled_from(sorted(PROCESSES)),
    rate_per_s=st.floats(0.5, 2_000.0),
    duration_s=st.floats(0.0, 5.0),
    seed=st.integers(0, 2**63 - 1),
    burst=SHAPES,
)
def test_timed_schedules_hold_what_a_counted_one_has_before_the_end(
    process: str, rate_per_s: float, duration_s: float, seed: int, burst: BurstShape
) -> None:
    timed = schedule_ns(process, rate_per_s, duration_s=duration_s, seed=seed, burst=burst)
    counted = schedule_ns(process, rate_per_s, count=len(timed) + 1, seed=seed, burst=burst)
    end_ns = round(duration_s * NS_PER_S)
    assert (timed < end_ns).all()
    np.testing.assert_array_equal(timed, counted[:-1])
    assert counted[-1] >= end_ns - 2  # rounding to whole nanoseconds may fall on either side of the end


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_the_mean_rate_is_the_asked_one(process: str) -> None:
    offsets = schedule_ns(process, 1_000.0, duration_s=200.0, seed=3)
    assert len(offsets) == pytest.approx(200_000, abs=5 * np.sqrt(200_000))


def test_constant_is_evenly_spaced_from_zero() -> None:
    offsets = schedule_ns("constant", 250.0, count=1_000, seed=1)
    np.testing.assert_array_equal(offsets, np.arange(1_000) * 4_000_000)
    np.testing.assert_array_equal(offsets, schedule_ns("constant", 250.0, duration_s=4.0, seed=2))


def test_poisson_gaps_are_exponential() -> None:
    gaps = np.diff(schedule_ns("poisson", 1_000.0, count=100_000, seed=5)) / 1e6
    assert gaps.mean() == pytest.approx(1.0, rel=0.02)
    assert gaps.std() == pytest.approx(1.0, rel=0.02)
    assert np.mean(gaps > 3.0) == pytest.approx(np.exp(-3.0), rel=0.1)


def test_bursts_have_the_asked_factor_length_and_period() -> None:
    shape = BurstShape(factor=8.0, every_s=10.0, length_s=2.0)
    second = schedule_ns("burst", 500.0, duration_s=1_000.0, seed=7, burst=shape) / NS_PER_S % 10.0
    inside = (second >= 4.0) & (second < 6.0)
    quiet_per_s = (~inside).sum() / 800.0
    assert inside.sum() / 200.0 / quiet_per_s == pytest.approx(8.0, rel=0.03)
    assert quiet_per_s == pytest.approx(500.0 * 10.0 / (8.0 + 2.0 * 8.0), rel=0.03)


@pytest.mark.parametrize("process", ["poisson", "burst"])
def test_the_seed_decides(process: str) -> None:
    first = schedule_ns(process, 100.0, count=500, seed=1)
    np.testing.assert_array_equal(first, schedule_ns(process, 100.0, count=500, seed=1))
    assert (first != schedule_ns(process, 100.0, count=500, seed=2)).any()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"process": "bursty"}, "'bursty'; known are constant, poisson, burst"),
        ({"rate_per_s": -5.0}, "rate_per_s is -5.0"),
        ({"rate_per_s": float("nan")}, "rate_per_s is nan"),
        ({"count": -1}, "count is -1"),
        ({"count": None}, "either count or duration_s"),
        ({"duration_s": 1.0}, "either count or duration_s"),
        ({"seed": -1}, "seed is -1"),
        ({"count": None, "duration_s": -1.0}, "duration_s is -1.0"),
        ({"count": None, "duration_s": 1e6, "rate_per_s": 1e6}, "rate_per_s × duration_s"),
    ],
)
def test_refusals_name_key_value_and_bound(given: dict[str, Any], said: str) -> None:
    asked: dict[str, Any] = {"process": "poisson", "rate_per_s": 10.0, "count": 5, "seed": 1} | given
    with pytest.raises(BadInputError) as refused:
        schedule_ns(asked.pop("process"), asked.pop("rate_per_s"), **asked)
    assert said in str(refused.value)


@pytest.mark.parametrize("shape", [{"factor": 0.5}, {"every_s": 0.0}, {"length_s": 10.0}, {"length_s": 0.0}])
def test_a_burst_that_is_none_is_refused(shape: dict[str, float]) -> None:
    with pytest.raises(BadInputError, match="burst"):
        BurstShape(**shape)


@settings(max_examples=60, deadline=None)
@given(
    process=st.sampled_from(sorted(PROCESSES)),
    rate_per_s=st.floats(50.0, 500.0),
    begin_s=st.floats(0.0, 4.0),
    length_s=st.floats(0.5, 3.0),
    factor=st.floats(0.2, 20.0),
    seed=st.integers(0, 2**63 - 1),
)
def test_a_surge_has_its_rate_and_what_is_outside_of_it_keeps_its_own(
    process: str, rate_per_s: float, begin_s: float, length_s: float, factor: float, seed: int
) -> None:
    surge = Surge(begin_s, begin_s + length_s, factor)
    offsets = schedule_ns(process, rate_per_s, seed=seed, duration_s=10.0, surges=[surge])
    assert (np.diff(offsets) >= 0).all()
    assert len(offsets) == 0 or offsets[-1] < 10 * NS_PER_S
    counted = schedule_ns(process, rate_per_s, seed=seed, count=len(offsets), surges=[surge])
    np.testing.assert_array_equal(counted, offsets)
    if process == "burst":
        return
    inside = (offsets >= surge.from_s * NS_PER_S) & (offsets < surge.until_s * NS_PER_S)
    for found, expected in (
        (inside.sum(), rate_per_s * factor * length_s),
        ((~inside).sum(), rate_per_s * (10.0 - length_s)),
    ):
        assert abs(int(found) - expected) <= 6 * np.sqrt(expected) + 2


def test_a_schedule_is_the_same_up_to_its_surge() -> None:
    plain = schedule_ns("poisson", 200.0, seed=5, duration_s=10.0)
    surged = schedule_ns(
        "poisson", 200.0, seed=5, duration_s=10.0, surges=[Surge(4.0, 5.0, 10.0), Surge(7.0, 8.0, 3.0)]
    )
    before = plain < 4 * NS_PER_S
    np.testing.assert_array_equal(surged[: before.sum()], plain[before])
    assert len(surged) > len(plain) + 1_500


@pytest.mark.parametrize(
    ("surges", "words"),
    [
        ([(3.0, 2.0, 2.0)], "no stretch of a schedule"),
        ([(1.0, 2.0, 0.0)], "factor is 0"),
        ([(4.0, 5.0, 2.0), (1.0, 2.0, 2.0)], "in order and apart"),
    ],
)
def test_surges_that_are_none(surges: list[tuple[float, float, float]], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        schedule_ns("constant", 10.0, seed=1, duration_s=9.0, surges=[Surge(*surge) for surge in surges])
