"""The markets as columns, for worlds and kernels: looked up by number, not by name."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streams.markets.corridors import HIGH_RISK, RISK_MAX, RISK_MIN
from streams.markets.registry import MARKETS

NS_PER_HOUR = 3_600_000_000_000

COUNTRIES: tuple[str, ...] = (
    *MARKETS,
    *sorted({*HIGH_RISK, *(code for market in MARKETS.values() for code in market.corridor_risk)} - set(MARKETS)),
)
"""Every country there is something to say of: markets first, in the registry's order, then those only paid to."""
COUNTRY_NUMBER: dict[str, int] = {code: number for number, code in enumerate(COUNTRIES)}
OTHER_COUNTRY = len(COUNTRIES)
"""Number of a country that nothing is said of, and of one that is not known."""

THRESHOLD_USD_MINOR: NDArray[np.float64] = np.array([m.reporting_threshold_usd_minor for m in MARKETS.values()])
"""Reporting threshold of each market in US cents, float64 [markets]."""
UTC_OFFSET_NS: NDArray[np.int64] = np.array([round(m.utc_offset_h * NS_PER_HOUR) for m in MARKETS.values()], np.int64)
"""Local standard time minus UTC, int64 [markets]."""
WEEKEND: NDArray[np.bool_] = np.array([[day in m.weekend for day in range(7)] for m in MARKETS.values()])
"""Whether a weekday (Monday is 0) is one of rest, bool [markets, 7]."""


def _corridor_risk() -> NDArray[np.int8]:
    risk = np.full((OTHER_COUNTRY + 1, OTHER_COUNTRY + 1), RISK_MIN, np.int8)
    listed = [COUNTRY_NUMBER[code] for code in HIGH_RISK]
    risk[listed, :] = risk[:, listed] = RISK_MAX
    for market in MARKETS.values():
        for other, level in market.corridor_risk.items():
            ends = COUNTRY_NUMBER[market.code], COUNTRY_NUMBER[other]
            for corridor in (ends, ends[::-1]):
                risk[corridor] = max(risk[corridor], level)
    known = np.arange(OTHER_COUNTRY)
    risk[known, known] = RISK_MIN  # within a country no border is crossed
    return risk


CORRIDOR_RISK: NDArray[np.int8] = _corridor_risk()
"""Risk of a payment between two countries, 1 to 3, int8 [countries + 1, countries + 1]; the same both ways.

The higher of what either market says of the other, and 3 where one of them is on the FATF's lists. The last row and
column are countries that nothing is said of.
"""


def country_numbers(codes: Sequence[str | None]) -> NDArray[np.int32]:
    """Numbers of countries by code, int32 [n]; `OTHER_COUNTRY` for those that nothing is said of and for None."""
    return np.array([COUNTRY_NUMBER.get(code or "", OTHER_COUNTRY) for code in codes], np.int32)


def is_weekend(time_ns: NDArray[np.int64], market: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether instants (UTC) fall on a day of rest by the market's own clock, bool [n]; `market` numbers of markets."""
    local_day = (time_ns + UTC_OFFSET_NS[market]) // (24 * NS_PER_HOUR)
    result: NDArray[np.bool_] = WEEKEND[market, (local_day + 3) % 7]
    return result
