"""Genuine life: wages, rents, seasons, calendars, balances; what banks know; and that it goes on beside laundering."""

import numpy as np
import pandas as pd
import pytest

from streams.labels import NS_PER_DAY, NS_PER_HOUR
from streams.laundering import UNTYPED
from streams.markets import MARKETS
from streams.markets.calendar import closed_days
from streams.worlds import AmlWorld
from streams.worlds.aml.segments import INDUSTRY_NAMES, SEGMENT_NAMES
from tests.unit.streams.worlds.aml.conftest import WEEKS

DECLARED_MONTHS = WEEKS / (30.4375 / 7)


def usd_of_accounts(accounts: pd.DataFrame, column: str) -> pd.Series:
    per_usd = {market.currency: market.minor_per_usd for market in MARKETS.values()}
    return accounts[column] / accounts["currency"].astype(str).map(per_usd)


def moved(frame: pd.DataFrame, accounts: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    into = frame.groupby("to_account", observed=True)["usd"].sum().reindex(accounts.index).fillna(0.0)
    out = frame.groupby("from_account", observed=True)["usd"].sum().reindex(accounts.index).fillna(0.0)
    return into, out


def test_declared_volumes_are_near_what_genuine_customers_move(frame: pd.DataFrame, accounts: pd.DataFrame) -> None:
    into, out = moved(frame[~frame["is_laundering"]], accounts)
    old = accounts["opened_at_ns"] < frame["event_time_ns"].iloc[0]
    busy = old & (into + out > 500)
    ratio = ((into + out) / DECLARED_MONTHS / usd_of_accounts(accounts, "expected_monthly_minor"))[busy]
    assert 0.5 < ratio.median() < 1.3
    assert ratio.quantile(0.95) < 5
    declared = usd_of_accounts(accounts, "expected_cash_monthly_minor")
    assert (declared <= 1.1 * usd_of_accounts(accounts, "expected_monthly_minor")).all()


def test_foreign_payments_were_mostly_declared(frame: pd.DataFrame, accounts: pd.DataFrame) -> None:
    genuine = frame[~frame["is_laundering"] & frame["look_alike"].isna() & (frame["channel"] != "card")]
    abroad = genuine[genuine["from_country"].notna() & genuine["to_country"].notna()]
    abroad = abroad[abroad["from_country"].astype(str) != abroad["to_country"].astype(str)]
    payers = accounts["expects_foreign"].reindex(abroad["from_account"].dropna().astype(str))
    assert payers.mean() > 0.8
    assert 0.1 < accounts["expects_foreign"].mean() < 0.9


def test_what_banks_know_is_complete_and_varied(accounts: pd.DataFrame) -> None:
    assert set(accounts["segment"]) == {*SEGMENT_NAMES, *INDUSTRY_NAMES}
    ratings = accounts["risk_rating"].value_counts(normalize=True)
    assert 0.02 < ratings[3] < 0.2 < ratings[2] + ratings[3] < 0.6
    assert 0.0005 < accounts["is_pep"].mean() < 0.01
    assert accounts.groupby("customer_id", observed=True)["risk_rating"].nunique().max() == 1
    assert (accounts["opened_at_ns"] > 0).all()


def test_balances_do_not_go_absurdly_negative(frame: pd.DataFrame, accounts: pd.DataFrame) -> None:
    """Each account begins with two months' declared volume, and ends no worse than as much below nothing."""
    week = (frame["event_time_ns"] - frame["event_time_ns"].iloc[0]) // (7 * NS_PER_DAY)
    monthly = usd_of_accounts(accounts, "expected_monthly_minor")
    balance, lowest = 2.0 * monthly, pd.Series(np.inf, index=accounts.index)
    for number in range(WEEKS):
        into, out = moved(frame[week == number], accounts)
        balance = balance + into - out
        lowest = np.minimum(lowest, balance)
    assert (lowest < -2.0 * monthly).mean() < 0.015
    assert (lowest < 0).mean() < 0.10


def test_accounts_are_used_only_once_they_are_open(frame: pd.DataFrame, accounts: pd.DataFrame) -> None:
    opened = accounts["opened_at_ns"]
    for side in ("from_account", "to_account"):
        known = frame[frame[side].notna()]
        assert (known["event_time_ns"].to_numpy() >= opened.reindex(known[side].astype(str)).to_numpy()).all()
    assert 0.05 < (opened > frame["event_time_ns"].iloc[0]).mean() < 0.25


def test_offices_are_closed_on_weekends_and_holidays(frame: pd.DataFrame) -> None:
    for code in ("DE", "AE"):
        paid = frame[(frame["channel"] == "wire") & (frame["from_country"] == code) & frame["from_account"].notna()]
        local = paid["event_time_ns"] + int(MARKETS[code].utc_offset_h * NS_PER_HOUR)
        day = (local // NS_PER_DAY).to_numpy()
        closed = closed_days([code], int(day.min()), int(np.ptp(day)) + 1)[0][day - day.min()]
        assert closed.mean() < 0.03
        assert ((local // NS_PER_HOUR) % 24).between(1, 20).mean() > 0.95


def test_wages_come_month_after_month(frame: pd.DataFrame) -> None:
    genuine = frame[~frame["is_laundering"] & frame["look_alike"].isna()]
    pairs = genuine[genuine["from_account"].notna() & (genuine["channel"] == "wire") & (genuine["usd"] > 600)]
    found = pairs.groupby(["from_account", "to_account"], observed=True).agg(
        times=("usd", "size"), spread=("usd", lambda usd: usd.std() / usd.mean())
    )
    assert ((found["times"] >= 2) & (found["times"] <= 4) & (found["spread"] < 0.06)).sum() > 300


def test_customers_keep_meeting_the_same_and_new_partners(frame: pd.DataFrame) -> None:
    known = frame[frame["from_account"].notna() & frame["to_account"].notna()]
    again = known.duplicated(["from_account", "to_account"])
    assert 0.35 < again.iloc[len(again) // 2 :].mean() < 0.85


def test_genuine_life_goes_on_beside_laundering(frame: pd.DataFrame, members: pd.DataFrame) -> None:
    genuine = frame[~frame["is_laundering"]]
    week = genuine["event_time_ns"] // (14 * NS_PER_DAY)
    alive = {
        *zip(genuine["from_account"].astype(str), week, strict=True),
        *zip(genuine["to_account"].astype(str), week, strict=True),
    }
    begun = frame[frame["is_laundering"]].groupby("pattern_id")["event_time_ns"].min() // (14 * NS_PER_DAY)
    people = members[members["pattern_id"].isin(begun.index)]
    found = [(account, begun[pattern]) in alive for account, pattern in
             zip(people["account_id"].astype(str), people["pattern_id"], strict=True)]  # fmt: skip
    assert np.mean(found) > 0.75


def test_who_integrates_took_part_in_a_pattern(world: AmlWorld, members: pd.DataFrame) -> None:
    typed = set(
        world.members(world.start_ns + 100 * NS_PER_DAY).to_pandas().query("typology != 'untyped'")["account_id"]
    )
    spenders = members[members["typology"] == UNTYPED]["account_id"]
    assert spenders.isin(typed).mean() > 0.8


def test_cash_is_spent_and_trade_crosses_borders(frame: pd.DataFrame) -> None:
    share = frame["channel"].value_counts(normalize=True)
    assert 0.02 < share["cash_in"] < 0.10
    assert 0.03 < share["cash_out"] < 0.12
    assert 0.1 < share["card"] < 0.35
    assert 0.002 < share["virtual_asset"] < 0.02
    abroad = (frame["from_country"].astype(str) != frame["to_country"].astype(str)) & frame["from_country"].notna()
    assert 0.015 < (abroad & frame["to_country"].notna()).mean() < 0.08


@pytest.mark.parametrize("industry", ["retail", "restaurant"])
def test_shops_take_cash_and_cards(frame: pd.DataFrame, accounts: pd.DataFrame, industry: str) -> None:
    shops = accounts.index[accounts["segment"] == industry]
    into = frame[frame["to_account"].isin(shops)]["channel"].value_counts(normalize=True)
    assert into["card"] > 0.1
    assert into["cash_in"] > 0.02
