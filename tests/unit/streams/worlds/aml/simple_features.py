"""Simple features of transfers, one row a side: amounts, hours, counts and sums of the last seven days, in plain numpy.

What anybody would compute first. They are for judging the world, not for scoring: the catalogue is the models' own.
"""

import numpy as np
import pandas as pd

from streams.labels import NS_PER_DAY
from streams.markets import MARKETS
from streams.worlds.arrays import Flags, Floats, Ints

WINDOW_DAYS = 7.0
CHANNELS = ("wire", "instant", "card", "cash_in", "cash_out", "virtual_asset")


def trailing(account: Ints, day: Floats, values: Floats, window_days: float = WINDOW_DAYS) -> Floats:
    """Sum of each account's values in the window that ends with the row (rows sorted by account, then time)."""
    key = account * 1e5 + day
    first = np.searchsorted(account, account, side="left")
    begin = np.maximum(np.searchsorted(key, key - window_days, side="right"), first)
    total = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(total[1:] - total[begin])


def _days_since_same(account: Ints, other: Ints, day: Floats) -> Floats:
    """Days since the account last dealt with the same other side, infinite the first time."""
    order = np.lexsort((day, other, account))
    same = (account[order][1:] == account[order][:-1]) & (other[order][1:] == other[order][:-1])
    gap = np.full(len(day), np.inf)
    gap[order[1:]] = np.where(same, np.diff(day[order]), np.inf)
    return gap


def sides(frame: pd.DataFrame, accounts: pd.DataFrame) -> pd.DataFrame:
    """One row a transfer and known account, sorted by account and time: `transfer` (row of `frame`), `account` (row of
    `accounts`), `other`, `day`, `usd`, `out`.
    """
    place = pd.Series(np.arange(len(accounts)), index=accounts.index)
    ends = [frame[f"{side}_account"].astype(object).map(place).fillna(-1).to_numpy(np.int64) for side in ("from", "to")]
    rows = np.tile(np.arange(len(frame)), 2)
    found = pd.DataFrame(
        {
            "transfer": rows,
            "account": np.concatenate(ends),
            "other": np.concatenate(ends[::-1]),
            "day": (frame["event_time_ns"].to_numpy()[rows] - frame["event_time_ns"].iloc[0]) / NS_PER_DAY,
            "usd": frame["usd"].to_numpy()[rows],
            "out": np.arange(len(rows)) < len(frame),
        }
    )
    return found[found["account"] >= 0].sort_values(["account", "day", "transfer"], ignore_index=True)


def simple_features(frame: pd.DataFrame, accounts: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Features of `sides`, row by row."""
    account: Ints = rows["account"].to_numpy()
    day: Floats = rows["day"].to_numpy()
    usd: Floats = rows["usd"].to_numpy()
    out: Flags = rows["out"].to_numpy()
    here = frame.iloc[rows["transfer"].to_numpy()].reset_index(drop=True)
    known = accounts.iloc[account].reset_index(drop=True)
    per_usd = known["currency"].astype(str).map({m.currency: m.minor_per_usd for m in MARKETS.values()})
    declared = (known["expected_monthly_minor"] / per_usd).to_numpy()
    declared_cash = (known["expected_cash_monthly_minor"] / per_usd).to_numpy()
    channel = here["channel"].astype(str)
    cash = channel.isin(("cash_in", "cash_out")).to_numpy()
    both = here["from_country"].notna() & here["to_country"].notna()
    abroad = (both & (here["from_country"].astype(str) != here["to_country"].astype(str))).to_numpy()
    gap = _days_since_same(account, rows["other"].to_numpy(), day)
    partner = rows["other"].to_numpy() >= 0
    minor = here["amount_minor"].to_numpy()
    step = 10.0 ** np.maximum(np.floor(np.log10(minor)) - 1, 0)
    sent: Floats = np.where(out, usd, 0.0)
    week_in, week_out = trailing(account, day, usd - sent), trailing(account, day, sent)
    found = {
        "usd": usd,
        "usd_to_declared": usd / declared,
        "hour": (here["event_time_ns"].to_numpy() // 3_600_000_000_000) % 24,
        "round": minor % step == 0,
        "abroad": abroad,
        "new_partner": partner & np.isinf(gap),
        "count_week": trailing(account, day, np.ones(len(day))),
        "out_count_week": trailing(account, day, np.where(out, 1.0, 0.0)),
        "in_count_week": trailing(account, day, np.where(out, 0.0, 1.0)),
        "count_day": trailing(account, day, np.ones(len(day)), 1.0),
        "usd_day": trailing(account, day, usd, 1.0),
        "out_degree_week": trailing(account, day, (out & partner & (gap > WINDOW_DAYS)) * 1.0),
        "in_degree_week": trailing(account, day, (~out & partner & (gap > WINDOW_DAYS)) * 1.0),
        "new_partners_week": trailing(account, day, (partner & np.isinf(gap)) * 1.0),
        "usd_week_to_declared": (week_in + week_out) / declared,
        "passed_through_week": np.minimum(week_in, week_out) / declared,
        "evenness_week": np.minimum(week_in, week_out) / np.maximum(np.maximum(week_in, week_out), 1.0),
        "cash_week_to_declared": trailing(account, day, usd * cash) / np.maximum(declared_cash, 1.0),
        "abroad_usd_week": trailing(account, day, usd * abroad),
        "account_age_days": day - (known["opened_at_ns"].to_numpy() - frame["event_time_ns"].iloc[0]) / NS_PER_DAY,
        "declared_usd": declared,
        "risk_rating": known["risk_rating"].to_numpy(),
        "is_business": (known["kind"] == "business").to_numpy(),
        "expects_foreign": known["expects_foreign"].to_numpy(),
        "out": out,
        **{f"by_{name}": (channel == name).to_numpy() for name in CHANNELS},
    }
    return pd.DataFrame({name: np.asarray(values, np.float32) for name, values in found.items()})
