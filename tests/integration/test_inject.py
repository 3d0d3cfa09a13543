"""`bench inject fraud`, whole: a model that fails in process; and, by name, every ready scenario on a real Kafka."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]

SCENARIO = """
name: small
world: {history_days: 60, cards: 500, fraud_share: 0.02}
load: {rate_per_s: 200.0, duration_s: 8.0, warmup_s: 1.0, partitions: 3}
scorer: {breaker: {open_s: 1.0}}
measure: {k: 20, event_timeout_s: 20.0, floor_s: 0.0}
slo: {response_p99_ms: 15000.0}
"""


def _inject(folder: Path, cache: Path, *options: str, timeout_s: float) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "harness.cli", "inject", "fraud", "--cache-dir", str(cache), *options]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.timeout(600)
def test_a_model_that_fails_is_noticed_survived_and_priced(tmp_path: Path, broker_cache_dir: Path) -> None:
    (tmp_path / "small.yaml").write_text(SCENARIO, encoding="utf-8")
    asked = ["--scenario", "small.yaml", "--engine", "inprocess", "--fault", "model-error", "--no-report", "--json"]
    timed = ["--at", "3", "--duration", "2", "--run-duration", "8", "share=1.0"]
    done = _inject(tmp_path, broker_cache_dir, *asked, *timed, timeout_s=500)
    assert done.returncode == 0, done.stderr[-4000:]
    results: dict[str, Any] = json.loads(done.stdout)
    (fault,) = results["faults"]
    assert (fault["status"], fault["lost"], fault["duplicated"]) == ("pass", 0, 0)
    assert fault["felt"] == ["breaker", "fallback"]
    assert 0 < fault["detected_ms"] <= fault["open_ms"] + 1_000
    assert fault["recovered_ms"] is not None
    assert fault["by_path"]["fallback"] > 0
    states = [change["to"] for change in results["breaker"]["transitions"]]
    assert states[0] == "open"
    assert states[-1] == "closed"
    (folder,) = (tmp_path / "runs").iterdir()
    rows = pq.read_table(folder / "decisions.parquet", columns=["ordinal", "path"]).sort_by("ordinal")
    fallback = [path == "fallback" for path in rows["path"].to_pylist()]
    assert not any(fallback[: fallback.index(True)])
    assert sum(fallback) >= fault["by_path"]["fallback"]
    assert fault["quality"]["events"] == fault["events"]


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("broker", ["apache", "embedded"])
def test_every_ready_scenario_passes(tmp_path: Path, broker_cache_dir: Path, broker: str) -> None:
    page = tmp_path / "faults.md"
    done = _inject(
        tmp_path, broker_cache_dir, "--all", "--broker", broker, "--write", str(page), "--json", timeout_s=7_000
    )
    assert done.returncode == 0, done.stderr[-8000:]
    trials = json.loads(done.stdout)["trials"]
    carried = [trial for trial in trials if trial["status"] != "left out"]
    assert len(carried) >= 12
    for trial in carried:
        assert all((fault["lost"], fault["duplicated"]) == (0, 0) for fault in trial["faults"])
    assert f"### On {broker}" in page.read_text(encoding="utf-8")


TEN_THOUSAND = """
name: ten-thousand
load: {process: constant, rate_per_s: 1500.0, warmup_s: 5.0, duration_s: 55.0}
scorer: {engine: native, workers: 1}
measure: {event_timeout_s: 60.0, floor_s: 0.0}
slo: {response_p99_ms: 20000.0}
faults:
  - {kind: input-malformed, at_s: 12.0, duration_s: 40.0, share: 0.142857142857}
"""


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_ten_thousand_malformed_among_a_hundred_thousand(tmp_path: Path, broker_cache_dir: Path) -> None:
    (tmp_path / "many.yaml").write_text(TEN_THOUSAND, encoding="utf-8")
    command = [sys.executable, "-m", "harness.cli", "run", "fraud", "--scenario", "many.yaml", "--broker", "apache"]
    done = subprocess.run(
        [*command, "--cache-dir", str(broker_cache_dir), "--no-report", "--json"],
        capture_output=True, text=True, timeout=1_100, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    results: dict[str, Any] = json.loads(done.stdout)
    counts = results["counts"]
    assert (counts["sent"], counts["decided"], counts["lost"], counts["duplicated"]) == (90_000, 90_000, 0, 0)
    assert (counts["fed"], counts["fed_refused"], counts["dead_lettered"]) == (10_000, 10_000, 10_000)
    (fault,) = results["faults"]
    assert (fault["fed"]["messages"], fault["fed"]["refused"], fault["fed"]["unexplained"]) == (10_000, 10_000, 0)
    (folder,) = (tmp_path / "runs").iterdir()
    letters = pq.read_table(folder / "dead_letters.parquet")
    assert len(letters) == 10_000
    assert all(letters["reason"].to_pylist())
