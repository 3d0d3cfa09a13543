"""Countries as the world's codes: the market table as columns, in its order."""

import numpy as np

from streams.markets import MARKETS
from streams.worlds.arrays import Flags, Floats, Ints

COUNTRIES: tuple[str, ...] = tuple(MARKETS)
CODE: dict[str, int] = {code: position for position, code in enumerate(COUNTRIES)}
CURRENCIES: tuple[str, ...] = tuple(sorted({market.currency for market in MARKETS.values()}))
CURRENCY: Ints = np.array([CURRENCIES.index(market.currency) for market in MARKETS.values()])
"""Currency code by country."""
MINOR_PER_USD: Floats = np.array([float(market.minor_per_usd) for market in MARKETS.values()])
"""Minor units of the country's currency for a US dollar."""
UTC_OFFSET_H: Floats = np.array([float(market.utc_offset_h) for market in MARKETS.values()])
THRESHOLD_USD: Floats = np.array(
    [market.reporting_threshold_minor / market.minor_per_usd for market in MARKETS.values()]
)
"""From how much cash on a report is due, in US dollars."""
REMITTANCES_SENT: Floats = np.array([market.remittances_sent_share for market in MARKETS.values()])
"""What people send home from the country, of its domestic product."""
REMITTANCES_RECEIVED: Floats = np.array([market.remittances_received_share for market in MARKETS.values()])
"""What people get from kin abroad, of the country's domestic product."""
HOMELANDS: Floats = np.array([[market.homelands.get(code, 0.0) for code in COUNTRIES] for market in MARKETS.values()])
"""How many of those who came to the country (row) came from another one (column), as weights."""
IS_HIGH_RISK: Flags = np.array([bool(market.is_high_risk) for market in MARKETS.values()])
BANKS_PER_COUNTRY = 6
