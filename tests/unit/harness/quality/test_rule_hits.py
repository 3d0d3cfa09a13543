"""The rules' table, counted by hand."""

from pathlib import Path

import pytest

from harness.quality.intervals import wilson
from harness.quality.rule_hits import rule_outcomes, rule_rows
from tests.quality_case import Row, given_of, scored_of

SHIPPED = Path(__file__).parents[4] / "rules" / "fraud.yaml"
ROWS: list[Row] = [
    {"fraud": True, "score": 0.9, "path": "rules"},
    {"fraud": False, "score": 0.9, "path": "rules"},
    {"fraud": True, "score": 0.8},
    {"fraud": True, "score": 0.1},
    {"score": 0.1},
]
REASONS = [
    (0, "rule", "A", "velocity", None),
    (0, "rule", "B", "amount", None),
    (1, "rule", "A", "velocity", None),
    (2, "rule", "B", "amount", None),
    (2, "feature", "amount", "amount", 1.0),
]


def test_hits_precision_and_who_decided() -> None:
    rows = {
        row["code"]: row for row in rule_rows(scored_of(ROWS), given_of(REASONS), {"A": "block", "C": "review"}, "all")
    }
    assert list(rows) == ["A", "B", "C"]
    a, b, c = rows.values()
    assert (a["hits"], a["frauds"], a["decided"], a["outcome"], a["basis"]) == (2, 1, 2, "block", "all")
    assert a["hit_rate"] == pytest.approx(0.4)
    assert (a["precision"], a["recall"]) == (0.5, pytest.approx(1 / 3))
    assert (a["precision_low"], a["precision_high"]) == tuple(wilson(1, 2).values())
    assert (b["hits"], b["decided"], b["precision"], b["outcome"]) == (2, 0, 1.0, None)
    assert (c["hits"], c["precision"], c["decided"]) == (0, None, 0)


def test_a_code_named_twice_in_one_decision_is_one_hit() -> None:
    twice = [(0, "rule", "A", None, None), (0, "rule", "A", None, None)]
    assert rule_rows(scored_of(ROWS), given_of(twice), {}, "flagged")[0]["hits"] == 1


def test_without_reasons_rules_are_only_listed() -> None:
    assert rule_rows(scored_of(ROWS), given_of([]), {}, "flagged") == []


def test_outcomes_of_the_shipped_rules_and_of_what_is_no_rule_file(tmp_path: Path) -> None:
    assert rule_outcomes(SHIPPED)["VEL-1"] == "block"
    other = tmp_path / "rules.yaml"
    for content in ("rules: 7", "- a", "rules: [{name: x}]", "{"):
        other.write_text(content)
        assert rule_outcomes(other) == {}
    assert rule_outcomes(tmp_path / "none.yaml") == {}
