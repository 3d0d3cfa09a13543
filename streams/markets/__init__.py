"""Markets: jurisdictions with their currency, reporting threshold, calendar, typology mix and corridors.

Figures are for orientation in simulations, no legal advice.
"""

from streams.markets.currencies import CURRENCY_RATES, usd_minor
from streams.markets.market import Market, read_market
from streams.markets.registry import MARKETS

__all__ = ["CURRENCY_RATES", "MARKETS", "Market", "read_market", "usd_minor"]
