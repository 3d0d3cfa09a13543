"""What the graph kernel has to know of markets, as arrays over country codes, and of currencies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.graph.kernel.layout import MarketArrays
from streams.errors import BadInputError
from streams.labels import NS_PER_HOUR
from streams.markets import CURRENCY_RATES, MARKETS
from streams.markets.corridors import HIGH_RISK

DEFAULT_THRESHOLD_USD_CENTS = 1_000_000
"""Reporting threshold where a market has none, and of every country that is no market: 10,000 US dollars."""
DEFAULT_WEEKEND = (5, 6)
CORRIDOR_RISK_DEFAULT = 1
USD_CENTS_PER_USD = 100


class MarketFacts(Protocol):
    """What is asked of a market."""

    @property
    def code(self) -> str:
        """ISO 3166, two letters."""

    @property
    def currency(self) -> str:
        """ISO 4217."""

    @property
    def minor_per_usd(self) -> float:
        """Minor units of the currency to a US dollar."""

    @property
    def reporting_threshold_minor(self) -> int | None:
        """Amount from which cash is reported, in the market's currency; None: no such duty."""

    @property
    def weekend(self) -> Iterable[int]:
        """Weekdays without business, Monday is 0."""

    @property
    def utc_offset_h(self) -> float:
        """Local time minus UTC."""

    @property
    def corridor_risk(self) -> Mapping[str, int]:
        """Risk 1 to 3 of payments to and from other countries; 1 where nothing is said."""

    @property
    def is_high_risk(self) -> bool:
        """Whether the country is on a list of high-risk jurisdictions."""


@dataclass(frozen=True, slots=True, eq=False)
class MarketTable:
    """Attributes of `countries`, in the order of their codes, and of `currencies`; the last row of the arrays stands
    for every country that is not among them."""

    countries: tuple[str, ...]
    currencies: tuple[str, ...]
    arrays: MarketArrays

    @classmethod
    def of(
        cls,
        markets: Iterable[MarketFacts],
        minor_per_usd: Mapping[str, float] | None = None,
        high_risk: Iterable[str] = (),
    ) -> "MarketTable":
        """The table of these markets and, with their currencies, of those in `minor_per_usd`; `high_risk` are countries
        on a list of high-risk jurisdictions, markets or not.

        Raises `BadInputError` when two markets of one currency do not agree on its rate.
        """
        found = list(markets)
        rates = {"USD": float(USD_CENTS_PER_USD), **(minor_per_usd or {})}
        for market in found:
            rate = rates.setdefault(market.currency, float(market.minor_per_usd))
            if rate != market.minor_per_usd:
                raise BadInputError(
                    f"market {market.code}: minor_per_usd is {market.minor_per_usd}, but {rate} elsewhere for"
                    f" {market.currency}; a currency has one rate"
                )
        listed = set(high_risk)
        named = {country for market in found for country in market.corridor_risk} | listed
        others = sorted(named - {market.code for market in found})
        countries = (*(market.code for market in found), *others)
        arrays = _default_arrays(len(countries), np.array(list(rates.values()), np.float64))
        for place, market in enumerate(found):
            _fill(arrays, place, market, countries)
        for country in listed:
            arrays.is_high_risk[countries.index(country)] = 1
        return cls(countries, tuple(rates), arrays)


def every_market() -> MarketTable:
    """The table of all markets, currencies and high-risk jurisdictions of `streams.markets`."""
    rates = {code: rate.minor_per_usd for code, rate in CURRENCY_RATES.items()}
    return MarketTable.of(MARKETS.values(), rates, HIGH_RISK)


def _default_arrays(countries: int, rates: npt.NDArray[np.float64]) -> MarketArrays:
    rows = countries + 1
    return MarketArrays(
        threshold=np.full(rows, DEFAULT_THRESHOLD_USD_CENTS, np.int64),
        utc_offset_ns=np.zeros(rows, np.int64),
        weekend=np.full(rows, _weekdays(DEFAULT_WEEKEND), np.int64),
        is_high_risk=np.zeros(rows, np.int64),
        corridor_risk=np.full((rows, rows), CORRIDOR_RISK_DEFAULT, np.int64),
        minor_per_usd=rates,
    )


def _weekdays(days: Iterable[int]) -> int:
    return sum(1 << day for day in days)


def _fill(arrays: MarketArrays, place: int, market: MarketFacts, countries: tuple[str, ...]) -> None:
    if market.reporting_threshold_minor is not None:
        cents = market.reporting_threshold_minor * USD_CENTS_PER_USD / market.minor_per_usd
        arrays.threshold[place] = max(round(cents), 1)
    arrays.utc_offset_ns[place] = round(market.utc_offset_h * NS_PER_HOUR)
    arrays.weekend[place] = _weekdays(market.weekend)
    arrays.is_high_risk[place] = market.is_high_risk
    for country, risk in market.corridor_risk.items():
        arrays.corridor_risk[place, countries.index(country)] = risk


def market_arrays(table: MarketTable) -> dict[str, npt.NDArray[Any]]:
    """The attributes by name, for a snapshot."""
    return {f"market_{name}": getattr(table.arrays, name) for name in MarketArrays._fields}


MARKET_LAYOUT: dict[str, tuple[Any, tuple[int | None, ...]]] = {
    "market_threshold": (np.int64, (None,)),
    "market_utc_offset_ns": (np.int64, (None,)),
    "market_weekend": (np.int64, (None,)),
    "market_is_high_risk": (np.int64, (None,)),
    "market_corridor_risk": (np.int64, (None, None)),
    "market_minor_per_usd": (np.float64, (None,)),
}
"""Type and shape of what `market_arrays` gives."""
