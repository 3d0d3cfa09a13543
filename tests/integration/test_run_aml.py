"""`bench run aml`, whole: in process and on Kafka, as a person starts it; and what it refuses."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from harness.audit_trail.verify import verify
from harness.cli import main

ROOT = Path(__file__).parents[2]
RUN_S = 840.0
"""A fresh machine compiles every kernel first."""
COMPARED = ["event_id", "score", "outcome", "path", "margin"]
SCENARIO = """
name: small
domain: aml
world: {history_days: 45, customers: 900, markets: [US, DE], laundering_share: 0.02, start: "2026-01-05"}
training: {kernel_warmup_days: 10}
load: {rate_per_s: 300.0, duration_s: 6.0, warmup_s: 1.0}
measure: {k: 5, event_timeout_s: 20.0, floor_s: 1.0}
investigators: {delay_days_min: 0.1, delay_days_max: 0.5}
slo: {response_p99_ms: 15000.0}
"""

pytestmark = [pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run-aml") / "small.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


def bench(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *words],
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def run(scenario: Path, out: Path, cache: Path, *options: str) -> tuple[Path, dict[str, Any]]:
    words = (
        "run",
        "aml",
        "--scenario",
        str(scenario),
        "--out",
        str(out),
        "--cache-dir",
        str(cache),
        "--json",
        *options,
    )
    done = bench(*words)
    assert done.returncode == 0, done.stderr[-4000:]
    (folder,) = out.iterdir()
    return folder, json.loads(done.stdout)


def check(folder: Path, results: dict[str, Any]) -> None:
    counts = results["counts"]
    assert counts["sent"] == counts["decided"] > 0
    assert counts["lost"] == counts["duplicated"] == 0
    assert results["aml"]["patterns"] > 0
    assert results["quality"]["pattern_recall"] is not None
    rows = pq.read_table(folder / "decisions.parquet", columns=["customers", "score"]).to_pylist()
    assert all(row["score"] == max(each["score"] for each in row["customers"]) for row in rows if row["customers"])
    assert (folder / "alerts.jsonl").stat().st_size > 0
    assert pq.read_table(folder / "findings.parquet").num_rows > 0
    assert results["aml"]["cases"] == len(list((folder / "cases").glob("*.md"))) > 0
    assert verify(folder).findings == []


@pytest.fixture(scope="module")
def of_file(scenario: Path, tmp_path_factory: pytest.TempPathFactory, broker_cache_dir: Path) -> Path:
    out = tmp_path_factory.mktemp("file")
    folder, results = run(scenario, out, broker_cache_dir, "--engine", "inprocess")
    check(folder, results)
    return folder


def test_every_transfer_is_decided_and_every_part_is_there(of_file: Path) -> None:
    assert (of_file / "report.html").is_file()
    assert (of_file / "cases" / "index.html").is_file()


def test_a_run_can_be_run_again_from_its_folder_alone(of_file: Path, tmp_path: Path) -> None:
    options = ("--out", str(tmp_path / "runs"), "--cache-dir", str(tmp_path / "empty"), "--no-report", "--json")
    done = bench("replay", str(of_file), "--speed", "2", *options)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout)
    assert found["equal"]
    assert found["events"] == pq.read_metadata(of_file / "events.parquet").num_rows
    assert found["schedule_deviation_ns"] < 1_000
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "events.parquet").read_bytes() == (of_file / "events.parquet").read_bytes()
    assert pq.read_table(folder / "differences.parquet").num_rows == 0
    assert pq.read_table(folder / "findings.parquet").equals(pq.read_table(of_file / "findings.parquet"))
    assert verify(folder).findings == []


def test_every_decision_is_made_again(of_file: Path) -> None:
    done = bench("explain", str(of_file), "--all", "--json")
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout)
    assert found["sampled"] == found["equal"] == found["features_equal"] > 0


@pytest.mark.slow
def test_the_next_model_learns_from_what_was_found(of_file: Path, tmp_path: Path, broker_cache_dir: Path) -> None:
    options = ("--out", str(tmp_path / "next"), "--cache-dir", str(broker_cache_dir))
    done = bench("train", "aml", "--from", str(of_file), *options)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "average precision of customers" in done.stderr
    assert (tmp_path / "next" / "bundle.json").is_file()
    assert done.stdout.strip() == str(tmp_path / "next")


@pytest.mark.slow
@pytest.mark.parametrize("broker", ["apache", "embedded"])
def test_kafka_gives_the_same_decisions(
    scenario: Path, tmp_path: Path, broker_cache_dir: Path, of_file: Path, broker: str
) -> None:
    on_kafka, results = run(scenario, tmp_path, broker_cache_dir, "--broker", broker, "--no-report")
    check(on_kafka, results)
    done = results["aml"]["investigations"]
    assert done["sent_otherwise"] == 0
    assert 0 < done["sent"] < done["findings"]
    assert [each["findings"] for each in results["scorers"] if each["role"] == "worker"] == [done["sent"]]
    found = [pq.read_table(folder / "findings.parquet").drop_columns("sent") for folder in (on_kafka, of_file)]
    assert found[0].equals(found[1])
    told = [pq.read_table(folder / "decisions.parquet", columns=COMPARED) for folder in (on_kafka, of_file)]
    assert told[0].sort_by("event_id").to_pylist() == told[1].sort_by("event_id").to_pylist()
    alerts = [sorted((folder / "alerts.jsonl").read_bytes().splitlines()) for folder in (on_kafka, of_file)]
    assert alerts[0] == alerts[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--transfers", "x.csv"), "--transfers and --accounts belong together: give --accounts too"),
        (("--markets", "US,ATLANTIS"), "'ATLANTIS'"),
        (("--scenario", "fraud"), "domain = fraud, but this command streams aml"),
    ],
)
def test_wrong_input_is_one_message(capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["run", "aml", *options])
    assert stopped.value.code == 2
    (message,) = capsys.readouterr().err.splitlines()
    assert said in message
