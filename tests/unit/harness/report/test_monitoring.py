"""What the report and the summary say of money-laundering monitoring."""

import io
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from harness.aml.measure import Asked, Monitored, measure_aml
from harness.report.contents import RunContents
from harness.report.headline import answers
from harness.report.monitoring import monitoring_tables
from harness.summary import budget_table, monitoring_table
from harness.verdict import not_judged
from tests.unit.harness.aml.made import scored, small_truth


def monitored() -> Monitored:
    alerts = scored(("b", 1, 12.0, 0.9), ("shop", 1, 13.0, 0.4), ("d", 2, 8.0, 0.8), ("f", 3, 1.0, 0.2))
    return measure_aml(alerts, small_truth(), Asked(k=2, k_share=0.5))


def run_of(results: dict[str, Any]) -> RunContents:
    return RunContents(
        folder=Path("run"), results=results, scenario=None, environment={}, timeline=None, decisions=None, events=None,
        labels=None, explanations=None, importance=None, profiles=None, histograms={},
    )  # fmt: skip


def test_every_part_has_a_table() -> None:
    made = monitored()
    run = run_of({"aml": msgspec.to_builtins(made.aml), "quality": made.quality})
    tables = monitoring_tables(run)
    captions = [found.caption for found in tables]
    assert captions[1:3] == ["By typology", "By market"]
    assert captions[3] == "Worklists of 2 customers a day"
    assert [row[0].text for row in tables[1].rows] == ["cycle", "fan in"]
    assert [row[0].text for row in tables[0].rows] == ["1%", "2%", "5%", "10%", "50%"]


def test_a_run_that_monitors_nothing_has_none() -> None:
    assert monitoring_tables(run_of({})) == []


def test_the_card_says_how_many_patterns_are_found() -> None:
    made = monitored()
    slo = {"pattern_recall_min": 0.95}
    run = run_of({"aml": msgspec.to_builtins(made.aml), "quality": made.quality, "slo": slo})
    card = answers(run)[1]
    assert card.measure == "Patterns found at 50% of customers"
    assert card.figure == "100.0%"
    assert card.tone == "good"


def test_the_summary_has_every_budget() -> None:
    made, out = monitored(), io.StringIO()
    Console(file=out, width=140).print(budget_table(made.aml))
    half = next(line for line in out.getvalue().splitlines() if line.strip("│ ").startswith("50%"))
    budget = next(row for row in made.aml.budgets if row.share == 0.5)
    cells = [cell.strip() for cell in half.strip("│ ").split("│")]
    assert cells[1] == str(budget.customers)
    assert cells[2] == f"{budget.precision.value:.3f}"
    assert cells[6] == "1.000 of 2"


def test_what_has_no_target_is_named() -> None:
    assert not_judged({"pattern_recall_min": 0.9, "psi_max": 0.1}) == ["precision@K", "lift@K", "PR-AUC"]


def test_the_summary_says_it_too() -> None:
    made, out = monitored(), io.StringIO()
    Console(file=out, width=120).print(monitoring_table(made.quality, made.aml))
    assert "5 of 7 launder, in 2 patterns" in out.getvalue()
    assert "precision@2 a day" in out.getvalue()
    assert "\\" not in out.getvalue()
