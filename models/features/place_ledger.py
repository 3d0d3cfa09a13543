"""Transactions and reported frauds of one kind of place, in buckets of a business day, and the risk they tell of."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Int32s, Int64s
from models.features.place_kinds import RISK_WINDOWS_DAYS
from streams.kernels.compiled import compiled

Buckets = dict[int, Int32s]
Sparse = dict[int, dict[int, int]]
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
"""Transactions on days after its last fraud, of places that had one; how many days back its first one lies, the last
day being 1 (0: none)."""


class PlaceLedger:
    """For each business day held one bucket a place, by the place's code: transactions, and, of the few places that had
    any, frauds known of them."""

    __slots__ = ("_frauds_listed", "frauds", "transactions")

    def __init__(self, transactions: Buckets, frauds: Sparse) -> None:
        self.transactions = transactions
        self.frauds = frauds
        self._frauds_listed: dict[int, tuple[Int32s, Int32s]] = {}

    @classmethod
    def empty(cls) -> "PlaceLedger":
        """No place, no day."""
        return cls({}, {})

    def add_transactions(self, day: int, codes: Int32s, places: int) -> None:
        """Count transactions made on a business day; code -1 (no place) is passed over. `places` is the number of codes
        given out so far."""
        codes = codes[codes >= 0]
        if len(codes):
            bucket = np.bincount(codes, minlength=places).astype(np.int32)
            held = self.transactions.get(day)
            if held is not None:
                bucket[: len(held)] += held
            self.transactions[day] = bucket

    def add_frauds(self, days: Int64s, codes: Int32s) -> None:
        """Count frauds that have become known, by the business day of their transaction."""
        for day, code in zip(days.tolist(), codes.tolist(), strict=True):
            if code >= 0:
                of_day = self.frauds.setdefault(day, {})
                of_day[code] = of_day.get(code, 0) + 1
                self._frauds_listed.pop(day, None)

    def forget(self, last_day: int) -> None:
        """Drop the buckets of business days up to and including `last_day`."""
        held: dict[int, Any]
        for held in (self.transactions, self.frauds, self._frauds_listed):
            for day in [day for day in held if day <= last_day]:
                del held[day]

    def frauds_in(self, last_day: int, days: int, places: int) -> Int64s:
        """Frauds known of each place in `days` business days that end with `last_day`, int64 [places]."""
        total = np.zeros(places, np.int64)
        for back in range(days):
            codes, frauds = self._frauds_of(last_day - back)
            total[codes] += frauds
        return total

    def risk(self, last_day: int, served_day: int, places: int) -> Columns:
        """Columns of delayed risk over windows that end with `last_day`, float64 [places] each, for events of the
        calendar day `served_day`.

        Counts and shares: the Fraud Detection Handbook's terminal risk (chapter 3, "Baseline feature transformation"),
        with whole business days in place of a sliding window.
        """
        sums = self._sums(last_day, places)
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

    def _sums(self, last_day: int, places: int) -> Int64s:
        """Sums over the `DAYS` business days that end with `last_day`, int64 [SUMS, places]."""
        sums = np.zeros((SUMS, places), np.int64)
        for back, weight in enumerate(RECENT_WEIGHTS):
            made = self.transactions.get(last_day - back, NO_PLACE)
            codes, frauds = self._frauds_of(last_day - back)
            if len(made) or len(codes):
                add_day(made, codes, frauds, back, weight, sums)
            if back + 1 in RISK_WINDOWS_DAYS[:-1]:
                window = RISK_WINDOWS_DAYS.index(back + 1)
                sums[[MADE + window, KNOWN + window]] = sums[[MADE + WINDOWS - 1, KNOWN + WINDOWS - 1]]
        return sums

    def _frauds_of(self, day: int) -> tuple[Int32s, Int32s]:
        """The places that had frauds on a day, and how many each."""
        listed = self._frauds_listed.get(day)
        if listed is None:
            found = self.frauds.get(day, {})
            codes, frauds = np.fromiter(found, np.int32, len(found)), np.fromiter(found.values(), np.int32, len(found))
            listed = self._frauds_listed[day] = codes, frauds
        return listed

    def to_arrays(self, name: str, places: int) -> dict[str, npt.NDArray[Any]]:
        """The ledger as arrays for a snapshot."""
        made, known = sorted(self.transactions), sorted(self.frauds)
        tables = np.zeros((len(made), places), np.int32), np.zeros((len(known), places), np.int32)
        for row, day in zip(tables[0], made, strict=True):
            row[: len(self.transactions[day])] = self.transactions[day]
        for row, day in zip(tables[1], known, strict=True):
            codes, frauds = self._frauds_of(day)
            row[codes] = frauds
        return {
            f"{name}_transactions_days": np.array(made, np.int64),
            f"{name}_transactions": tables[0],
            f"{name}_frauds_days": np.array(known, np.int64),
            f"{name}_frauds": tables[1],
        }

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
        transactions = dict(
            zip(arrays[f"{name}_transactions_days"].tolist(), arrays[f"{name}_transactions"], strict=True)
        )
        frauds: Sparse = {}
        for day, row in zip(arrays[f"{name}_frauds_days"].tolist(), arrays[f"{name}_frauds"], strict=True):
            codes = np.flatnonzero(row)
            frauds[day] = dict(zip(codes.tolist(), row[codes].tolist(), strict=True))
        return cls(transactions, frauds)


NO_PLACE: Int32s = np.zeros(0, np.int32)


@compiled
def add_day(made: Int32s, codes: Int32s, frauds: Int32s, back: int, weight: int, sums: Int64s) -> None:
    """Add a day to `sums` (int64 [SUMS, places]), to which all later days were added before: its transactions of each
    place, and of the places in `codes` its known frauds. The widest windows stand for all days added."""
    every, weighted = sums[MADE + WINDOWS - 1], sums[WEIGHTED]
    for row in range(len(codes)):
        place = codes[row]
        if sums[FIRST_BACK, place] == 0:
            sums[GENUINE, place] = every[place]
        sums[FIRST_BACK, place] = back + 1
        sums[KNOWN + WINDOWS - 1, place] += frauds[row]
        sums[WEIGHTED_FRAUDS, place] += weight * frauds[row]
    for place in range(len(made)):
        every[place] += made[place]
        weighted[place] += weight * made[place]


def share(part: Int64s, whole: Int64s) -> npt.NDArray[np.float64]:
    """Part over whole; NaN where there is no whole, at most 1 (a reported transaction may never have come)."""
    found = np.full(len(whole), np.nan)
    np.divide(np.minimum(part, whole), whole, out=found, where=whole > 0)
    return found
