"""How far one column alone gets: raw columns and the kernel's features, each by itself."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.catalog import FEATURES, Feature
from models.separability.checks import Check, Findings, rounded
from models.separability.material import Ints, Split, Truth
from models.separability.ranking import auc_error, bins, free_auc, rate_auc
from streams.labels import NS_PER_DAY, NS_PER_S

SINGLE_AUC_MAX = 0.80
RAW_CATEGORIES = (
    "card_id", "customer_id", "merchant_id", "terminal_id", "device_id", "category", "channel", "country", "currency",
)  # fmt: skip
RAW_NUMBERS = ("amount_minor", "latitude", "longitude")
Column = tuple[str, str, NDArray[np.float64] | None, Ints | None]
"""Name, what it is, numbers or None, codes of categories (or of bins of the numbers) or None."""
Row = dict[str, Any]


def raw_columns(truth: Truth, rows: Ints) -> Iterator[tuple[str, NDArray[np.float64] | None, Ints | None]]:
    """Raw columns of `rows` as (name, numbers or None, category codes ≥ 0 or None)."""
    for name in RAW_NUMBERS:
        if truth.has(name):
            values = truth.events[name].cast("float64").to_numpy()[rows]
            yield name, values, bins(values)
    for name in RAW_CATEGORIES:
        if truth.has(name):
            yield name, None, truth.codes(name)[rows] + 1
    if truth.has("is_refund"):
        yield "is_refund", None, truth.refunds()[rows].astype(np.int64)
    seconds = (truth.time_ns[rows] % NS_PER_DAY) / NS_PER_S
    yield "time of day", seconds, bins(seconds, 48)
    yield "day of the week", None, (truth.time_ns[rows] // NS_PER_DAY + 3) % 7


def candidates(truth: Truth, values: NDArray[np.float32], rows: Ints) -> Iterator[Column]:
    """Every column of `rows` as (name, what it is, numbers or None, category codes or None)."""
    for name, numbers, codes in raw_columns(truth, rows):
        yield name, "raw", numbers, codes
    yield from feature_columns(FEATURES, values, rows)


def feature_columns(features: Sequence[Feature], values: NDArray[np.float32], rows: Ints) -> Iterator[Column]:
    """The columns of a catalogue that hold something in `rows` of float32 [n, F]."""
    for index, feature in enumerate(features):
        column = values[rows, index].astype(np.float64)
        if np.isfinite(column).any():
            ordered = feature.kind != "category"
            yield feature.name, feature.family, column if ordered else None, bins(column) if ordered else _whole(column)


def _whole(column: NDArray[np.float64]) -> Ints:
    return np.where(np.isnan(column), -2, column).astype(np.int64) + 2


def measure(truth: Truth, values: NDArray[np.float32], split: Split) -> Findings:
    """The orientation-free AUC of every column alone.

    Numbers as they are and, so that U-shapes count too, as the fraud rate of their quantile bin; categories as their
    fraud rate. Rates are learnt on the first half of the rows and measured on the second.
    """
    rows = np.sort(split.rows)
    table = alone(candidates(truth, values, rows), truth.fraud[rows])
    return Findings((best_check("best single feature, AUC", table, truth.fraud[rows]),), {"single_features": table})


def alone(columns: Iterable[Column], positive: NDArray[np.bool_]) -> list[Row]:
    """Every column by itself, the best one first; rows are in order of time."""
    first = np.arange(len(positive)) < len(positive) // 2
    table: list[Row] = []
    for name, kind, numbers, codes in columns:
        direct = None if numbers is None else free_auc(numbers, positive)
        by_rate = None if codes is None else rate_auc(codes, positive, first)
        table.append({"feature": name, "kind": kind, "auc": rounded(max(direct or 0.0, by_rate or 0.0)),
                      "auc_as_is": rounded(direct), "auc_by_rate": rounded(by_rate)})  # fmt: skip
    table.sort(key=lambda row: (-float(row["auc"] or 0.0), str(row["feature"])))
    return table


def best_check(name: str, table: list[Row], positive: NDArray[np.bool_], throws: int | None = None) -> Check:
    """The best column's AUC; the standard error counts `throws` positives where they came together (None: all)."""
    best = table[0]
    area = float(best["auc"] or 0.5)
    positives = int(positive.sum()) if throws is None else throws
    error = auc_error(positives, int((~positive).sum()), area)
    return Check(
        "single feature", name, area, high=SINGLE_AUC_MAX,
        detail=f"{best['feature']} ({best['kind']}), standard error {error:.3f}; of {len(table)} columns",
    )  # fmt: skip
