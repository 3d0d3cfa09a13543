"""The report says everything a run folder holds, escapes what it quotes, and survives what is missing."""

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.report import words as words_of
from harness.report.contents import RunContents, read_run
from harness.report.html import write_report
from harness.report.plots.latency import percentile_curve
from harness.report.plots.timeline import breaker_spans
from harness.report.plots.waterfall import waterfall_plot
from harness.report.tables import counts_table, setting_table
from streams.errors import BadInputError
from tests.example_run import build_run


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_run(tmp_path_factory.mktemp("runs") / "20260102-030405-fraud", lost=3, status="invalid")


@pytest.fixture(scope="module")
def page(run_dir: Path) -> str:
    return write_report(run_dir).read_text(encoding="utf-8")


class Outline(HTMLParser):
    """Ids, headings, header cells, and whatever points outside."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.header_cells: list[dict[str, str | None]] = []
        self.outside: list[str] = []
        self.in_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "th":
            self.header_cells.append(given)
        for name in ("src", "href"):
            value = given.get(name) or ""
            if value and not value.startswith(("#", "data:")):
                self.outside.append(f"{tag} {value}")


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    return found


def test_one_file_that_points_nowhere_and_is_small(page: str) -> None:
    assert outline(page).outside == []
    assert len(page.encode()) < 5_000_000
    assert "default-src 'none'" in page


def test_every_section_and_plot_has_its_place(page: str) -> None:
    ids = outline(page).ids
    assert len(ids) == len(set(ids))
    assert {"fast", "right", "stable", "safe", "decisions", "setting"} <= set(ids)
    plots = ("latency", "waterfall", "throughput", "response-over-time", "paths", "precision-recall")
    assert {f"plot-{name}" for name in (*plots, "precision-at-k", "scenarios", "drift")} <= set(ids)


def test_headings_do_not_skip_levels_and_header_cells_have_a_scope(page: str) -> None:
    found = outline(page)
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(found.headings, found.headings[1:], strict=False))
    assert all(cell.get("scope") in {"row", "col"} for cell in found.header_cells)


def test_text_of_a_run_is_never_markup(page: str) -> None:
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page


def test_hostile_names_stay_text(run_dir: Path, tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    results = json.loads((run_dir / "results.json").read_text())
    results["scenario"] = evil
    results["quality"]["scenarios"] = {evil: {"frauds": 2, "caught": 1, "recall": 0.5, "recall_amount": 0.5}}
    results["breaker"]["transitions"][0]["cause"] = evil
    (tmp_path / "results.json").write_text(json.dumps(results))
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert page.count("&lt;/script&gt;&lt;img") >= 3


def test_the_verdict_and_its_reasons_are_said(page: str) -> None:
    assert "Invalid run" in page
    assert "3 of 12,000 events never came back" in page


def test_key_figures_and_comparators_are_there(page: str, run_dir: Path) -> None:
    results = json.loads((run_dir / "results.json").read_text())
    for value in (results["quality"]["pr_auc"], results["quality"]["precision_at_k"], 0.639, 0.273):
        assert words_of.score(value) in page
    assert words_of.ms(results["latency_ms"]["response"]["p99"]) in page
    assert "amount is 10.2 times this card&#39;s 30-day mean" in page


def minimal() -> dict[str, Any]:
    nothing = {"count": 0, "p50": None, "p90": None, "p99": None, "p999": None, "max": None}
    return {
        "schema_version": 1,
        "scenario": "bare",
        "verdict": {"status": "fail", "reasons": ["response P99 could not be measured"]},
        "latency_ms": {
            "response": nothing,
            "service": nothing,
            "schedule_delay": nothing,
            "floor": None,
            "by_path": {},
        },
        "quality": {},
        "drift": {"psi_score": None, "csi": None, "features": None, "status": "unknown", "detections": []},
        "breaker": {"transitions": [], "open_ms": None, "fallback_events": 0},
        "model": None,
    }


@pytest.mark.parametrize("results", [minimal(), {"schema_version": 1}], ids=["nothing measured", "nothing at all"])
def test_what_is_missing_is_said_not_invented(tmp_path: Path, results: dict[str, Any]) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results))
    page = write_report(tmp_path).read_text(encoding="utf-8")
    for sentence in (
        "No latency was recorded",
        "There is no timeline",
        "Drift could not be measured",
        "No decision was flagged",
    ):
        assert sentence in page
    assert "nan" not in re.sub(r"<style>.*?</style>|<script.*?</script>", "", page, flags=re.DOTALL).lower().split()


def test_damaged_parts_are_left_out(run_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_bytes((run_dir / "results.json").read_bytes())
    (tmp_path / "decisions.parquet").write_bytes(b"PAR1 half")
    (tmp_path / "environment.json").write_text("{")
    assert "No decision was flagged" in write_report(tmp_path).read_text(encoding="utf-8")


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"results\.json: cannot be read .*is .* a finished run's folder"):
        write_report(tmp_path)
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(BadInputError, match="not JSON"):
        write_report(tmp_path)


def drawn(run: RunContents) -> list[dict[str, list[Any]]]:
    """What each kind of bar of the waterfall is drawn from."""
    plot = waterfall_plot(run)
    assert plot is not None
    bars = [renderer for renderer in plot.figure.renderers if type(renderer.glyph).__name__ == "HBar"]
    return [dict(renderer.data_source.data) for renderer in bars]


def test_the_bars_of_the_waterfall_are_whole_and_without_gaps(run_dir: Path) -> None:
    run = read_run(run_dir)
    *steps, floor = drawn(run)
    for bar in steps[0]["bar"]:
        pieces = [
            (left, right)
            for step in steps
            for name, left, right in zip(step["bar"], step["left"], step["right"], strict=True)
            if name == bar
        ]
        assert pieces[0][0] == 0.0
        assert pieces[-1][1] == pytest.approx(1.0, abs=1e-6)
        assert all(right == pytest.approx(left) for (_, right), (left, _) in pairwise(pieces))
    at = run.get("latency_ms", "waterfall", "at")
    null = run.get("latency_ms", "floor", "response")
    assert floor["reach"] == pytest.approx([null[q] / at[q]["response"] for q in ("p50", "p99", "p999")])


def test_what_the_p99_is_made_of_is_said(page: str, run_dir: Path) -> None:
    made = read_run(run_dir).get("latency_ms", "waterfall", "at", "p99")
    taken = words_of.ms(made["parts"]["taken"])
    assert f"“until taken” takes {taken}" in page
    assert f"Seen on the {made['events']} events around it" in page
    assert "Values that cannot be, counted and in no distribution: 0 negative and 0 over a day" in page


def changed(run_dir: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> str:
    """The page of the run with other results."""
    results = json.loads((run_dir / "results.json").read_text())
    change(results)
    (folder / "results.json").write_text(json.dumps(results))
    for name in ("latency.hlog", "floor.hlog"):
        shutil.copyfile(run_dir / name, folder / name)
    return write_report(folder).read_text(encoding="utf-8")


def test_a_floor_that_was_not_measured_is_said(run_dir: Path, tmp_path: Path) -> None:
    page = changed(run_dir, tmp_path, lambda results: results["latency_ms"].update(floor=None))
    assert "The floor was not measured (--no-floor)" in page


def test_what_cannot_be_is_counted_on_the_page(run_dir: Path, tmp_path: Path) -> None:
    def plant(results: dict[str, Any]) -> None:
        latency = results["latency_ms"]
        latency.update(negative=3, overflow=1)
        latency["floor"].update(negative=2)
        latency["waterfall"].update(contradicting=7)
        latency["waterfall"]["steps"]["taken"].update(negative=4)

    page = changed(run_dir, tmp_path, plant)
    assert "3 negative and 1 over a day, 2 negative and 0 over a day in the floor" in page
    assert "instants of 7 events cannot be true" in page
    assert "4 steps came out negative" in page


def test_a_floor_slower_than_the_run_stays_on_the_plot(run_dir: Path, tmp_path: Path) -> None:
    slow = {"count": 9, "p50": 9e3, "p90": 9e3, "p99": 9e3, "p999": 9e3, "max": 9e3}
    page = changed(run_dir, tmp_path, lambda results: results["latency_ms"]["floor"].update(response=slow))
    assert "plot-waterfall" in page
    floor = drawn(read_run(tmp_path))[-1]
    assert max(floor["reach"]) <= 1.3
    assert set(floor["words"]) == {"floor 9.00 s"}


def test_without_a_waterfall_the_page_says_so(run_dir: Path, tmp_path: Path) -> None:
    page = changed(run_dir, tmp_path, lambda results: results["latency_ms"].pop("waterfall"))
    assert "What the response time is made of was not measured" in page


def test_the_percentile_curve_equals_the_sorted_values(run_dir: Path) -> None:
    run = read_run(run_dir)
    curve = percentile_curve(run.histograms["response"])
    rows = pq.read_table(run_dir / "decisions.parquet", columns=["measured", "response_ns"])
    values = np.sort(rows.filter(rows["measured"])["response_ns"].to_numpy())
    for percentile, found in zip(curve["percentile"], curve["ms"], strict=True):
        rank = max(0, int(np.ceil(percentile / 100 * len(values) - 1e-9)) - 1)
        low, high = values[max(rank - 1, 0)], values[min(rank + 1, len(values) - 1)]
        assert low * 0.998 / 1e6 <= found <= high * 1.002 / 1e6
    assert curve["ms"] == sorted(curve["ms"])


def test_breaker_spans_join_equal_seconds_and_bridge_gaps() -> None:
    states = [None, "closed", None, "open", "open", None, "closed"]
    assert breaker_spans(list(range(7)), states) == [("closed", 1, 3), ("open", 3, 6), ("closed", 6, 7)]
    assert breaker_spans([0, 1], [None, None]) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0.00 ms"),
        (0.1234, "0.123 ms"),
        (3.456, "3.46 ms"),
        (45.67, "45.7 ms"),
        (999.6, "1,000 ms"),
        (12_345.0, "12.3 s"),
    ],
)
def test_milliseconds_in_words(value: float | None, text: str) -> None:
    assert words_of.ms(value) == text


def test_other_numbers_in_words() -> None:
    assert words_of.share(0.1234) == "12.3%"
    assert words_of.share(0.00012) == "0.01%"
    assert words_of.count(1_234_567) == "1,234,567"
    assert words_of.size(412_000_000) == "412 MB"
    assert words_of.moment("2026-01-02T03:04:05+00:00") == "2 January 2026, 03:04:05 UTC"
    assert words_of.moment("soon") == "soon"


def test_latencies_that_cannot_be_are_shown(run_dir: Path) -> None:
    run = read_run(run_dir)
    assert "Negative times" not in str(counts_table(run))
    run.results["latency_ms"] |= {"negative": 21, "overflow": 34}
    shown = [[cell.text for cell in row[:2]] for row in counts_table(run).rows]
    assert shown[-2:] == [["Negative times", "21"], ["Times of more than a day", "34"]]


def test_an_external_scorer_has_no_workers_of_ours(run_dir: Path) -> None:
    run = read_run(run_dir)
    run.results.update(engine="external", workers=0)
    assert "external, started by somebody else" in str(setting_table(run))


def test_what_the_guards_kept_from_the_model_is_among_the_counts(run_dir: Path) -> None:
    run = read_run(run_dir)
    told = {"late_scores": 41, "late_failed": 2, "late_not_kept": 0, "bulkhead_rejected": 7, "transitions": []}
    for breaker, expected in ((told, ["41", "2", "0", "7"]), ({"transitions": [], "late_scores": None}, [])):
        run.results["breaker"] = breaker
        found = counts_table(run)
        rows = {cells[0].text: cells[1].text for cells in found.rows}
        names = ("Scored too late", "Failed too late", "Late and not kept", "Bulkhead refusals")
        assert [rows[name] for name in names if name in rows] == expected
