"""Transactions and reported frauds of one kind of place, in buckets of a business day, and the risk they tell of."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Int32s, Int64s
from models.features.compiled import compiled
from models.features.place_kinds import RISK_WINDOWS_DAYS

Buckets = dict[int, Int32s]
Columns = dict[str, npt.NDArray[np.float64]]
ArrayLayout = dict[str, tuple[Any, tuple[int | None, ...]]]

DAYS = max(RISK_WINDOWS_DAYS)
HALF_LIFE_DAYS = 7
WEIGHT_UNIT = 1 << 16
RECENT_WEIGHTS = tuple(round(WEIGHT_UNIT * 2 ** (-back / HALF_LIFE_DAYS)) for back in range(DAYS))
"""Whole numbers, so that weighted sums are the same on every machine and in any order."""
PRIOR_TRANSACTIONS = 0.2
"""Weight of the overall share of frauds in a place's recent risk."""
WINDOWS = len(RISK_WINDOWS_DAYS)
MADE, KNOWN, WEIGHTED, WEIGHTED_FRAUDS = 0, WINDOWS, 2 * WINDOWS, 2 * WINDOWS + 1
"""Of a place: transactions and frauds of each window, the shortest first; weighted sums of both."""
GENUINE, FIRST_BACK, SUMS = 2 * WINDOWS + 2, 2 * WINDOWS + 3, 2 * WINDOWS + 4
"""Transactions on days after its last fraud; how many days back its first one lies, the last day being 1 (0: none)."""


class PlaceLedger:
    """For each business day held one bucket a place, by the place's code: transactions, and frauds known of them."""

    __slots__ = ("frauds", "transactions")

    def __init__(self, transactions: Buckets, frauds: Buckets) -> None:
        self.transactions = transactions
        self.frauds = frauds

    @classmethod
    def empty(cls) -> "PlaceLedger":
        """No place, no day."""
        return cls({}, {})

    def add_transactions(self, days: Int64s, codes: Int32s, places: int) -> None:
        """Count transactions by the business day they were made; code -1 (no place) is passed over. `places` is the
        number of codes given out so far."""
        _count(self.transactions, days, codes, places)

    def add_frauds(self, days: Int64s, codes: Int32s, places: int) -> None:
        """Count frauds that have become known, by the business day of their transaction."""
        _count(self.frauds, days, codes, places)

    def forget(self, last_day: int) -> None:
        """Drop the buckets of business days up to and including `last_day`."""
        for buckets in (self.transactions, self.frauds):
            for day in [day for day in buckets if day <= last_day]:
                del buckets[day]

    def frauds_in(self, last_day: int, days: int, places: int) -> Int64s:
        """Frauds known of each place in `days` business days that end with `last_day`, int64 [places]."""
        total = np.zeros(places, np.int64)
        for back in range(days):
            _add_bucket(total, self.frauds.get(last_day - back))
        return total

    def risk(self, last_day: int, served_day: int, places: int) -> Columns:
        """Columns of delayed risk over windows that end with `last_day`, float64 [places] each, for events of the
        calendar day `served_day`.

        Counts and shares: the Fraud Detection Handbook's terminal risk (chapter 3, "Baseline feature transformation"),
        with whole business days in place of a sliding window.
        """
        made = _table(self.transactions, last_day, places)
        known = _table(self.frauds, last_day, places)
        sums = np.zeros((SUMS, places), np.int64)
        _sum(made, known, np.array(RISK_WINDOWS_DAYS), np.array(RECENT_WEIGHTS, np.int64), sums)
        counts, shares = Columns(), Columns()
        for window, days in enumerate(RISK_WINDOWS_DAYS):
            counts[f"count_{days}d"] = sums[MADE + window].astype(np.float64)
            shares[f"risk_{days}d"] = share(sums[KNOWN + window], sums[MADE + window])
        transactions, frauds = sums[MADE + WINDOWS - 1], sums[KNOWN + WINDOWS - 1]
        weighted, weighted_frauds = sums[WEIGHTED], sums[WEIGHTED_FRAUDS]
        prior = PRIOR_TRANSACTIONS * WEIGHT_UNIT * min(1.0, int(frauds.sum()) / max(int(transactions.sum()), 1))
        recent = (np.minimum(weighted_frauds, weighted) + prior) / (weighted + PRIOR_TRANSACTIONS * WEIGHT_UNIT)
        had = sums[FIRST_BACK] > 0
        days_since = served_day - last_day - 1 + sums[FIRST_BACK]
        return {
            **counts,
            **shares,
            "risk_recent": np.where(transactions > 0, recent, np.nan),
            "genuine_since_fraud": np.where(had, sums[GENUINE], np.nan),
            "days_since_first_fraud": np.where(had, days_since, np.nan),
        }

    def to_arrays(self, name: str, places: int) -> dict[str, npt.NDArray[Any]]:
        """The ledger as arrays for a snapshot."""
        arrays: dict[str, npt.NDArray[Any]] = {}
        for kind, buckets in (("transactions", self.transactions), ("frauds", self.frauds)):
            days = sorted(buckets)
            table = np.zeros((len(days), places), np.int32)
            for row, day in zip(table, days, strict=True):
                row[: len(buckets[day])] = buckets[day]
            arrays |= {f"{name}_{kind}_days": np.array(days, np.int64), f"{name}_{kind}": table}
        return arrays

    @staticmethod
    def layout(name: str) -> ArrayLayout:
        """Type and shape of what `to_arrays` gives."""
        buckets: ArrayLayout = {}
        for kind in ("transactions", "frauds"):
            buckets |= {f"{name}_{kind}_days": (np.int64, (None,)), f"{name}_{kind}": (np.int32, (None, None))}
        return buckets

    @classmethod
    def from_arrays(cls, name: str, arrays: dict[str, npt.NDArray[Any]]) -> "PlaceLedger":
        """The ledger that `to_arrays` wrote."""
        buckets = [
            dict(zip(arrays[f"{name}_{kind}_days"].tolist(), arrays[f"{name}_{kind}"], strict=True))
            for kind in ("transactions", "frauds")
        ]
        return cls(*buckets)


