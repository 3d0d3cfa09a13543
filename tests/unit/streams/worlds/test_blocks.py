"""The card world's blocks: schema, order, shares, prefixes and labels."""

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from streams.causes import CAUSES
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.transaction import TRANSACTION_SCHEMA
from streams.worlds import FraudWorld, FraudWorldConfig
from streams.worlds.arrays import numbered
from streams.worlds.fraud.categories import CATEGORY_NAMES
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.look_alikes import LOOK_ALIKES
from streams.worlds.fraud.scenarios import SCENARIOS

WEEKS = 14


def test_blocks_have_the_contract_s_schemas(world: FraudWorld) -> None:
    events, labels = next(world.blocks())
    assert events.schema.equals(TRANSACTION_SCHEMA)
    assert labels.schema.equals(LABEL_SCHEMA)
    events.validate(full=True)
    labels.validate(full=True)


def test_times_never_go_back_and_ids_are_unique(frame: pd.DataFrame, world: FraudWorld) -> None:
    assert frame["event_time_ns"].is_monotonic_increasing
    assert frame["event_id"].is_unique
    assert frame["event_time_ns"].iloc[0] >= world.start_ns
    assert frame["event_time_ns"].iloc[-1] < world.start_ns + WEEKS * BLOCK_NS


def test_a_longer_world_begins_with_the_shorter_one(world: FraudWorld) -> None:
    short, long = world.generate(10, 500), world.generate(10, 5_000)
    assert short.history_events.equals(long.history_events)
    assert short.stream_events.equals(long.stream_events.slice(0, 500))
    assert short.stream_labels.equals(long.stream_labels.slice(0, 500))


def test_history_ends_where_the_stream_starts(world: FraudWorld) -> None:
    tables = world.generate(9, 2_000)
    assert tables.stream_start_ns == world.start_ns + 9 * NS_PER_DAY
    assert tables.history_events["event_time_ns"].to_numpy().max() < tables.stream_start_ns
    assert tables.stream_events["event_time_ns"].to_numpy().min() >= tables.stream_start_ns
    assert len(tables.stream_events) == len(tables.stream_labels) == 2_000
    assert len(tables.history_events) == len(tables.history_labels)


def test_no_history_and_no_stream_are_allowed(world: FraudWorld) -> None:
    assert len(world.generate(0, 10).history_events) == 0
    assert len(world.generate(1, 0).stream_events) == 0


def test_density_and_share_of_fraud_are_as_configured(frame: pd.DataFrame, world: FraudWorld) -> None:
    assert len(frame) / (WEEKS * 7 * world.config.cards) == pytest.approx(1.6, rel=0.04)
    assert frame["is_fraud"].mean() == pytest.approx(0.004, rel=0.1)


@pytest.mark.parametrize("share", [0.001, 0.02])
def test_other_shares_of_fraud_are_kept_too(share: float) -> None:
    world = FraudWorld(FraudWorldConfig(cards=1_500, fraud_share=share), seed=5)
    labels = pa.concat_tables([labels for _, labels in itertools.islice(world.blocks(), 14)])
    assert np.mean(labels["is_fraud"].to_numpy(zero_copy_only=False)) == pytest.approx(share, rel=0.1)


def test_every_scenario_and_look_alike_has_its_share(frame: pd.DataFrame) -> None:
    fraud = frame["scenario"].value_counts(normalize=True)
    for name, scenario in SCENARIOS.items():
        assert fraud[name] == pytest.approx(scenario.share, abs=0.05)
    shares = frame["look_alike"].value_counts() / len(frame)
    for name, look_alike in LOOK_ALIKES.items():
        assert shares[name] == pytest.approx(look_alike.share, rel=0.5)


def test_labels_say_what_they_should(frame: pd.DataFrame) -> None:
    fraud, genuine = frame[frame["is_fraud"]], frame[~frame["is_fraud"]]
    assert fraud["scenario"].notna().all()
    assert fraud["look_alike"].isna().all()
    reported = fraud["reported_at_ns"].dropna()
    assert (reported == fraud.loc[reported.index, "event_time_ns"] + 7 * NS_PER_DAY).all()
    assert len(reported) / len(fraud) == pytest.approx(0.95, abs=0.02)
    assert genuine["scenario"].isna().all()
    assert genuine["reported_at_ns"].isna().all()


def test_fraud_may_go_unreported() -> None:
    world = FraudWorld(FraudWorldConfig(cards=1_000, fraud_share=0.02, never_reported_share=0.4), seed=2)
    labels = pa.concat_tables([labels for _, labels in itertools.islice(world.blocks(), 8)]).to_pandas()
    fraud = labels[labels["is_fraud"]]
    assert fraud["reported_at_ns"].isna().mean() == pytest.approx(0.4, abs=0.06)


def test_genuine_spending_goes_on_during_fraud(frame: pd.DataFrame) -> None:
    fraud = frame[frame["is_fraud"]]
    genuine = frame[~frame["is_fraud"]]
    genuine_days = set(zip(genuine["card_id"], genuine["event_time_ns"] // NS_PER_DAY, strict=True))
    victim_days = list(zip(fraud["card_id"], fraud["event_time_ns"] // NS_PER_DAY, strict=True))
    assert np.mean([day in genuine_days for day in victim_days]) > 0.5


def test_fraud_uses_every_channel_and_amounts_overlap(frame: pd.DataFrame) -> None:
    fraud, genuine = frame[frame["is_fraud"]], frame[~frame["is_fraud"]]
    assert set(fraud["channel"]) == {"chip", "contactless", "online", "atm"}
    low, high = np.quantile(genuine["amount_minor"], [0.01, 0.999])
    assert fraud["amount_minor"].between(low, high).mean() > 0.95


def test_fraud_s_causes_are_named(frame: pd.DataFrame) -> None:
    assert set(frame["scenario"].dropna()) == set(SCENARIOS)
    assert all(scenario.causes and set(scenario.causes) <= set(CAUSES) for scenario in SCENARIOS.values())
    assert sum(scenario.share for scenario in SCENARIOS.values()) == pytest.approx(1.0)


def test_positions_and_terminals_are_known_at_terminals_only(frame: pd.DataFrame) -> None:
    online = frame["channel"] == "online"
    for column in ("latitude", "longitude", "terminal_id"):
        assert (frame[column].isna() == online).all()
    assert frame.loc[~online, "latitude"].between(-90, 90).all()
    assert (frame.loc[frame["channel"] == "atm", "category"] == "cash").all()
    assert set(frame["category"]) == set(CATEGORY_NAMES)


def test_ids_are_spelt_without_python_strings() -> None:
    assert numbered("ab", np.array([0, 7, 12_345]), 6).to_pylist() == ["ab000000", "ab000007", "ab012345"]
    assert numbered("x", np.zeros(0, np.int64), 3).to_pylist() == []
