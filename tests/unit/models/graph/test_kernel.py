"""The graph kernel against the slow oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.batch import Status
from models.graph.catalog import AML_FEATURE_INDEX, AML_FEATURES, COMMUNITY_FEATURES
from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.transfer import Transfer
from tests.unit.models.graph.oracle import Oracle
from tests.unit.models.graph.transfers import (
    ORDERLY,
    START_NS,
    WILD,
    StreamShape,
    account_rows,
    at_hour,
    fresh_state,
    random_stream,
)

LOGARITHMS = ("amount_log_usd",)
"""Columns compared with a tolerance: logarithms may differ in their last bit between mathematical libraries."""


def assert_as_oracle(events: list[Transfer], seed: int = 0, shape: StreamShape = WILD) -> list[Status]:
    state = fresh_state(seed, shape)
    block = state.compute(state.code_events(events))
    values, status = Oracle(account_rows(seed, shape.known)).rows(events)
    assert block.status.tolist() == [int(kind) for kind in status]
    assert state.cut_short == 0
    exact = np.repeat(np.array(status) != Status.TOO_LATE, 2)
    for feature in AML_FEATURES:
        if feature in COMMUNITY_FEATURES:
            continue
        column = AML_FEATURE_INDEX[feature.name]
        ours, theirs = block.values[exact, column], values[exact, column]
        if feature.name in LOGARITHMS:
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, err_msg=feature.name)
        else:
            np.testing.assert_array_equal(ours, theirs, feature.name)
    return status


@pytest.mark.parametrize("seed", range(8))
def test_a_wild_stream_gives_the_oracles_rows(seed: int) -> None:
    status = assert_as_oracle(random_stream(seed), seed)
    assert set(status) == set(Status)


@pytest.mark.parametrize("seed", range(4))
def test_a_long_sparse_stream_gives_the_oracles_rows(seed: int) -> None:
    shape = StreamShape(transfers=300, accounts=12, days=400.0, late_days_max=60.0)
    assert_as_oracle(random_stream(seed, shape), seed, shape)


@pytest.mark.parametrize("seed", range(4))
def test_a_dense_week_gives_the_oracles_rows(seed: int) -> None:
    shape = StreamShape(transfers=40, accounts=9, days=6.0, outside_share=0.02, amounts=3)
    assert_as_oracle(random_stream(seed, shape), seed, shape)


accounts = st.sampled_from(["a0", "a1", "a2", "a3", "a4", "a6", None])
times = st.integers(0, 24 * 9).map(lambda hours: START_NS + hours * NS_PER_HOUR) | st.sampled_from(
    [START_NS + days * NS_PER_DAY + ns for days in (1, 7, 30, 31, 32) for ns in (-1, 0, 1)]
)
transfers = st.builds(
    Transfer,
    event_id=st.sampled_from("abcdefghijklmnop"),
    event_time_ns=times,
    amount_minor=st.integers(0, 10**9) | st.sampled_from([990_000, 1_000_000, 910_000]),
    currency=st.sampled_from(["EUR", "USD"]),
    channel=st.sampled_from(["wire", "cash_in", "cash_out", "virtual_asset"]),
    from_account=accounts,
    to_account=accounts,
    from_country=st.sampled_from(["DE", "AE", "KP", None]),
    to_country=st.sampled_from(["DE", "US", "KP", None]),
)


@given(st.lists(transfers, max_size=24))
def test_any_stream_gives_the_oracles_rows(events: list[Transfer]) -> None:
    assert_as_oracle(events)


@given(st.lists(transfers, max_size=24))
def test_any_stream_in_event_time_order_gives_the_oracles_rows(events: list[Transfer]) -> None:
    assert_as_oracle(sorted(events, key=lambda event: event.event_time_ns))


def test_values_stay_within_the_catalogues_bounds() -> None:
    state = fresh_state()
    values = state.compute(state.code_events(random_stream(3, StreamShape(transfers=3_000)))).values
    for column, feature in enumerate(AML_FEATURES):
        known = values[:, column][~np.isnan(values[:, column])]
        assert np.all((known >= feature.low) & (known <= feature.high)), feature.name


def last_row(events: list[Transfer], *names: str) -> list[float]:
    """Features of the last transfer's receiver."""
    state = fresh_state()
    row = state.compute(state.code_events(events)).values[-1]
    return [float(row[AML_FEATURE_INDEX[name]]) for name in names]


