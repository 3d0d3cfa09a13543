"""docs/markets.md lists the markets as they are."""

from pathlib import Path

from streams.markets import MARKETS
from streams.markets.market import DEFAULT_THRESHOLD_USD, PROMPT_FILING_DAYS, MarketFile, Movable

PAGE = (Path(__file__).parents[4] / "docs" / "markets.md").read_text()
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def test_the_page_lists_every_market() -> None:
    for market in MARKETS.values():
        usd = f"{market.reporting_threshold_usd_minor / 100:,.0f}" + "*" * market.is_default_threshold
        weekend = " ".join(WEEKDAYS[day] for day in market.weekend)
        row = (market.code, market.name, market.currency, usd, weekend, str(market.filing_deadline_days))
        assert f"| {' | '.join(row)} |\n" in PAGE
    assert sum(line.startswith(tuple(f"| {code} |" for code in MARKETS)) for line in PAGE.splitlines()) == len(MARKETS)


def test_the_page_explains_every_key_and_default() -> None:
    for key in (*MarketFile.model_fields, *(name for name in Movable.model_fields if name != "easter")):
        assert f"| `{key}`" in PAGE
    assert f"`null` where the law looks at none: {DEFAULT_THRESHOLD_USD:,} USD stand in" in PAGE
    assert f"as soon as practicable: {PROMPT_FILING_DAYS} stand in" in PAGE
