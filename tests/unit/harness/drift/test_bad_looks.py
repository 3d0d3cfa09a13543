"""What bad events look like: ranks against scipy's, and shifts, bounds and surges worked out on made cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from harness.drift.bad_looks import BadLooks, ranks_among
from harness.drift.cases import Cases
from harness.drift.monitor import ArrivedLabels
from harness.drift.volume import rank_allowance
from streams.labels import NS_PER_DAY

SMALL = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)
Z, LEAST = 5.0, 0.12


@given(SMALL, SMALL)
def test_ranks_are_scipys_mean_percentiles(values: list[float], known: list[float]) -> None:
    found = ranks_among(np.array(values)[:, np.newaxis], np.sort(known)[:, np.newaxis])[:, 0]
    assert found == pytest.approx(percentileofscore(known, values, kind="mean") / 100)


def arrived(seed: int, day: float, shift: float = 0.0, events: int = 1, surge: float = 1.0) -> ArrivedLabels:
    """A hundred cards' frauds of one week, `events` each; the second feature is not always known."""
    random = np.random.default_rng(seed)
    key = np.repeat(np.arange(100, dtype=np.int32) + 100 * seed, events)
    features = random.normal(shift, 1, (len(key), 2)).astype(np.float32)
    features[random.random(len(key)) < 0.3, 1] = np.nan
    at_ns = np.sort(random.uniform(day, day + 7, len(key)) * NS_PER_DAY).astype(np.int64)
    true = np.ones(len(key), np.bool_)
    group = np.zeros(len(key), np.int16)
    return ArrivedLabels(true, at_ns, ~true, group, key, features, np.full(len(key), surge, np.float32))


def learnt() -> tuple[BadLooks, Cases]:
    cases = Cases()
    return BadLooks.learned([arrived(1, 0), arrived(2, 7)], cases), cases


@pytest.mark.parametrize(
    ("later", "out"),
    [
        (arrived(3, 14), [False, False, False]),
        (arrived(3, 14, shift=3.0), [True, True, False]),
        (arrived(3, 14, events=8), [False, False, True]),
    ],
)
def test_only_what_changed_leaves_its_bounds(later: ArrivedLabels, out: list[bool]) -> None:
    looks, cases = learnt()
    looks.add(cases, later)
    found = cases.since(14 * NS_PER_DAY)
    assert (np.abs(looks.shifts(found)) > looks.bounds(found, Z, LEAST)).tolist() == out


def test_bounds_are_closer_the_more_cases_there_are_and_wider_in_a_busy_week() -> None:
    looks, cases = learnt()
    looks.add(cases, arrived(3, 14))
    many = cases.since(14 * NS_PER_DAY)
    wide, close = looks.bounds(many[:20], Z, LEAST), looks.bounds(many, Z, LEAST)
    assert (wide > close).all()
    assert (close >= LEAST).all()
    looks.add(cases, arrived(4, 21, surge=1.6))
    busy = cases.since(21 * NS_PER_DAY)
    assert looks.bounds(busy, Z, LEAST) - looks.bounds(many[: len(busy)], Z, LEAST) == pytest.approx(
        rank_allowance(1.6 / 1.15)
    )
