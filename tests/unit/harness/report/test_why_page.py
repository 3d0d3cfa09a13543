"""The page says why: agreement, rules, drivers, groups, intervals, explanations; and what it does not know."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from harness.report import words
from harness.report.fairness import bias_line
from harness.report.html import write_report
from tests.example_run import build_run


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def page(run_dir: Path) -> str:
    return write_report(run_dir).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def quality(run_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run_dir / "results.json").read_text())["quality"]
    return found


def test_it_is_small_and_has_every_plot(page: str) -> None:
    assert len(page.encode()) < 3_000_000
    plots = ("reliability", "reasons-by-scenario", "importance", "importance-scenario", "importance-segment")
    for name in (*plots, "importance-day"):
        assert f'id="plot-{name}"' in page


def test_intervals_stand_beside_the_headline_figures(page: str, quality: dict[str, Any]) -> None:
    for name, spoken in (("precision_at_k", words.score), ("pr_auc", words.score), ("recall", words.share)):
        assert words.interval(quality["intervals"][name], "", spoken) in page


def test_agreement_is_said_beside_chance(page: str, quality: dict[str, Any]) -> None:
    agreement = quality["reason_agreement"]
    for figure in (agreement["top_agrees"], agreement["chance"], agreement["any_of_three"]["agrees"]):
        assert words.share(figure) in page
    assert agreement["top_agrees_low"] > agreement["chance"]


def test_rules_groups_and_the_audit_head_are_there(page: str) -> None:
    assert "Not among them: R99." in page
    assert "b2" * 32 in page
    assert "Error rates by customer segment" in page
    assert "Error rates by region" in page


def test_reasons_come_from_the_explanations(page: str, run_dir: Path) -> None:
    decisions = pq.read_table(run_dir / "decisions.parquet", columns=["reasons"])["reasons"].to_pylist()
    assert all(reason["kind"] == "rule" for given in decisions for reason in given or [])
    assert "amount is 10.2 times this card&#39;s 30-day mean" in page


def test_a_run_that_knows_none_of_it_says_so(run_dir: Path, tmp_path: Path) -> None:
    results = json.loads((run_dir / "results.json").read_text())
    for name in ("reason_agreement", "by_segment", "by_region", "reliability", "rules", "intervals"):
        del results["quality"][name]
    (tmp_path / "results.json").write_text(json.dumps(results))
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "Reasons could not be compared" in page
    assert "The data names no customer segment" in page
    assert "what drives the model cannot be shown" in page


def group(**disparity: Any) -> dict[str, Any]:
    given = {"group": "DE", "false_positive_rate": 0.02, "overall": 0.01, "ratio": 2.0, "intervals_overlap": True}
    return {"groups": [], "disparity": {**given, **disparity}}


def test_the_bias_check_in_words() -> None:
    assert "2.00 times the overall 1.00%; the intervals overlap" in bias_line(group(), "region")
    assert "do not overlap: look into it" in bias_line(group(intervals_overlap=False), "region")
    assert "Too few genuine events" in bias_line({"groups": [], "disparity": None}, "segment")


@pytest.mark.parametrize(
    ("row", "key", "expected"),
    [
        ({"low": 0.1, "high": 0.25}, "", "10.0%–25.0%"),
        ({"recall_low": 0.1, "recall_high": 0.25, "low": 0.5, "high": 0.6}, "recall", "10.0%–25.0%"),
        ({"low": None, "high": None}, "", "–"),
        ({}, "recall", "–"),
    ],
)
def test_an_interval_in_words(row: dict[str, float | None], key: str, expected: str) -> None:
    assert words.interval(row, key, words.share) == expected
