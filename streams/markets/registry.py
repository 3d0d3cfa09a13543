"""The registry of markets: one file in `jurisdictions/` and one code here each. New ones go at the end.

Worlds that ask for a number of markets take them from the front, so the first ones differ in law, currency and habits.
"""

from pathlib import Path

from streams.markets.market import Market, read_market

JURISDICTIONS = Path(__file__).parent / "jurisdictions"
CODES: tuple[str, ...] = (
    *("DE", "GB", "US", "FR", "JP", "AE", "IN", "BR", "SG", "MX"),
    *("ZA", "IL", "CH", "AU", "CA", "PL", "TR", "HK", "NG", "ES"),
    *("IT", "NL", "BE", "AT", "LU", "IE", "PT", "GR", "FI", "SE"),
    *("DK", "NO", "CZ", "HU", "RO", "HR", "SI", "SK", "EE", "LT"),
    *("CY", "MT", "UA", "SA", "QA", "BH", "EG", "MA", "DZ", "KE"),
    *("MU", "CI", "KR", "CN", "TW", "TH", "MY", "PH", "VN", "MM"),
    *("PK", "BD", "LK", "NP", "NZ", "CL", "CO", "PE", "PA", "VG"),
)
MARKETS: dict[str, Market] = {code: read_market(JURISDICTIONS / f"{code}.yaml") for code in CODES}
