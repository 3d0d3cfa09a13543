"""Typology scores against a slow evaluation that is obviously right, and what a pack says of a row."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rules.typologies.pack import MARKET_NUMBERS, TypologyPack, parse_typologies
from streams.markets import MARKETS
from tests.unit.rules.typologies.conftest import COLUMNS, GOOD, Typologies

INDEX = {column.name: index for index, column in enumerate(COLUMNS)}
CHANNELS = COLUMNS[4].categories
NAN = math.nan
US, DE, UNKNOWN = MARKET_NUMBERS["US"], MARKET_NUMBERS["DE"], -1


def holds(band: dict[str, Any], value: np.float32, unit: float) -> bool:
    if math.isnan(value) or "is_missing" in band:
        return bool(math.isnan(value)) and "is_missing" in band
    if "is_true" in band:
        return bool(value == band["is_true"])
    if "in" in band:
        return bool(0 <= value < len(CHANNELS)) and CHANNELS[int(value)] in band["in"]
    low = np.float32(band.get("from", -math.inf) * unit)
    high = np.float32(band.get("to", math.inf) * unit)
    return bool(low <= value < high)


def slow_score(file: dict[str, Any], row: NDArray[np.float32], market: str) -> float:
    """Sum of the weights of the bands hit, over the highest there can be, within 0..1."""
    if "when" in file and row[INDEX["is_cash"]] != float(file["when"]["is_true"]):
        return 0.0
    total = most = 0.0
    usd = MARKETS[market].reporting_threshold_usd_minor / 100 if market else 15_000.0
    for rule in file["rules"]:
        changed = file.get("markets", {}).get(market, {}).get("rules", {}).get(rule["name"])
        bands = (changed or rule)["bands"]
        most += max(0.0, *(band["weight"] for band in bands))
        unit = usd if rule.get("in_thresholds") else 1.0
        for band in bands:
            if holds(band, row[INDEX[rule["column"]]], unit):
                total += band["weight"]
                break
    return min(max(total * (1.0 / most), 0.0), 1.0)


weights = st.sampled_from([-0.5, 0.0, 0.1, 0.25, 0.7, 1.0])
reason = "because"


@st.composite
def number_bands(draw: st.DrawFn) -> list[dict[str, Any]]:
    edges = sorted(draw(st.sets(st.sampled_from([0.1, 0.5, 0.8, 1.0, 3.0, 10.0]), min_size=2, max_size=5)))
    bands = []
    for low, high in pairwise(edges):
        if draw(st.booleans()):
            bands.append({"from": low, "to": high, "weight": draw(weights), "reason": reason})
    bands.append({"from": edges[-1], "weight": 1.0, "reason": reason})
    return bands


@st.composite
def rules_of(draw: st.DrawFn) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 5))):
        column = draw(st.sampled_from(list(INDEX)))
        rule: dict[str, Any] = {"name": f"rule_{number}", "code": f"R{number}", "column": column}
        if column == "is_cash":
            rule["bands"] = [{"is_true": draw(st.booleans()), "weight": 0.5, "reason": reason}]
        elif column == "channel_code":
            names = draw(st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=2, unique=True))
            rule["bands"] = [{"in": names, "weight": 0.3, "reason": reason}]
        else:
            rule["in_thresholds"] = column == "cash_in_sum_7d" and draw(st.booleans())
            rule["bands"] = draw(number_bands())
        if draw(st.booleans()):
            rule["bands"].insert(0, {"is_missing": True, "weight": draw(weights), "reason": reason})
        rules.append(rule)
    return rules


@st.composite
def files(draw: st.DrawFn, name: str = "some") -> dict[str, Any]:
    file: dict[str, Any] = {"language": 1, "typology": name, "window_days": 7, "alert_at": 0.5}
    if draw(st.booleans()):
        file["when"] = {"column": "is_cash", "is_true": True}
    file["rules"] = draw(rules_of())
    numbers = [rule for rule in file["rules"] if "from" in rule["bands"][-1]]
    overrides = draw(st.booleans())
    if numbers and overrides:
        changed = draw(st.sampled_from(numbers))
        file["markets"] = {"US": {"alert_at": 0.3, "rules": {changed["name"]: {"bands": draw(number_bands())}}}}
    return file


values = st.sampled_from([0.0, 0.1, 0.5, 0.79999995, 0.8, 1.0, 3.0, 9.0, 10.0, 30_000.0, 1e12, NAN])
rows = st.tuples(values, values, values, st.sampled_from([0.0, 1.0, NAN]), st.sampled_from([-1.0, 0.0, 1.0, 2.0, NAN]))
markets = st.sampled_from(["US", "DE", "JP", ""])


@settings(max_examples=100, deadline=None)
@given(files("one"), files("two"), st.lists(st.tuples(rows, markets), min_size=1, max_size=6))
def test_scores_are_those_of_the_oracle(
    one: dict[str, Any], two: dict[str, Any], drawn: list[tuple[tuple[float, ...], str]]
) -> None:
    pack = parse_typologies({"one.yaml": yaml.safe_dump(one), "two.yaml": yaml.safe_dump(two)}, COLUMNS)
    matrix = np.array([row for row, _ in drawn], np.float32)
    numbers = np.array([MARKET_NUMBERS.get(market, UNKNOWN) for _, market in drawn], np.int32)
    found = pack.score(matrix, numbers)
    expected = [
        [slow_score(file, row, market) for file in (one, two)] for row, (_, market) in zip(matrix, drawn, strict=True)
    ]
    assert found.tolist() == expected


def row_of(**given: float) -> NDArray[np.float32]:
    return np.array([[given.get(name, NAN) for name in INDEX]], np.float32)


def score_of(pack: TypologyPack, market: int, **given: float) -> float:
    return float(pack.score(row_of(**given), np.array([market], np.int32))[0, 0])


def test_weights_of_bands_add_up_over_the_highest_sum(typologies: Typologies) -> None:
    pack = typologies(GOOD)
    assert score_of(pack, DE, is_cash=1, amount_to_threshold=0.95) == pytest.approx(0.6)
    assert score_of(pack, DE, is_cash=1, amount_to_threshold=0.6, channel_code=1) == pytest.approx(0.3)
    assert score_of(pack, DE, is_cash=1, amount_to_threshold=0.95, channel_code=2) == pytest.approx(0.1)
    assert score_of(pack, DE, is_cash=1, amount_to_threshold=0.6, channel_code=2) == 0
    assert score_of(pack, DE, is_cash=0, amount_to_threshold=0.95) == 0
    assert score_of(pack, DE, amount_to_threshold=0.95) == 0


def test_a_market_has_bands_and_an_alert_threshold_of_its_own(typologies: Typologies) -> None:
    pack = typologies(GOOD)
    assert score_of(pack, US, is_cash=1, amount_to_threshold=0.85) == 0
    assert score_of(pack, US, is_cash=1, amount_to_threshold=0.95) == pytest.approx(0.8 / 1.2)
    assert pack.alert_at[0, US] == 0.5
    assert pack.alert_at[0, DE] == pack.alert_at[0, -1] == 0.6


def test_money_is_measured_by_the_markets_threshold(typologies: Typologies) -> None:
    pack = typologies(GOOD)
    for code in ("US", "DE", "ZA", "TH"):
        twice = 2 * MARKETS[code].reporting_threshold_usd_minor / 100
        number = MARKET_NUMBERS[code]
        assert score_of(pack, number, is_cash=1, cash_in_sum_7d=twice * 1.001) > 0, code
        assert score_of(pack, number, is_cash=1, cash_in_sum_7d=twice * 0.999) == 0, code
    assert score_of(pack, UNKNOWN, is_cash=1, cash_in_sum_7d=30_001) > 0
    assert score_of(pack, 10_000, is_cash=1, cash_in_sum_7d=29_999) == 0


def test_reasons_are_the_bands_that_speak_for_it_the_weightiest_first(typologies: Typologies) -> None:
    pack = typologies(GOOD)
    row = row_of(is_cash=1, amount_to_threshold=0.95, cash_in_sum_7d=40_000, channel_code=1)[0]
    reasons = pack.reasons(0, row, DE)
    assert [reason.code for reason in reasons] == ["STR-1.2", "STR-2.1", "STR-3.1"]
    assert reasons[0].text == "amount is 0.9 times the threshold, just below"
    assert reasons[1].text == "40,000 US dollars paid in as cash"
    assert reasons[2].text == "by cash_in"
    assert [reason.cause for reason in reasons] == ["amount", "amount", "network"]
    assert {reason.kind for reason in reasons} == {"rule"}
    assert pack.reasons(0, row, US)[0].text == "just below"
    against = row_of(is_cash=1, channel_code=2)[0]
    assert pack.reasons(0, against, DE) == []


def test_the_pack_gives_the_same_bits_in_any_batch(typologies: Typologies) -> None:
    pack = typologies(GOOD, GOOD.replace("typology: structuring", "typology: other"))
    generator = np.random.default_rng(5)
    matrix = generator.uniform(0, 1.2, (200, len(COLUMNS))).astype(np.float32)
    matrix[:, 3] = generator.integers(0, 2, 200)
    matrix[:, 4] = generator.integers(-1, 3, 200)
    market = generator.integers(-1, len(MARKETS) + 2, 200).astype(np.int32)
    whole = pack.score(matrix, market)
    for size in (1, 7, 64):
        parts = [pack.score(matrix[at : at + size], market[at : at + size]) for at in range(0, 200, size)]
        assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert len(np.unique(whole)) > 3


def test_rows_of_another_shape_are_refused(typologies: Typologies) -> None:
    pack = typologies(GOOD)
    with pytest.raises(ValueError, match=r"float32\[n, 5\], found float64\[2, 5\]"):
        pack.score(np.zeros((2, 5)), np.zeros(2, np.int32))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"int32\[2\], found int32\[3\]"):
        pack.score(np.zeros((2, 5), np.float32), np.zeros(3, np.int32))


def test_the_version_follows_what_the_files_say_and_not_their_order(typologies: Typologies) -> None:
    other = GOOD.replace("typology: structuring", "typology: other")
    assert typologies(GOOD, other).version == typologies(other, "# a comment\n" + GOOD).version
    assert typologies(GOOD).version != typologies(GOOD.replace("weight: 0.3", "weight: 0.31")).version
