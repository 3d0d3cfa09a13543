"""The card world: schema, order, shares, prefixes, refusals, and one golden sample of every scenario."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from streams.errors import BadInputError
from streams.labels import LABEL_SCHEMA, NS_PER_DAY, NS_PER_HOUR
from streams.transaction import TRANSACTION_SCHEMA
from streams.worlds import WORLDS, FraudWorld, FraudWorldConfig, build_world
from streams.worlds.fraud.categories import CASH, CATEGORY_NAMES
from streams.worlds.fraud.config import BLOCK_NS
from streams.worlds.fraud.drafts import ATM, NONE, ONLINE, Drafts
from streams.worlds.fraud.look_alikes import LOOK_ALIKES
from streams.worlds.fraud.scenarios import SCENARIOS
from streams.worlds.fraud.scene import Scene
from streams.worlds.fraud.tables import numbered

WEEKS = 14


@pytest.fixture(scope="module")
def world() -> FraudWorld:
    return FraudWorld(FraudWorldConfig(cards=2_000), seed=11)


@pytest.fixture(scope="module")
def frame(world: FraudWorld) -> pd.DataFrame:
    """Fourteen weeks of events beside their labels."""
    blocks = list(itertools.islice(world.blocks(), WEEKS))
    events = pa.concat_tables([block[0] for block in blocks]).to_pandas()
    labels = pa.concat_tables([block[1] for block in blocks]).to_pandas()
    assert (events["event_id"] == labels["event_id"]).all()
    return pd.concat([events, labels.drop(columns="event_id")], axis=1)


@pytest.fixture
def scene(world: FraudWorld) -> Scene:
    return world.scene()


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
    assert (fraud["reported_at_ns"] == fraud["event_time_ns"] + 7 * NS_PER_DAY).all()
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


def test_trips_move_a_customer_s_purchases(frame: pd.DataFrame) -> None:
    trips = frame[frame["look_alike"] == "travel"]
    assert (trips["channel"] != "online").all()
    home = frame[frame["look_alike"].isna() & (frame["channel"] != "online")].groupby("card_id", observed=True)
    centre = home[["latitude", "longitude"]].median().loc[trips["card_id"]].to_numpy()
    away_degrees = np.hypot(*(trips[["latitude", "longitude"]].to_numpy() - centre).T)
    assert np.median(away_degrees) > 1.0


def test_new_phones_are_new(frame: pd.DataFrame) -> None:
    phones = frame[frame["look_alike"] == "new_phone"]
    first = frame.dropna(subset="device_id").drop_duplicates(["customer_id", "device_id"])
    assert len(first.merge(phones[["event_id"]], on="event_id")) > 0.5 * phones["customer_id"].nunique()


def test_subscriptions_come_back_month_after_month(frame: pd.DataFrame) -> None:
    charges = frame[(frame["look_alike"] == "subscription_renewal") & frame["device_id"].isna()]
    gaps = charges.groupby(["card_id", "merchant_id", "amount_minor"], observed=True)["event_time_ns"].diff().dropna()
    assert np.mean(np.abs(gaps / NS_PER_DAY - 30.4) < 1.5) > 0.5


def launched(scene: Scene, name: str, seed: int = 4) -> Drafts:
    campaign = SCENARIOS[name].launch(scene, scene.config.start_ns, np.random.default_rng(seed))
    begin = scene.config.start_ns
    assert begin <= campaign.time_ns.min() < begin + BLOCK_NS + 5 * NS_PER_DAY
    return campaign


def spread_h(campaign: Drafts) -> float:
    return float(np.ptp(campaign.time_ns) / NS_PER_HOUR)


@pytest.mark.parametrize("seed", range(5))
def test_lost_stolen_card_is_one_card_at_terminals_within_hours(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "lost_stolen_card", seed)
    assert len(campaign) >= 4
    assert len(set(campaign.card)) == 1
    assert (campaign.channel != ONLINE).all()
    assert (campaign.device == NONE).all()
    assert len(set(scene.outlets.place[campaign.outlet])) == 1
    assert spread_h(campaign) < 12
    assert ((scene.outlets.category[campaign.outlet] == CASH) == (campaign.channel == ATM)).all()


@pytest.mark.parametrize("seed", range(5))
def test_card_testing_is_small_amounts_then_larger_ones(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "card_testing", seed)
    assert len(set(campaign.card)) == 1
    assert (campaign.channel == ONLINE).all()
    assert (np.diff(campaign.time_ns) >= 0).all()
    small = campaign.amount_minor <= 600
    assert 2 <= small.sum() <= 5
    assert small[: small.sum()].all()
    assert campaign.amount_minor[~small].min() > campaign.amount_minor[small].max()


@pytest.mark.parametrize("seed", range(5))
def test_card_not_present_is_online_on_devices_not_the_customer_s(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "card_not_present_new_device", seed)
    own = scene.population.devices - scene.population.fresh_devices
    assert len(set(campaign.card)) == 1
    assert (campaign.channel == ONLINE).all()
    assert ((campaign.device == NONE) | (campaign.device >= own)).all()


def test_account_takeover_lasts_and_grows_bolder(scene: Scene) -> None:
    campaigns = [launched(scene, "account_takeover", seed) for seed in range(40)]
    first = np.median([campaign.amount_minor[0] for campaign in campaigns])
    last = np.median([campaign.amount_minor[-1] for campaign in campaigns])
    assert last > first
    assert np.median([spread_h(campaign) for campaign in campaigns]) > 12
    assert all((campaign.channel == ONLINE).all() and (campaign.device != NONE).all() for campaign in campaigns)


@pytest.mark.parametrize("seed", range(5))
def test_terminal_compromise_is_many_cards_at_one_terminal_for_weeks(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "terminal_compromise", seed)
    assert len(set(campaign.outlet)) == 1
    assert len(set(campaign.card)) >= 8
    assert (campaign.channel != ONLINE).all()
    assert spread_h(campaign) > 10 * 24


@pytest.mark.parametrize("seed", range(5))
def test_leaked_credentials_are_many_cards_of_one_country_at_few_shops(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "leaked_credentials", seed)
    assert len(set(campaign.card)) >= 5
    assert (campaign.channel == ONLINE).all()
    assert len(set(scene.places.country[scene.homes(campaign.card)])) == 1
    shops = np.unique(campaign.outlet, return_counts=True)[1]
    assert np.sort(shops)[-2:].sum() > 0.4 * len(campaign)


@pytest.mark.parametrize("seed", range(5))
def test_velocity_attack_is_many_charges_within_minutes(scene: Scene, seed: int) -> None:
    campaign = launched(scene, "velocity_attack", seed)
    assert len(campaign) >= 7
    assert len(set(campaign.card)) == 1
    assert len(set(campaign.outlet)) <= 2
    assert spread_h(campaign) < 2


def test_weights_choose_scenarios_and_look_alikes() -> None:
    config = FraudWorldConfig(
        cards=500, fraud_share=0.02, scenario_weights={"card_testing": 1}, look_alike_shares={"travel": 0.05}
    )
    labels = pa.concat_tables([labels for _, labels in itertools.islice(FraudWorld(config, 1).blocks(), 4)]).to_pandas()
    assert set(labels["scenario"].dropna()) == {"card_testing"}
    assert set(labels["look_alike"].dropna()) == {"travel"}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("fraud_share", 0.2, "allowed are 0.0005 to 0.05"),
        ("fraud_share", float("nan"), "nan"),
        ("cards", 3, "allowed are 50 to"),
        ("cards", 100.5, "whole number"),
        ("start", "05.01.2026", "a date such as 2026-01-05"),
        ("start", "1800-01-01", "years 1971 to 2090"),
        ("home_countries", {"XX": 1.0}, "'XX'; known are"),
        ("home_countries", {}, "empty"),
        ("scenario_weights", {"card_testin": 1.0}, "'card_testin'; known are lost_stolen_card"),
        ("scenario_weights", {"card_testing": 0.0}, "no weight above 0"),
        ("look_alike_shares", {"travel": 0.5}, "allowed are 0 to 0.15"),
        ("label_delay_days", "7", "must be a number"),
        ("cardz", 1, "unknown world key 'cardz'; known are cards, start"),
    ],
)
def test_refusals_name_key_value_and_bound(key: str, value: Any, said: str) -> None:
    with pytest.raises(BadInputError) as refused:
        build_world("fraud", {key: value}, seed=1)
    assert said in str(refused.value)


def test_unknown_kinds_bad_seeds_and_bad_sizes_are_refused(world: FraudWorld) -> None:
    with pytest.raises(BadInputError, match="unknown world 'weather'; known are fraud"):
        build_world("weather", {}, seed=1)
    with pytest.raises(BadInputError, match="world seed is -1"):
        build_world("fraud", {}, seed=-1)
    with pytest.raises(BadInputError, match="history_days is -1"):
        world.generate(-1, 5)
    assert "fraud" in WORLDS


def test_a_configuration_object_will_do_as_well() -> None:
    config = replace(FraudWorldConfig(), cards=100)
    assert build_world("fraud", config, seed=3).start_ns == config.start_ns


def test_the_smallest_world_lives() -> None:
    events, labels = next(build_world("fraud", {"cards": 50}, seed=1).blocks())
    assert 0 < len(events) == len(labels)
