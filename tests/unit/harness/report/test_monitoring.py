"""What the report and the summary say of money-laundering monitoring."""

import io
from pathlib import Path
from typing import Any

import msgspec
from bokeh.models import Span
from rich.console import Console

from harness.aml.measure import Asked, Monitored, measure_aml
from harness.report.contents import RunContents
from harness.report.headline import answers
from harness.report.monitoring import monitoring_tables
from harness.report.plots.monitoring import monitoring_plots
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
    Console(file=out, width=80).print(budget_table(made.aml))
    budget = next(row for row in made.aml.budgets if row.share == 0.5)
    half = next(line for line in out.getvalue().splitlines() if line.strip().startswith("50% = "))
    cells = half.split("= ")[1].split()
    assert cells[:2] == [str(budget.customers), f"{budget.precision.value:.3f}"]
    assert cells[3:6] == [f"{budget.lift.value:.1f}", "0.400", "1.000"]
    assert "…" not in out.getvalue()
    assert "5 launderers, 2 patterns" in out.getvalue()


def test_what_has_no_target_is_named() -> None:
    assert not_judged({"pattern_recall_min": 0.9, "psi_max": 0.1}) == ["precision@K", "lift@K", "PR-AUC"]


def test_the_summary_says_it_too() -> None:
    made, out = monitored(), io.StringIO()
    Console(file=out, width=120).print(monitoring_table(made.quality, made.aml))
    assert "5 of 7 launder, in 2 patterns" in out.getvalue()
    assert "precision@2 a day" in out.getvalue()
    assert "\\" not in out.getvalue()


def test_every_part_is_drawn_and_says_its_figures() -> None:
    made = monitored()
    results = {"aml": msgspec.to_builtins(made.aml), "quality": made.quality}
    results["aml"]["psi_by_market"] = {
        "BE": {"value": 0.31, "threshold": 0.01, "status": "drift", "scores": 900},
        "NL": {"value": 0.02, "threshold": 0.01, "status": "stable", "scores": 900},
        "LU": {"value": None, "threshold": None, "status": "unknown", "scores": 0},
    }
    plots = monitoring_plots(run_of(results))
    assert all(plot is not None for plot in plots.values())
    drawn = {name: plot for name, plot in plots.items() if plot is not None}
    listed = made.aml.worklists.listed
    assert f"investigators' capacity: {listed} in the stream" in [key.label for key in drawn["depth"].keys]
    marks = [each.location for each in drawn["depth"].figure.center if isinstance(each, Span)]
    assert marks == [listed]
    assert "Largest of those with enough scores: BE, 0.310." in drawn["markets"].sentence
    assert "LU" not in drawn["markets"].figure.y_range.factors
    assert drawn["typologies"].figure.y_range.factors == ["fan in", "cycle"]
    assert drawn["detection"].table is not None
    shares = [row[1].text for row in drawn["detection"].table.rows]
    assert shares[-1] == f"{100 * made.aml.time_to_detect.found / made.aml.time_to_detect.patterns:.1f}%"


def test_a_run_that_monitors_nothing_draws_nothing() -> None:
    assert set(monitoring_plots(run_of({})).values()) == {None}
