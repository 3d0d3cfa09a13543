"""Transactions and reported frauds of one kind of place (terminals or merchants), in buckets of a business day."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Float32s, Int32s, Int64s
from models.features.catalog import RISK_WINDOWS_DAYS
from models.features.interner import Interner

Buckets = dict[int, Int32s]


class PlaceLedger:
    """For each business day held one bucket a place, by the place's code: transactions, and frauds known of them."""

    __slots__ = ("frauds", "places", "transactions")

    def __init__(self, places: Interner, transactions: Buckets, frauds: Buckets) -> None:
        self.places = places
        self.transactions = transactions
        self.frauds = frauds

    @classmethod
    def empty(cls) -> "PlaceLedger":
        """No place, no day."""
        return cls(Interner(), {}, {})

    def add_transactions(self, days: Int64s, codes: Int32s) -> None:
        """Count transactions by the business day they were made; code -1 (no place) is passed over."""
        _count(self.transactions, days, codes, len(self.places))

    def add_frauds(self, days: Int64s, codes: Int32s) -> None:
        """Count frauds that have become known, by the business day of their transaction."""
        _count(self.frauds, days, codes, len(self.places))

    def forget(self, last_day: int) -> None:
        """Drop the buckets of business days up to and including `last_day`."""
        for buckets in (self.transactions, self.frauds):
            for day in [day for day in buckets if day <= last_day]:
                del buckets[day]

    def rows(self, last_day: int) -> tuple[tuple[str, ...], Float32s]:
        """Ids and rows [m, 6] (counts, then risks, over 1, 7 and 30 days that end with `last_day`) of places in use."""
        counts, risks = [], []
        transactions = np.zeros(len(self.places), np.int64)
        frauds = np.zeros(len(self.places), np.int64)
        for back in range(max(RISK_WINDOWS_DAYS)):
            _add_bucket(transactions, self.transactions.get(last_day - back))
            _add_bucket(frauds, self.frauds.get(last_day - back))
            if back + 1 in RISK_WINDOWS_DAYS:
                counts.append(transactions.copy())
                risks.append(_share(frauds, transactions))
        used = np.flatnonzero(transactions)
        values = np.stack([*counts, *risks], axis=1)[used].astype(np.float32)
        strings = self.places.strings()
        return tuple(strings[code] for code in used.tolist()), values

    def to_arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """The ledger as arrays for a snapshot."""
        arrays = self.places.to_arrays(name)
        for kind, buckets in (("transactions", self.transactions), ("frauds", self.frauds)):
            days = sorted(buckets)
            table = np.zeros((len(days), len(self.places)), np.int32)
            for row, day in zip(table, days, strict=True):
                row[: len(buckets[day])] = buckets[day]
            arrays |= {f"{name}_{kind}_days": np.array(days, np.int64), f"{name}_{kind}": table}
        return arrays

    @staticmethod
    def layout(name: str) -> dict[str, tuple[Any, tuple[int | None, ...]]]:
        """Type and shape of what `to_arrays` gives."""
        buckets: dict[str, tuple[Any, tuple[int | None, ...]]] = {}
        for kind in ("transactions", "frauds"):
            buckets |= {f"{name}_{kind}_days": (np.int64, (None,)), f"{name}_{kind}": (np.int32, (None, None))}
        return Interner.layout(name) | buckets

    @classmethod
    def from_arrays(cls, name: str, arrays: dict[str, npt.NDArray[Any]]) -> "PlaceLedger":
        """The ledger that `to_arrays` wrote."""
        buckets = [
            dict(zip(arrays[f"{name}_{kind}_days"].tolist(), arrays[f"{name}_{kind}"], strict=True))
            for kind in ("transactions", "frauds")
        ]
        return cls(Interner.from_arrays(arrays[f"{name}_text"], arrays[f"{name}_lengths"]), *buckets)


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


def _share(frauds: Int64s, transactions: Int64s) -> npt.NDArray[np.float64]:
    """Frauds over transactions; NaN where there is no transaction, at most 1 where a transaction never came."""
    share = np.full(len(transactions), np.nan)
    np.divide(np.minimum(frauds, transactions), transactions, out=share, where=transactions > 0)
    return share
