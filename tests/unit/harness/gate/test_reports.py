import xml.etree.ElementTree as ET

from harness.gate.regression import Change, Outcome
from harness.gate.reports import GateReport, to_junit, to_markdown


def change(metric: str, outcome: Outcome) -> Change:
    return Change(metric, base=0.2, head=0.25, effect=0.25, noise=0.04, p=0.0007, outcome=outcome)


REPORT = GateReport(
    outcome="regression",
    base="0123456789ab",
    head="working tree",
    rounds=5,
    invalid_runs=1,
    options="fraud --rate 500",
    changes=(change("stage model P50", "regression"), change("<P99>", "inconclusive"), change("ok", "pass")),
)


def test_junit_counts_failures_and_errors() -> None:
    suite = ET.fromstring(to_junit(REPORT).encode())  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    failure = cases["stage model P50"].find("failure")
    assert failure is not None
    assert "0.2 ms → 0.25 ms (+25.0%; noise ±4.0%" in str(failure.get("message"))
    assert cases["<P99>"].find("error") is not None
    assert list(cases["ok"]) == [cases["ok"].find("system-out")]


def test_markdown_says_outcome_builds_and_every_metric() -> None:
    page = to_markdown(REPORT)
    assert page.startswith("### ❌ bench gate: REGRESSION\n")
    assert "head `working tree` against base `0123456789ab`, 5 rounds" in page
    assert "| stage model P50 | 0.2 ms | 0.25 ms | +25.0% | ±4.0% | 0.0007 | ❌ REGRESSION |" in page
    assert page.count("\n| ") == 1 + len(REPORT.changes)
