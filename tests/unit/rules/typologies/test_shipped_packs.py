"""The shipped typologies over the catalogue of graph features: the textbook case of each, and what raises nothing."""

import math
import re
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from models.graph.catalog import AML_FEATURE_INDEX, AML_FEATURES
from rules.columns import Column
from rules.typologies.pack import MARKET_NUMBERS, SHIPPED, TypologyPack, shipped_typologies
from streams.markets import MARKETS
from streams.transfer import TRANSFER_CHANNELS

FILES = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
DE = MARKET_NUMBERS["DE"]
CASH_IN = {"is_cash": 1, "is_incoming": 1}
MATERIAL = {"amount_to_threshold": 0.6, "volume_to_expected_30d": 5, "turnover_7d_to_older": 12}
PERSON = {"is_business": 0, "account_age_days": 365, "risk_rating": 1}
TEXTBOOK: dict[str, dict[str, float]] = {
    "structuring": {**PERSON, **CASH_IN, "just_below_count_7d": 5, "amount_to_threshold": 0.95,
                    "cash_in_sum_7d": 48_000, "cash_to_expected_30d": 6},
    "smurfing": {**PERSON, "senders_7d": 7, "new_share_in_7d": 1, "in_spread_7d": 0.3, "cash_in_sum_7d": 3_000,
                 "pass_through_7d": 0.9, "volume_to_expected_30d": 3},
    "rapid_pass_through": {**PERSON, **MATERIAL, "is_incoming": 0, "is_cash": 0, "pass_through_7d": 0.95,
                           "hours_since_opposite": 2, "amount_match_7d": 0.97, "is_new_counterparty": 1},
    "fan_in": {**PERSON, **MATERIAL, "is_incoming": 1, "senders_7d": 9, "fan_in_7d": 9, "new_share_in_7d": 0.9},
    "fan_out": {**PERSON, **MATERIAL, "is_incoming": 0, "receivers_7d": 11, "fan_out_7d": 6, "new_share_out_7d": 0.9},
    "funnel_account": {**PERSON, "cash_in_sum_7d": 25_000, "cash_share_30d": 0.5, "pass_through_7d": 0.9,
                       "receivers_7d": 1, "cash_to_expected_30d": 4},
    "dormant_reactivation": {**PERSON, **MATERIAL, "pass_through_7d": 0.9, "is_new_counterparty": 1},
    "out_of_profile": {**PERSON, **MATERIAL, "volume_to_expected_30d": 10, "cash_to_expected_30d": 6,
                       "is_unexpected_foreign": 1},
    "high_risk_corridor": {**PERSON, "corridor_risk": 3, "risky_corridor_sum_30d": 12_000, "is_unexpected_foreign": 1},
    "round_trip": {**PERSON, **MATERIAL, "cycles_4_7d": 1, "cycle_match": 0.93, "cycle_hours": 60},
    "cash_intensity": {"is_business": 1, **CASH_IN, "cash_to_expected_30d": 6, "cash_in_sum_7d": 40_000,
                       "turnover_7d_to_older": 5},
    "cash_out_burst": {**PERSON, "is_cash": 1, "is_incoming": 0, "cash_out_sum_7d": 6_000, "cash_to_expected_30d": 4,
                       "pass_through_7d": 0.9, "new_share_in_7d": 0.9},
    "deposit_send": {**PERSON, "is_cash": 0, "is_incoming": 0, "cash_in_sum_7d": 8_000, "pass_through_7d": 0.9,
                     "is_cross_border": 1, "is_unexpected_foreign": 1, "cash_to_expected_30d": 3},
    "scatter_gather": {**PERSON, **MATERIAL, "scatter_gather_7d": 4, "new_share_in_7d": 1},
    "gather_scatter": {**PERSON, **MATERIAL, "gather_scatter_7d": 6, "pass_through_7d": 0.9, "new_share_in_7d": 1},
    "bipartite": {**PERSON, **MATERIAL, "bipartite_7d": 4, "stack_7d": 2, "new_share_in_7d": 0.9},
    "layering_chain": {**PERSON, **MATERIAL, "chain_hops_7d": 5, "amount_match_7d": 0.95, "hours_since_match": 20},
    "virtual_asset_ramp": {**PERSON, "is_virtual_asset": 1, "virtual_asset_sum_7d": 16_000, "pass_through_7d": 0.9,
                           "new_share_in_7d": 0.9},
    "mule_behaviour": {**PERSON, **MATERIAL, "pass_through_7d": 0.95, "new_share_in_7d": 1, "new_share_out_7d": 0.8,
                       "account_age_days": 30},
    "trade_invoicing": {"is_business": 1, **MATERIAL, "is_cross_border": 1, "amount_to_mean_30d": 14,
                        "amount_spread_30d": 9, "corridor_risk": 2},
}  # fmt: skip


