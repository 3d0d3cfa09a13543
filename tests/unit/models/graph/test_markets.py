"""Markets as arrays."""

import dataclasses

import pytest

from models.graph.markets import MarketTable, every_market
from streams.errors import BadInputError
from streams.labels import NS_PER_HOUR
from streams.markets import MARKETS
from tests.unit.models.graph.transfers import MARKETS as FEW
from tests.unit.models.graph.transfers import TABLE


def test_attributes_stand_at_the_codes_of_their_countries() -> None:
    arrays, code = TABLE.arrays, {country: place for place, country in enumerate(TABLE.countries)}
    assert arrays.threshold[code["IN"]] == round(100_000_000 * 100 / 8_350)
    assert arrays.threshold[code["AE"]] == arrays.threshold[-1] == 1_000_000
    assert arrays.utc_offset_ns[code["IN"]] == 5.5 * NS_PER_HOUR
    assert [(int(arrays.weekend[code["AE"]]) >> day) & 1 for day in range(7)] == [0, 0, 0, 0, 1, 1, 0]
    assert (arrays.corridor_risk[code["DE"], code["KP"]], arrays.corridor_risk[code["KP"], code["DE"]]) == (3, 1)
    assert arrays.is_high_risk.sum() == arrays.is_high_risk[code["AE"]] == 1


def test_a_currency_has_one_rate() -> None:
    other = dataclasses.replace(FEW[0], code="FR", minor_per_usd=93.0)
    with pytest.raises(BadInputError, match=r"market FR: minor_per_usd is 93\.0, but 92\.0 elsewhere for EUR"):
        MarketTable.of([*FEW, other])


def test_every_market_is_there_with_its_rate() -> None:
    table = every_market()
    code = {country: place for place, country in enumerate(table.countries)}
    for market in MARKETS.values():
        place = code[market.code]
        assert table.arrays.threshold[place] == round(market.reporting_threshold_usd_minor)
        assert bool(table.arrays.is_high_risk[place]) is market.is_high_risk
        rate = table.arrays.minor_per_usd[table.currencies.index(market.currency)]
        assert rate == market.minor_per_usd
    assert table.arrays.is_high_risk[code["KP"]] == 1
