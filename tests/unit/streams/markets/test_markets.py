"""The market files: what each must hold, and how a faulty one is refused."""

from pathlib import Path

import pytest

from streams.errors import BadInputError
from streams.markets import CURRENCY_RATES, MARKETS, read_market
from streams.markets.market import DEFAULT_THRESHOLD_USD, PROMPT_FILING_DAYS
from streams.markets.registry import CODES, JURISDICTIONS

GOOD = """\
code: XX
name: Nowhere
currency: USD
utc_offset_h: -5
weekend: [5, 6]
reporting_threshold_minor: 1000000
reporting_rule: "cash above 10,000 USD is reported"
filing_deadline_days: 30
filing_rule: "within 30 days"
source: "a law"
holidays: ["01-01"]
remittances_sent_share: 0.01
remittances_received_share: 0
"""


def market_of(folder: Path, text: str, code: str = "XX") -> Path:
    path = folder / f"{code}.yaml"
    path.write_text(text)
    return path


def test_every_file_is_registered_and_every_code_has_its_file() -> None:
    assert sorted(path.stem for path in JURISDICTIONS.glob("*.yaml")) == sorted(CODES)
    assert len(CODES) == len(set(CODES)) >= 45


def test_every_market_names_its_source_and_a_threshold_somebody_would_report() -> None:
    for market in MARKETS.values():
        assert len(market.source) > 10, market.code
        assert 1_500_00 < market.reporting_threshold_usd_minor < 100_000_00, market.code
        assert 1 <= market.filing_deadline_days <= 45, market.code


def test_markets_differ_where_it_matters() -> None:
    markets = MARKETS.values()
    assert len({market.currency for market in markets}) >= 40
    assert len({market.weekend for market in markets}) >= 3
    assert len({market.utc_offset_h for market in markets}) >= 15
    assert len({tuple(sorted(market.typology_mix.items())) for market in markets}) == len(MARKETS)
    assert sum(market.is_high_risk for market in markets) >= 5


def test_markets_of_migrant_workers_send_and_their_homelands_receive() -> None:
    for code in ("AE", "QA", "SA", "BH", "LU", "CH"):
        assert MARKETS[code].remittances_sent_share > max(0.015, 2 * MARKETS[code].remittances_received_share)
    for code in ("PH", "NP", "PK", "EG", "UA"):
        assert MARKETS[code].remittances_received_share > 0.04 > 10 * MARKETS[code].remittances_sent_share


def test_homelands_are_markets() -> None:
    for market in MARKETS.values():
        assert set(market.homelands) <= set(MARKETS), market.code
        assert market.homelands or market.remittances_sent_share < 0.02, market.code


@pytest.mark.parametrize(
    ("code", "threshold_minor", "days"),
    [("US", 1_000_000, 30), ("IN", 100_000_000, 7), ("AU", 1_000_000, 3), ("KR", 10_000_000, 3), ("ZA", 4_999_999, 15)],
)
def test_what_the_law_of_some_markets_says(code: str, threshold_minor: int, days: int) -> None:
    assert MARKETS[code].reporting_threshold_minor == threshold_minor
    assert MARKETS[code].filing_deadline_days == days


def test_where_no_amount_is_reported_the_default_stands_in() -> None:
    market = MARKETS["TR"]
    assert market.is_default_threshold
    assert market.reporting_threshold_usd_minor == pytest.approx(DEFAULT_THRESHOLD_USD * 100)


def test_at_once_is_a_stated_number_of_days() -> None:
    assert MARKETS["GB"].filing_rule == "as soon as practicable"
    assert MARKETS["GB"].filing_deadline_days == PROMPT_FILING_DAYS


def test_a_good_file_is_taken(tmp_path: Path) -> None:
    market = read_market(market_of(tmp_path, GOOD))
    assert (market.code, market.utc_offset_h, market.weekend, market.is_high_risk) == ("XX", -5.0, (5, 6), False)
    assert market.minor_per_usd == CURRENCY_RATES["USD"].minor_per_usd == 100
    assert (market.remittances_sent_share, market.remittances_received_share, market.homelands) == (0.01, 0.0, {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("currency: USD", "currency: DOL", "key currency: 'DOL' is not one of AED,"),
        ("weekend: [5, 6]", "weekend: [5, 7]", "key weekend.1: input should be less than or equal to 6, found 7"),
        ("weekend: [5, 6]", "weekend: [5, 5]", "key weekend: [5, 5] names something twice"),
        ('["01-01"]', '["13-01"]', "key holidays.0: string should match pattern"),
        ('["01-01"]', "[]", "key holidays: list should have at least 1 item"),
        ("utc_offset_h: -5", "utc_offset_h: -50", "key utc_offset_h: input should be greater than or equal to -12"),
        ("utc_offset_h: -5\n", "", "key utc_offset_h is missing"),
        ("filing_deadline_days: 30", "filing_deadline_days: 0", "key filing_deadline_days: input should be greater"),
        ("name: Nowhere", "nome: Nowhere", "unknown key nome; known: code, name,"),
        ('source: "a law"\n', "", "key source is missing"),
        ("code: XX", "code: NO", "key code: input should be a valid string, found False"),
        ("code: XX", "code: US", "key code: US is not the file's name, XX"),
        ("code: XX", "code: XX\ncorridor_risk: {XX: 2}", "key corridor_risk: XX is the market itself"),
        ("code: XX", "code: XX\ncorridor_risk: {DE: 4}", "key corridor_risk.DE: input should be less than or equal"),
        ("code: XX", "code: XX\ntypology_mix: {cycle: 0}", "key typology_mix.cycle: input should be greater than"),
        ("remittances_received_share: 0\n", "", "key remittances_received_share is missing"),
        ("sent_share: 0.01", "sent_share: 8", "key remittances_sent_share: input should be less than or equal to 0.5"),
        ("code: XX", "code: XX\nhomelands: {XX: 2}", "key homelands: XX is the market itself"),
        ("code: XX", "code: XX\nhomelands: {DE: 0}", "key homelands.DE: input should be greater than 0, found 0.0"),
        ("code: XX", "code: XX\ncode: XX", "line 1: not valid YAML: key code is there twice"),
        ("name: Nowhere", "name: [", "not valid YAML"),
    ],
)
def test_a_faulty_file_is_refused_with_its_key_and_bound(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = market_of(tmp_path, GOOD.replace(old, new))
    with pytest.raises(BadInputError) as caught:
        read_market(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_or_no_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read_market(tmp_path / "YY.yaml")
    with pytest.raises(BadInputError, match="valid dictionary"):
        read_market(market_of(tmp_path, "- 1\n"))
