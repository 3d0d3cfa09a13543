"""Markets as columns, and amounts of different currencies."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from streams.errors import BadInputError
from streams.markets import CURRENCY_RATES, MARKETS, usd_minor
from streams.markets.columns import (
    CORRIDOR_RISK,
    COUNTRIES,
    COUNTRY_NUMBER,
    OTHER_COUNTRY,
    THRESHOLD_USD_MINOR,
    country_numbers,
    is_weekend,
)


def ns(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000_000  # type: ignore[arg-type,misc]


@pytest.mark.parametrize("encoded", [False, True])
def test_amounts_become_cents(encoded: bool) -> None:
    currency = pa.array(["USD", "JPY", None, "BHD", "USD"])
    if encoded:
        currency = currency.dictionary_encode()
    found = usd_minor(np.array([100, 157, 5, 376, 250], np.int64), currency)
    np.testing.assert_allclose(found, [100, 100, np.nan, 100, 250])


def test_amounts_of_chunks_with_dictionaries_of_their_own() -> None:
    chunks = [pa.array(["USD", "JPY"]).dictionary_encode(), pa.array(["JPY"]).dictionary_encode()]
    found = usd_minor(np.array([100, 157, 314], np.int64), pa.chunked_array(chunks))
    np.testing.assert_allclose(found, [100, 100, 200])


def test_a_currency_without_a_rate_is_refused_unless_no_amount_is_in_it() -> None:
    currency = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), pa.array(["USD", "QQQ"]))
    with pytest.raises(BadInputError, match="'QQQ' has no rate; known: AED"):
        usd_minor(np.array([1, 2], np.int64), currency)
    np.testing.assert_allclose(usd_minor(np.array([1], np.int64), currency.slice(0, 1)), [1.0])


def test_thresholds_stand_in_the_order_of_the_registry() -> None:
    assert THRESHOLD_USD_MINOR[COUNTRY_NUMBER["US"]] == 1_000_000
    for code, cents in zip(MARKETS, THRESHOLD_USD_MINOR, strict=True):
        rate = CURRENCY_RATES[MARKETS[code].currency]
        assert cents == pytest.approx(MARKETS[code].reporting_threshold_minor / rate.minor_per_usd * 100)


def test_corridors_are_the_same_both_ways_and_high_where_the_fatf_says_so() -> None:
    assert (CORRIDOR_RISK == CORRIDOR_RISK.T).all()
    assert (np.diag(CORRIDOR_RISK) == 1).all()
    number = country_numbers(["DE", "GB", "TR", "KP", "VG", "QQ", None])
    assert number[-2] == number[-1] == OTHER_COUNTRY
    risk = CORRIDOR_RISK[number[0], number]
    assert risk.tolist() == [1, 1, 2, 3, 3, 1, 1]
    assert CORRIDOR_RISK[OTHER_COUNTRY, number[3]] == 3


def test_every_corridor_of_every_file_is_in_the_matrix() -> None:
    for market in MARKETS.values():
        for other, level in market.corridor_risk.items():
            assert CORRIDOR_RISK[COUNTRY_NUMBER[market.code], COUNTRY_NUMBER[other]] >= level
    assert tuple(MARKETS) == COUNTRIES[: len(MARKETS)]


def test_the_weekend_is_that_of_the_market_at_its_own_hour() -> None:
    friday_noon, friday_night, sunday = ns(2026, 3, 6, 12), ns(2026, 3, 6, 20), ns(2026, 3, 8, 12)
    times = np.array([friday_noon, friday_noon, friday_night, friday_night, sunday, sunday, sunday], np.int64)
    market = country_numbers(["US", "IL", "JP", "DE", "EG", "NP", "US"])
    assert is_weekend(times, market).tolist() == [False, True, True, False, False, False, True]
