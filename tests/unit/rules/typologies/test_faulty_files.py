"""Faulty typology files: each is refused with file, line, market, rule, column, value and bound."""

import logging

import pytest

from rules.errors import RuleError
from tests.unit.rules.typologies.conftest import GOOD, Typologies

AT = "rules/aml/0.yaml"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("window_days: 7", "window_days: 0", ":4: key 'window_days': 0 is not above its bound 0"),
        ("window_days: 7", "window_days: 90", ":4: key 'window_days': 90 is above its bound 31"),
        ("alert_at: 0.6", "alert_at: 1.5", ":5: key 'alert_at': 1.5 is above its bound 1"),
        ("alert_at: 0.6\n", "", ":1: key 'alert_at' is missing"),
        (
            "alert_at: 0.6",
            "alert_at: 0.6\nalert: 1",
            ":6: unknown key 'alert' (did you mean 'alert_at'?); known: language,",
        ),
        ("language: 1", "language: 2", ":1: key 'language': 2 is not one of 1"),
        ("is_true: true}\n", "above: 1}\n", ":6: column 'is_cash' is a flag: 'above' does not apply"),
        ("code: STR-2", "code: STR-1", ":15: rule 'cash': code 'STR-1' is already that of rule 'near'"),
        (
            "column: cash_in_sum_7d",
            "column: cash_in_sum_7",
            ":16: rule 'cash': unknown column 'cash_in_sum_7' (did you",
        ),
        (
            "to: 0.8, weight: 0.2",
            "to: 0.9, weight: 0.2",
            ":13: rule 'near': band 0.8 to 1 overlaps with band 0.5 to 0.9",
        ),
        ("from: 0.5, to: 0.8", "from: 0.8, to: 0.5", ":12: rule 'near': from 0.8 to 0.5 is empty: from is below to"),
        ("weight: 0.2", "weight: 2", ":12: rule 'near': key 'weight': 2 is above its bound 1"),
        ("weight: 0.2", "wait: 0.2", ":12: rule 'near': unknown key 'wait' (did you mean 'weight'?); known: from, to,"),
        (
            "from: 0.5, to: 0.8, ",
            "",
            ":12: rule 'near': item 1 of 'bands': a band needs exactly one of from/to, is_true, in, is_missing;",
        ),
        ("from: 0.5, to", "is_true: true, to", ":12: rule 'near': item 1 of 'bands': a band needs exactly one of"),
        (
            "{from: 2, w",
            "{from: -3, to: -2, w",
            ":19: rule 'cash': column 'cash_in_sum_7d': from -3 to -2 is outside its bounds 0 and inf",
        ),
        (
            "{from: 2, w",
            "{is_true: true, w",
            ":19: rule 'cash': column 'cash_in_sum_7d' is a number: a band for a flag",
        ),
        (
            "{in: [card]",
            "{in: [wire]",
            ":25: rule 'channel': band in ['wire'] overlaps with band in ['cash_in', 'wire']",
        ),
        ("{in: [card]", "{is_missing: false", ":25: rule 'channel': key 'is_missing': false is not one of True"),
        ("{channel_code}", "{channel}", ":24: rule 'channel': in the sentence: unknown column 'channel' (did you mean"),
        ("  US:", "  UZ:", ":27: market 'UZ': unknown market"),
        ("  US:", "  usa:", ":27: market 'usa': key 'usa': 'usa' does not match"),
        (
            "      near:",
            "      nears:",
            ":30: market 'US', rule 'nears': unknown rule 'nears' (did you mean 'near'?); known:",
        ),
        ("alert_at: 0.5", "alert_on: 0.5", ":28: market 'US': unknown key 'alert_on' (did you mean 'alert_at'?)"),
        ("{from: 0.9, to: 1, w", "{from: 1, to: 1, w", ":32: market 'US', rule 'near': from 1 to 1 is empty"),
        ("name: near", "name: Near", ":8: rule 'Near': key 'name': 'Near' does not match"),
    ],
)
def test_a_fault_is_said_with_its_place(typologies: Typologies, old: str, new: str, message: str) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(RuleError) as caught:
        typologies(GOOD.replace(old, new, 1))
    assert f"{AT}" in str(caught.value)
    assert message in str(caught.value)


def test_multiples_of_the_threshold_are_of_money_only(typologies: Typologies) -> None:
    text = GOOD.replace(
        "    column: amount_to_threshold\n", "    column: amount_to_threshold\n    in_thresholds: true\n"
    )
    with pytest.raises(RuleError, match=r":11: rule 'near': column 'amount_to_threshold' is not in US dollars"):
        typologies(text)


def test_a_typology_that_could_never_score_is_refused(typologies: Typologies) -> None:
    text = GOOD.replace("weight: 0.", "weight: -0.").replace("weight: --", "weight: -")
    with pytest.raises(RuleError, match="no band has a weight above 0"):
        typologies(text)


def test_every_fault_of_a_file_is_said_at_once(typologies: Typologies) -> None:
    text = GOOD.replace("code: STR-2", "code: STR-1").replace("{in: [card]", "{in: [wire]")
    with pytest.raises(RuleError) as caught:
        typologies(text)
    assert len(caught.value.faults) == 2


def test_two_files_of_one_typology_are_refused(typologies: Typologies) -> None:
    with pytest.raises(
        RuleError, match=r"rules/aml/1.yaml:2: typology 'structuring' is already that of rules/aml/0.yaml"
    ):
        typologies(GOOD, GOOD)
    with pytest.raises(RuleError, match="no typology file"):
        typologies()


def test_a_category_that_the_vocabulary_lacks_is_a_warning(
    typologies: Typologies, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "riskbench.rules"):
        pack = typologies(GOOD.replace("[card]", "[cheque]"))
    (warning,) = pack.warnings
    assert "rule 'channel': column 'channel_code': 'cheque' is not in the vocabulary" in warning
    assert warning in caplog.text
