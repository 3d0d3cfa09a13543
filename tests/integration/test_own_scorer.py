"""A scorer that is not ours: the shipped example, measured through the broker like any other."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.audit_trail.verify import verify

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "own_scorer.py"
SCENARIO = """
name: own
world: {history_days: 30, cards: 200, fraud_share: 0.02}
load: {rate_per_s: 200.0, duration_s: 6.0, warmup_s: 0.5, partitions: 2}
measure: {k: 5, event_timeout_s: 20.0}
slo: {response_p99_ms: 15000.0}
"""


def _run(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    (folder / "own.yaml").write_text(SCENARIO)
    words = [sys.executable, "-m", "harness.cli", "run", "fraud", "--scenario", str(folder / "own.yaml")]
    words += ["--broker", "embedded", "--no-floor", "--no-report", "--json", "--scorer-command", command]
    words += ["--out", str(folder / "runs"), "--cache-dir", str(folder / "cache")]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)


@pytest.mark.broker("embedded")
def test_the_example_decides_every_event_once(tmp_path: Path) -> None:
    places = "{bootstrap_servers} {events} {decisions} {group} {ready}"
    done = _run(tmp_path, f"{sys.executable} {EXAMPLE} {places}")
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results["engine"] == "own"
    assert results["counts"]["sent"] > 300
    assert results["counts"]["decided"] == results["counts"]["sent"]
    assert (results["counts"]["lost"], results["counts"]["duplicated"]) == (0, 0)
    assert results["model"] is None
    assert results["counts"]["explanations_missing"] is None  # its reasons are its own affair
    (folder,) = (tmp_path / "runs").iterdir()
    assert not (folder / "case").exists()
    assert verify(folder).whole


@pytest.mark.broker("embedded")
def test_a_command_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    done = _run(tmp_path, f"{sys.executable} -c \"raise SystemExit('no licence')\"")
    assert done.returncode != 0
    assert "no licence" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.broker("embedded")
def test_an_unknown_placeholder_is_named(tmp_path: Path) -> None:
    done = _run(tmp_path, "scorer {evnts}")
    assert done.returncode == 2
    assert "evnts" in done.stderr
    assert "{events}" in done.stderr
