"""What genuine customers do: trips, phones, subscriptions, refunds, transfers; they come, and they go."""

import numpy as np
import pandas as pd

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.profiles import PROFILE_SCHEMA
from streams.worlds import FraudWorld
from streams.worlds.fraud.segments import SEGMENT_NAMES


def test_trips_move_a_customer_s_purchases(frame: pd.DataFrame) -> None:
    trips = frame[frame["look_alike"] == "travel"]
    assert (trips["channel"] != "online").all()
    home = frame[frame["look_alike"].isna() & (frame["channel"] != "online")].groupby("card_id", observed=True)
    centre = home[["latitude", "longitude"]].median().reindex(trips["card_id"]).to_numpy()
    away_degrees = np.hypot(*(trips[["latitude", "longitude"]].to_numpy() - centre).T)
    assert np.nanmedian(away_degrees) > 1.0


def test_new_phones_are_new(frame: pd.DataFrame) -> None:
    phones = frame[frame["look_alike"] == "new_phone"]
    first = frame.dropna(subset="device_id").drop_duplicates(["customer_id", "device_id"])
    assert len(first.merge(phones[["event_id"]], on="event_id")) > 0.5 * phones["customer_id"].nunique()


def test_subscriptions_come_back_month_after_month(frame: pd.DataFrame) -> None:
    charges = frame[(frame["look_alike"] == "subscription_renewal") & frame["device_id"].isna()]
    gaps = charges.groupby(["card_id", "merchant_id", "amount_minor"], observed=True)["event_time_ns"].diff().dropna()
    assert np.mean(np.abs(gaps / NS_PER_DAY - 30.4) < 1.5) > 0.5


def test_nobody_is_in_two_places(frame: pd.DataFrame) -> None:
    """Genuine payments at terminals hundreds of km apart lie hours apart, but for some around four in the morning."""
    there = ~frame["is_fraud"] & (frame["channel"] != "online") & frame["is_refund"].isna()
    shops = frame[there].sort_values(["card_id", "event_time_ns"])
    same = shops["card_id"].astype(str).eq(shops["card_id"].astype(str).shift()).to_numpy()
    latitude, longitude = np.radians(shops["latitude"].to_numpy()), np.radians(shops["longitude"].to_numpy())
    east = np.diff(longitude, prepend=0.0) * np.cos(latitude)
    km = 6_371.0 * np.hypot(np.diff(latitude, prepend=0.0), east)
    hours = np.diff(shops["event_time_ns"].to_numpy(), prepend=0) / NS_PER_HOUR
    beam = same & (km > 300) & (km / np.maximum(hours, 1e-3) > 1_000)
    assert beam.sum() <= 1e-4 * len(shops)


def test_refunds_follow_a_purchase_of_the_same_card_at_the_same_shop(frame: pd.DataFrame) -> None:
    refunds = frame[frame["is_refund"].notna()]
    assert refunds["is_refund"].all()
    assert 0.005 < len(refunds) / len(frame) < 0.03
    genuine = refunds[
        ~refunds["is_fraud"] & (refunds["event_time_ns"] > frame["event_time_ns"].iloc[0] + 50 * NS_PER_DAY)
    ]
    keys = ["card_id", "merchant_id"]
    bought = frame[frame["is_refund"].isna()][[*keys, "amount_minor", "event_time_ns"]]
    pairs = genuine[[*keys, "event_id", "amount_minor", "event_time_ns"]].merge(bought, on=keys, suffixes=("", "_paid"))
    earlier = pairs["event_time_ns_paid"] < pairs["event_time_ns"]
    covered = pairs[earlier & (pairs["amount_minor_paid"] >= pairs["amount_minor"])]
    assert covered["event_id"].nunique() == len(genuine)


def test_refund_abuse_is_among_refunds_only(frame: pd.DataFrame) -> None:
    assert frame.loc[frame["scenario"] == "refund_abuse", "is_refund"].eq(True).all()


def test_people_pay_people(frame: pd.DataFrame) -> None:
    transfers = frame[(frame["category"] == "transfer") & ~frame["is_fraud"]]
    assert (transfers["channel"] == "online").all()
    assert 0.02 < len(transfers) / len(frame) < 0.08
    rent = transfers[transfers["device_id"].isna() & transfers["look_alike"].isna()]
    same = rent.groupby(["card_id", "merchant_id", "amount_minor"], observed=True)["event_time_ns"].diff().dropna()
    assert np.mean(np.abs(same / NS_PER_DAY - 30.4) < 1.5) > 0.5
    first = ~transfers.duplicated(["card_id", "merchant_id"])
    assert first[transfers["event_time_ns"] > transfers["event_time_ns"].median()].mean() > 0.1


def test_customers_come_and_go(frame: pd.DataFrame, world: FraudWorld) -> None:
    first = frame.groupby("card_id", observed=True)["event_time_ns"].agg(["min", "max"])
    start = world.start_ns
    assert (first["min"] > start + 60 * NS_PER_DAY).mean() > 0.02
    assert (first["max"] < start + 38 * NS_PER_DAY).mean() > 0.02
    new = frame[frame["look_alike"] == "new_customer"]
    age = new["event_time_ns"] - first.loc[new["card_id"], "min"].to_numpy()
    assert (age <= 21 * NS_PER_DAY).all()


def test_relatives_share_a_device(frame: pd.DataFrame) -> None:
    shared = frame[frame["look_alike"] == "family_device"]
    users = frame.dropna(subset="device_id").groupby("device_id", observed=True)["customer_id"].nunique()
    assert (users.loc[shared["device_id"]] >= 2).mean() > 0.6


def test_busy_merchants_are_paid_by_many_cards_in_a_short_time(frame: pd.DataFrame) -> None:
    busy = frame[frame["look_alike"] == "busy_merchant"]
    day = busy["event_time_ns"] // (3 * NS_PER_DAY)
    cards = busy.groupby([busy["merchant_id"].astype(str), day])["card_id"].nunique()
    assert cards.quantile(0.75) > 10


def test_profiles_say_who_holds_a_card(frame: pd.DataFrame, world: FraudWorld) -> None:
    profiles = world.profiles()
    assert profiles.schema.equals(PROFILE_SCHEMA)
    assert profiles["card_id"].null_count == 0
    held = profiles.to_pandas().set_index("card_id")
    assert held.index.is_unique
    assert set(frame["card_id"]) <= set(held.index)
    assert set(held["segment"]) == set(SEGMENT_NAMES)
    assert set(held["region"]) <= set(world.config.home_countries)


def test_segments_spend_in_their_own_ways(frame: pd.DataFrame, world: FraudWorld) -> None:
    held = world.profiles().to_pandas().set_index("card_id")
    genuine = frame[~frame["is_fraud"] & frame["look_alike"].isna()]
    segment = held["segment"].astype(str).loc[genuine["card_id"]].to_numpy()
    median = genuine.groupby(segment)["amount_minor"].median()
    assert median["business"] > 1.3 * median["student"]
    online = (genuine["channel"] == "online").groupby(segment).mean()
    assert online["student"] > 1.3 * online["retired"]
    hour = (genuine["event_time_ns"] // NS_PER_HOUR % 24).groupby(segment).mean()
    assert hour["student"] > hour["retired"] + 0.5
    travel = (genuine["category"] == "travel").groupby(segment).mean()
    assert travel["business"] > 1.5 * travel["worker"]