@pytest.fixture(scope="module")
def pack() -> TypologyPack:
    vocabulary = {"channel_code": TRANSFER_CHANNELS}
    columns = [
        Column(f.name, f.kind, f.low, f.high, vocabulary.get(f.name, ()), f.unit, f.family) for f in AML_FEATURES
    ]
    return shipped_typologies(columns)


def rows_of(*given: dict[str, float]) -> NDArray[np.float32]:
    values = np.full((len(given), len(AML_FEATURES)), np.nan, np.float32)
    for row, features in enumerate(given):
        for name, value in features.items():
            values[row, AML_FEATURE_INDEX[name]] = value
    return values


def scores(pack: TypologyPack, *given: dict[str, float], market: int = DE) -> dict[str, float]:
    found = pack.score(rows_of(*given), np.full(len(given), market, np.int32))[0]
    return dict(zip((typology.name for typology in pack.typologies), found.tolist(), strict=True))


def test_each_file_is_its_typologys_and_has_its_textbook_case(pack: TypologyPack) -> None:
    assert [typology.name for typology in pack.typologies] == FILES == sorted(TEXTBOOK)
    assert pack.warnings == ()
    codes = [rule.code for typology in pack.typologies for rule in typology.file.rules]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("name", FILES)
def test_the_textbook_case_is_raised_with_its_reasons(pack: TypologyPack, name: str) -> None:
    number = FILES.index(name)
    assert scores(pack, TEXTBOOK[name])[name] >= pack.alert_at[number, DE]
    reasons = pack.reasons(number, rows_of(TEXTBOOK[name])[0], DE)
    assert len(reasons) >= 3
    assert all(reason.cause for reason in reasons)
    assert not any(re.search(r"unknown|UTC|nan|\{", reason.text) for reason in reasons)


def test_who_behaves_as_usual_and_who_is_not_known_raise_nothing(pack: TypologyPack) -> None:
    usual = {feature.name: 0.0 for feature in AML_FEATURES} | PERSON
    usual |= {"volume_to_expected_30d": 1, "turnover_7d_to_older": 1, "in_count_30d": 8, "senders_7d": 2}
    usual |= {"receivers_7d": 3, "corridor_risk": 1, "hours_since_opposite": 100, "cash_to_expected_30d": 0.7}
    for features in (usual, usual | CASH_IN, usual | {"is_business": 1}, usual | {"is_virtual_asset": 1}):
        found = scores(pack, features)
        raised = [name for number, name in enumerate(FILES) if found[name] >= pack.alert_at[number, DE]]
        assert raised == []
    assert set(scores(pack, {}).values()) == {0.0}


def test_thresholds_of_money_follow_the_market(pack: TypologyPack) -> None:
    case = {**TEXTBOOK["funnel_account"], "cash_in_sum_7d": 9_000}
    by_market = {code: scores(pack, case, market=MARKET_NUMBERS[code])["funnel_account"] for code in ("DE", "ZA", "TH")}
    assert by_market["ZA"] > by_market["DE"] > by_market["TH"]


@pytest.mark.parametrize("name", FILES)
def test_every_band_of_every_rule_can_be_reached(pack: TypologyPack, name: str) -> None:
    """A column's bounds leave room for each band, and the bands of a rule follow one another."""
    raw: dict[str, Any] = yaml.safe_load((SHIPPED / f"{name}.yaml").read_text())
    for rule in raw["rules"]:
        feature = AML_FEATURES[AML_FEATURE_INDEX[rule["column"]]]
        unit = min(market.reporting_threshold_usd_minor / 100 for market in MARKETS.values())
        for band in rule["bands"]:
            low = band.get("from", -math.inf) * (unit if rule.get("in_thresholds") else 1)
            assert low <= feature.high, (rule["name"], band)
        edges = [band["from"] for band in rule["bands"] if "from" in band]
        assert edges == sorted(edges), rule["name"]
