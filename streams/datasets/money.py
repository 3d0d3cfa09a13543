"""Amounts in several currencies, in minor units of each."""

import logging

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streams.currencies import CURRENCIES
from streams.datasets.transfer_mapping import MoneyField
from streams.datasets.values import AMOUNT_MINOR_MAX, Column, as_amount_minor, as_numbers
from streams.markets import CURRENCY_RATES

CURRENCY_CHECK = (
    "|".join(dict.fromkeys((*CURRENCIES, *CURRENCY_RATES))),
    "is no currency code of ISO 4217 (three capital letters, such as EUR), nor XBT",
)
"""Transfers may be in what has a rate, too: bitcoins have no code of ISO's."""

_log = logging.getLogger("riskbench.streams")

NO_DECIMALS = frozenset(
    (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    )
)
THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
BITCOIN, BITCOIN_DECIMALS = "XBT", 8


def decimals_of(currency: str) -> int:
    """Places behind the point of a currency (ISO 4217, list one; bitcoin, which it does not have, in satoshi)."""
    if currency == BITCOIN:
        return BITCOIN_DECIMALS
    return 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2


def as_money(column: Column, field: MoneyField, currency: pa.DictionaryArray, required: bool = True) -> pa.Array:
    """Amounts in minor units, int64; null only where `required` is false and the source has nothing.

    `currency` is each row's. Raises BadInputError naming the first row that is missing, negative or too large.
    """
    missing = np.zeros(len(column.values), bool)
    if not required:
        empty = column.values.is_null()
        missing = empty.to_numpy(zero_copy_only=False)
        blank = pa.scalar("0" if pa.types.is_string(column.values.type) else 0).cast(column.values.type)
        column = Column(column.file, column.name, column.key, pc.fill_null(column.values, blank))
    if not field.decimals_by_currency and field.above_max == "refuse":
        found = as_amount_minor(column, field)
    else:
        found = _by_row(column, field, currency)
    return pc.if_else(pa.array(missing), pa.scalar(None, pa.int64()), found)


def _by_row(column: Column, field: MoneyField, currency: pa.DictionaryArray) -> pa.Array:
    column.require_all()
    numbers = as_numbers(column, field.decimal_separator)
    column.refuse_first(pc.is_nan(numbers.cast(pa.float64())), "is missing; every row needs a value")
    column.refuse_first(pc.less(numbers, 0), "is negative; amounts are ≥ 0")
    scaled = np.rint(numbers.cast(pa.float64()).to_numpy(zero_copy_only=False) * _scale(field, currency))
    too_large = scaled > AMOUNT_MINOR_MAX
    if too_large.any() and field.above_max == "refuse":
        column.refuse_first(pa.array(too_large), f"is above the largest amount, {AMOUNT_MINOR_MAX:,} minor units")
    if too_large.any():
        _log.warning(
            "%s: column %r: %d amounts above %s minor units were set to that",
            column.file, column.name, int(too_large.sum()), f"{AMOUNT_MINOR_MAX:,}",
        )  # fmt: skip
    return pa.array(np.minimum(scaled, AMOUNT_MINOR_MAX).astype(np.int64))


def _scale(field: MoneyField, currency: pa.DictionaryArray) -> npt.NDArray[np.float64]:
    """Minor units of one major unit, by row."""
    if field.unit == "minor":
        return np.ones(len(currency))
    if not field.decimals_by_currency:
        return np.full(len(currency), float(10**field.decimals))
    of_code = np.array([10.0 ** decimals_of(name) for name in currency.dictionary.to_pylist()] or [1.0])
    return np.asarray(of_code[currency.indices.fill_null(0).to_numpy()], dtype=np.float64)