def _count(buckets: Buckets, days: Int64s, codes: Int32s, places: int) -> None:
    known = codes >= 0
    days, codes = days[known], codes[known]
    for day in np.unique(days).tolist():
        bucket = np.bincount(codes[days == day], minlength=places).astype(np.int32)
        _add_bucket(bucket, buckets.get(day))
        buckets[day] = bucket


def _add_bucket(total: Int32s | Int64s, bucket: Int32s | None) -> None:
    if bucket is not None:
        total[: len(bucket)] += bucket


def _table(buckets: Buckets, last_day: int, places: int) -> Int32s:
    """Buckets of the last `DAYS` business days, the latest first, int32 [DAYS, places]."""
    table = np.zeros((DAYS, places), np.int32)
    for back, row in enumerate(table):
        bucket = buckets.get(last_day - back)
        if bucket is not None:
            row[: len(bucket)] = bucket
    return table


@compiled
def _sum(made: Int32s, known: Int32s, windows: Int64s, weights: Int64s, sums: Int64s) -> None:
    """Sums of a place's transactions and known frauds (int32 [DAYS, places], the latest day first) into `sums` (zeros,
    int64 [SUMS, places])."""
    every, every_fraud = sums[MADE + WINDOWS - 1], sums[KNOWN + WINDOWS - 1]  # up to the day reached, in the end of all
    for back in range(made.shape[0]):
        for place in range(made.shape[1]):
            transactions, frauds = made[back, place], known[back, place]
            every[place] += transactions
            every_fraud[place] += frauds
            sums[WEIGHTED, place] += weights[back] * transactions
            sums[WEIGHTED_FRAUDS, place] += weights[back] * frauds
            sums[FIRST_BACK, place] = back + 1 if frauds > 0 else sums[FIRST_BACK, place]
            sums[GENUINE, place] += transactions if sums[FIRST_BACK, place] == 0 else 0
        for window in range(WINDOWS - 1):
            if windows[window] == back + 1:
                sums[MADE + window], sums[KNOWN + window] = every, every_fraud


def share(part: Int64s, whole: Int64s) -> npt.NDArray[np.float64]:
    """Part over whole; NaN where there is no whole, at most 1 (a reported transaction may never have come)."""
    found = np.full(len(whole), np.nan)
    np.divide(np.minimum(part, whole), whole, out=found, where=whole > 0)
    return found
