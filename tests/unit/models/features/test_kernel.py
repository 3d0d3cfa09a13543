"""The kernel against the slow oracle."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.batch import Status
from models.features.catalog import FEATURE_INDEX, FEATURE_NAMES, FEATURES
from models.features.state import FeatureState
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.transaction import CardTransaction
from tests.unit.models.features.oracle import DISTANCES, Oracle
from tests.unit.models.features.streams import START_NS, VOCABULARY, StreamShape, random_stream

DISTANCE_COLUMNS = [FEATURE_INDEX[name] for name in DISTANCES]
EXACT_COLUMNS = [column for column in range(len(FEATURE_NAMES)) if column not in DISTANCE_COLUMNS]


def assert_as_oracle(events: list[CardTransaction]) -> list[Status]:
    state = FeatureState.empty(VOCABULARY)
    block = state.compute(state.code_events(events))
    values, status = Oracle(VOCABULARY).rows(events)
    assert block.status.tolist() == [int(kind) for kind in status]
    for column in EXACT_COLUMNS:
        np.testing.assert_array_equal(block.values[:, column], values[:, column], FEATURE_NAMES[column])
    for column in DISTANCE_COLUMNS:
        np.testing.assert_allclose(
            block.values[:, column], values[:, column], rtol=2e-6, atol=2e-4, err_msg=FEATURE_NAMES[column]
        )
    return status


@pytest.mark.parametrize("seed", range(12))
def test_a_wild_stream_gives_the_oracles_rows(seed: int) -> None:
    status = assert_as_oracle(random_stream(seed))
    assert set(status) == set(Status)


@pytest.mark.parametrize("seed", range(4))
def test_bursts_of_one_card_give_the_oracles_rows(seed: int) -> None:
    assert_as_oracle(random_stream(seed, StreamShape(events=600, cards=1, days=3.0, late_days_max=2.0)))


@pytest.mark.parametrize("seed", range(4))
def test_rare_use_with_long_silences_gives_the_oracles_rows(seed: int) -> None:
    assert_as_oracle(random_stream(seed, StreamShape(events=120, cards=3, days=900.0, late_days_max=400.0)))


half_hours = st.integers(0, 48 * 70).map(lambda number: START_NS + number * NS_PER_HOUR // 2)
near_edges = st.sampled_from([0, 1, 24, 25, 7 * 24, 30 * 24, 31 * 24, 32 * 24]).flatmap(
    lambda hours: st.sampled_from([-1, 0, 1]).map(lambda ns: START_NS + 40 * NS_PER_DAY + hours * NS_PER_HOUR + ns)
)
transactions = st.builds(
    CardTransaction,
    event_id=st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"]),
    event_time_ns=half_hours | near_edges,
    card_id=st.sampled_from(["x", "y"]),
    amount_minor=st.integers(0, 100_000_000_000),
    currency=st.just("EUR"),
    merchant_id=st.none() | st.integers(0, 40).map(str),
    device_id=st.none() | st.integers(0, 10).map(str),
    country=st.none() | st.sampled_from(["DE", "FR"]),
    is_refund=st.none() | st.booleans(),
    latitude=st.none() | st.floats(-90, 90),
    longitude=st.floats(-180, 180),
)


@given(st.lists(transactions, max_size=60))
def test_any_stream_gives_the_oracles_rows(events: list[CardTransaction]) -> None:
    assert_as_oracle(events)


@given(st.lists(transactions, max_size=60))
def test_any_stream_in_event_time_order_gives_the_oracles_rows(events: list[CardTransaction]) -> None:
    assert_as_oracle(sorted(events, key=lambda event: event.event_time_ns))


def test_values_stay_within_the_catalogues_bounds() -> None:
    events = random_stream(3, StreamShape(events=3_000))
    state = FeatureState.empty(VOCABULARY)
    values = state.compute(state.code_events(events)).values
    for column, feature in enumerate(FEATURES):
        known = values[:, column][~np.isnan(values[:, column])]
        assert np.all((known >= feature.low) & (known <= feature.high)), feature.name


def event_at(time_ns: int, number: int = 0, amount_minor: int = 100) -> CardTransaction:
    return CardTransaction(
        event_id=f"{number}", event_time_ns=time_ns, card_id="card", amount_minor=amount_minor, currency="EUR"
    )


def test_the_first_event_of_a_card_knows_only_itself() -> None:
    state = FeatureState.empty(VOCABULARY)
    row = state.compute(state.code_events([event_at(START_NS, amount_minor=1_234)])).values[0]
    assert [row[FEATURE_INDEX[f"count_{window}"]] for window in ("1h", "24h", "7d", "30d")] == [1, 1, 1, 1]
    assert row[FEATURE_INDEX["sum_30d"]] == np.float32(12.34)
    assert row[FEATURE_INDEX["card_age_days"]] == 0
    for unknown in ("seconds_since_last", "amount_to_mean_30d", "is_new_merchant", "terminal_count_1d", *DISTANCES):
        assert math.isnan(row[FEATURE_INDEX[unknown]]), unknown


def test_a_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    state = FeatureState.empty(VOCABULARY)
    times = [START_NS, START_NS + NS_PER_HOUR - 1, START_NS + NS_PER_HOUR, START_NS + NS_PER_HOUR]
    rows = state.compute(state.code_events([event_at(time, number) for number, time in enumerate(times)])).values
    assert rows[:, FEATURE_INDEX["count_1h"]].tolist() == [1, 2, 2, 3]


def test_a_repeated_event_changes_nothing() -> None:
    once, twice = FeatureState.empty(VOCABULARY), FeatureState.empty(VOCABULARY)
    first, last = event_at(START_NS, 1), event_at(START_NS + NS_PER_HOUR // 2, 2)
    plain = once.compute(once.code_events([first, last]))
    repeated = twice.compute(twice.code_events([first, first, last, first]))
    assert repeated.status.tolist() == [Status.ON_TIME, Status.REPEATED, Status.ON_TIME, Status.REPEATED]
    np.testing.assert_array_equal(repeated.values[2], plain.values[1])
    assert np.isnan(repeated.values[1]).all()


def test_money_sums_do_not_drift() -> None:
    state = FeatureState.empty(VOCABULARY)
    events = [event_at(START_NS + number * NS_PER_HOUR // 10, number, 10_000_000_001) for number in range(20_000)]
    row = state.compute(state.code_events(events)).values[-1]
    assert row[FEATURE_INDEX["count_1h"]] == 10
    assert row[FEATURE_INDEX["sum_1h"]] == np.float32(10 * 10_000_000_001 / 100)