@pytest.mark.parametrize("length", range(2, 9))
def test_a_cycle_is_seen_by_the_transfer_that_closes_it(length: int) -> None:
    events = [at_hour(hop, hop, f"a{hop}", f"a{(hop + 1) % length}", 1_000 - hop) for hop in range(length)]
    names = [*(f"cycles_{number}_7d" for number in (2, 3, 4, 5)), "cycles_6_to_8_7d"]
    wanted = [float(number == min(length, 6)) for number in range(2, 7)]
    assert last_row(events, *names) == wanted
    hours, match = last_row(events, "cycle_hours", "cycle_match")
    assert hours == length - 1
    assert match == float(np.float32((1_000 - length + 1) / 1_000))
    assert last_row(events[::-1], *names) == [0.0] * 5


def test_a_cycle_longer_than_a_week_is_none() -> None:
    inside = [at_hour(0, 0, "a0", "a1"), at_hour(1, 7 * 24 - 1, "a1", "a0")]
    outside = [at_hour(0, 0, "a0", "a1"), at_hour(1, 7 * 24, "a1", "a0")]
    assert last_row(inside, "cycles_2_7d") == [1]
    assert last_row(outside, "cycles_2_7d") == [0]


def test_scatter_gather_counts_the_ways_of_one_source() -> None:
    scatter = [at_hour(way, way, "source", f"m{way}") for way in range(5)]
    gather = [at_hour(10 + way, 10 + way, f"m{way}", "sink") for way in range(5)]
    assert [last_row([*scatter, *gather[:ways]], "scatter_gather_7d")[0] for ways in (1, 2, 5)] == [1, 2, 5]
    assert last_row([*gather, *scatter], "scatter_gather_7d") == [0]


def test_bipartite_layers_and_stacks_are_told_apart() -> None:
    layer = [at_hour(10 * s + r, s + r / 10, f"s{s}", f"r{r}") for s in range(3) for r in range(3)]
    assert last_row(layer, "bipartite_7d", "stack_7d") == [2, 0]
    before = [at_hour(100 + s, -10 + s / 10, "top", f"s{s}") for s in range(3)]
    assert last_row([*before, *layer], "bipartite_7d", "stack_7d") == [2, 2]


def test_gather_scatter_counts_who_was_paid_after_the_first_receipt() -> None:
    early = [at_hour(0, 0, "hub", "x")]
    gather = [at_hour(1 + number, 1 + number, f"g{number}", "hub") for number in range(4)]
    scatter = [at_hour(10 + number, 10 + number, "hub", f"s{number}") for number in range(3)]
    state = fresh_state()
    rows = state.compute(state.code_events([*early, *gather, *scatter])).values[::2]
    assert rows[-1, AML_FEATURE_INDEX["gather_scatter_7d"]] == 3
    assert rows[-1, AML_FEATURE_INDEX["receivers_7d"]] == 4


def test_a_chain_follows_like_amounts_only() -> None:
    chain = [at_hour(hop, hop, f"a{hop}", f"a{hop + 1}", 1_000 * 0.95**hop) for hop in range(5)]
    noise = [at_hour(20, 3.5, "a0", "a4", 10)]
    assert last_row([*chain[:4], *noise, chain[4]], "chain_hops_7d") == [4]
    assert last_row([at_hour(9, -1, None, "a0", 1_000), *chain], "chain_hops_7d") == [5]


def test_an_unknown_side_has_no_row() -> None:
    state = fresh_state()
    values = state.compute(state.code_events([at_hour(0, 0, "a0", None), at_hour(1, 1, None, "a0")])).values
    assert np.isnan(values[[1, 2]]).all()
    assert not np.isnan(values[[0, 3]]).all(axis=1).any()


def test_an_orderly_stream_is_on_time() -> None:
    assert set(assert_as_oracle(random_stream(1, ORDERLY), 1, ORDERLY)) == {Status.ON_TIME}
