"""Currencies and one fixed rate each, so that amounts of different currencies can be compared.

The rates are of the end of 2024, rounded, and never change: a simulated transfer must be worth the same in every run.
They serve for comparison, not for valuation. Minor digits are those of ISO 4217 (`XBT`, which has none: satoshi).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from streams.errors import BadInputError

RATES_OF = "2024-12-31, rounded"


@dataclass(frozen=True, slots=True)
class CurrencyRate:
    """A currency: digits behind the point of its minor unit, and major units for one US dollar."""

    code: str
    minor_digits: int
    per_usd: float

    @property
    def minor_per_usd(self) -> float:
        """Minor units for one US dollar."""
        return self.per_usd * 10.0**self.minor_digits


_ALL = (
    CurrencyRate("AED", 2, 3.6725),
    CurrencyRate("AUD", 2, 1.61),
    CurrencyRate("BDT", 2, 119.5),
    CurrencyRate("BHD", 3, 0.376),
    CurrencyRate("BRL", 2, 6.19),
    CurrencyRate("CAD", 2, 1.44),
    CurrencyRate("CHF", 2, 0.906),
    CurrencyRate("CLP", 0, 995.0),
    CurrencyRate("CNY", 2, 7.3),
    CurrencyRate("COP", 2, 4405.0),
    CurrencyRate("CZK", 2, 24.3),
    CurrencyRate("DKK", 2, 7.18),
    CurrencyRate("DZD", 2, 135.5),
    CurrencyRate("EGP", 2, 50.8),
    CurrencyRate("EUR", 2, 0.963),
    CurrencyRate("GBP", 2, 0.799),
    CurrencyRate("HKD", 2, 7.77),
    CurrencyRate("HUF", 2, 397.0),
    CurrencyRate("ILS", 2, 3.65),
    CurrencyRate("INR", 2, 85.6),
    CurrencyRate("JPY", 0, 157.0),
    CurrencyRate("KES", 2, 129.3),
    CurrencyRate("KRW", 0, 1473.0),
    CurrencyRate("LKR", 2, 292.5),
    CurrencyRate("MAD", 2, 10.1),
    CurrencyRate("MMK", 2, 2100.0),
    CurrencyRate("MUR", 2, 47.0),
    CurrencyRate("MXN", 2, 20.8),
    CurrencyRate("MYR", 2, 4.47),
    CurrencyRate("NGN", 2, 1540.0),
    CurrencyRate("NOK", 2, 11.36),
    CurrencyRate("NPR", 2, 137.0),
    CurrencyRate("NZD", 2, 1.79),
    CurrencyRate("PEN", 2, 3.75),
    CurrencyRate("PHP", 2, 58.0),
    CurrencyRate("PKR", 2, 278.5),
    CurrencyRate("PLN", 2, 4.13),
    CurrencyRate("QAR", 2, 3.64),
    CurrencyRate("RON", 2, 4.79),
    CurrencyRate("RUB", 2, 110.0),
    CurrencyRate("SAR", 2, 3.75),
    CurrencyRate("SEK", 2, 11.03),
    CurrencyRate("SGD", 2, 1.364),
    CurrencyRate("THB", 2, 34.1),
    CurrencyRate("TRY", 2, 35.3),
    CurrencyRate("TWD", 2, 32.8),
    CurrencyRate("UAH", 2, 42.0),
    CurrencyRate("USD", 2, 1.0),
    CurrencyRate("VND", 0, 25480.0),
    CurrencyRate("XBT", 8, 1.07e-5),
    CurrencyRate("XOF", 0, 632.0),
    CurrencyRate("ZAR", 2, 18.8),
)
CURRENCY_RATES: dict[str, CurrencyRate] = {rate.code: rate for rate in _ALL}


def usd_minor(amount_minor: NDArray[np.int64], currency: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Amounts in US cents, float64 [n]; NaN where the amount's currency is not given (null).

    `amount_minor` int64 [n] in minor units of `currency` [n] (strings, plain or dictionary-encoded). Raises
    `BadInputError` for a currency without a rate.
    """
    if isinstance(currency, pa.ChunkedArray):
        currency = currency.combine_chunks()
    if not pa.types.is_dictionary(currency.type):
        currency = pc.dictionary_encode(currency.cast(pa.string()))
    rates = np.append(cents_per_minor(currency.dictionary.to_pylist()), np.nan)
    codes = np.asarray(currency.indices.fill_null(len(rates) - 1))
    used = rates[codes]
    if np.isneginf(used).any():
        unknown = currency.dictionary[int(codes[np.isneginf(used)][0])].as_py()
        raise BadInputError(f"currency {unknown!r} has no rate; known: {', '.join(CURRENCY_RATES)}")
    result: NDArray[np.float64] = amount_minor * used
    return result


def cents_per_minor(currencies: list[str]) -> NDArray[np.float64]:
    """US cents for one minor unit of each currency, float64 [n]; -inf for a currency without a rate."""
    known = (CURRENCY_RATES.get(code) for code in currencies)
    return np.array([100.0 / rate.minor_per_usd if rate else -np.inf for rate in known], np.float64)
