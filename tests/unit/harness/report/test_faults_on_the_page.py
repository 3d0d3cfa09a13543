"""The report's part on faults: every figure is there, what failed is said, their stretches are shaded."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bokeh.models import BoxAnnotation
from rich.console import Console

from harness.report.contents import read_run
from harness.report.faults import faults_table, price_table
from harness.report.html import render
from harness.report.plots.timeline import timeline_plots
from harness.results import read_results
from harness.summary import print_summary
from tests.example_run import build_run
from tests.unit.harness.faults.results_of import STEADY, fault


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = build_run(tmp_path_factory.mktemp("runs") / "faults")
    results = json.loads((run / "results.json").read_bytes())
    failed = fault(kind="scorer-kill", at_s=27.0, duration_s=1.0, recovered_ms=None, quality=None, status="fail",
                   felt=[], reasons=["was not felt (by none of health): the injection did not work"])  # fmt: skip
    results["faults"] = msgspec.to_builtins([fault(duration_s=3.0), failed])
    results["steady"] = msgspec.to_builtins(STEADY)
    (run / "results.json").write_text(json.dumps(results))
    return run


def cells(found: Any, row: int) -> dict[str, str]:
    return dict(zip(found.columns, [cell.text for cell in found.rows[row]], strict=True))


def test_the_tables_hold_what_came_of_them(run_dir: Path) -> None:
    run = read_run(run_dir)
    found = faults_table(run)
    assert found is not None
    hang, killed = cells(found, 0), cells(found, 1)
    assert (hang["Verdict"], hang["Detected after"], hang["By fallback"]) == ("passed", "12.5 ms", "69.6%")
    assert (killed["Verdict"], killed["Felt by"], killed["Recovered after"]) == ("failed", "nothing", "–")
    price = price_table(run)
    assert price is not None
    assert len(price.rows) == 1
    assert cells(price, 0)["Alerts missed"] == "7"


def test_the_page_says_what_failed_and_by_what_limits_are_judged(run_dir: Path) -> None:
    page = render(read_run(run_dir))
    assert "scorer-kill: was not felt (by none of health): the injection did not work." in page
    assert "Outside of the faults the P99 was 4.00 ms over 3,000 events" in page
    assert "Faults are shaded in red" in page


def test_a_fault_is_shaded_to_its_recovery_or_to_the_end(run_dir: Path) -> None:
    for plot in timeline_plots(read_run(run_dir)):
        boxes = [box for box in plot.figure.center if isinstance(box, BoxAnnotation)]
        spans = [(each.left, round(each.right, 3) if isinstance(each.right, float) else None) for each in boxes]
        spans = [(round(left, 3) if isinstance(left, float) else None, right) for left, right in spans]
        assert (15.002, 18.002) in spans
        assert (18.002, 23.302) in spans
        assert (27.0, 28.0) in spans
        assert (28.0, None) in spans


def test_the_summary_has_a_line_a_fault(run_dir: Path, tmp_path: Path) -> None:
    console = Console(record=True, width=300)
    print_summary(read_results(run_dir / "results.json"), tmp_path, None, console)
    text = console.export_text()
    assert "fault     model-hang at 15.002 s (pass); felt by breaker, fallback; detected after 12 ms" in text
    assert "scorer-kill at 15.002 s (fail); not felt" in text


def test_without_faults_there_is_nothing(tmp_path: Path) -> None:
    run = read_run(build_run(tmp_path / "run"))
    assert faults_table(run) is None
    assert price_table(run) is None
