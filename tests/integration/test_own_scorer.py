"""A scorer that is not ours: the shipped examples, measured through the broker like any other."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from harness.audit_trail.verify import verify
from harness.selftest.stopping import load_stopped
from streams.brokers import Broker
from streams.brokers.control import ControlPlane
from streams.brokers.jars import resolve_jars

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "own_scorer.py"
JAVA_EXAMPLE = EXAMPLE.with_name("OwnScorer.java")
SCENARIO = """
name: own
world: {history_days: 30, cards: 200, fraud_share: 0.02}
load: {rate_per_s: 200.0, duration_s: 6.0, warmup_s: 0.5, partitions: 2}
measure: {k: 5, event_timeout_s: 20.0}
slo: {response_p99_ms: 10000.0}
"""


def _command(folder: Path, *options: str) -> list[str]:
    (folder / "own.yaml").write_text(SCENARIO)
    words = [sys.executable, "-m", "harness.cli", "run", "fraud", "--scenario", str(folder / "own.yaml")]
    words += [
        "--no-floor",
        "--no-report",
        "--json",
        "--out",
        str(folder / "runs"),
        "--cache-dir",
        str(folder / "cache"),
    ]
    return [*words, *options]


def _run(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    words = _command(folder, "--broker", "embedded", "--scorer-command", command)
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
    assert list(results["latency_ms"]["waterfall"]["steps"]) == ["sent", "broker", "answered"]
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


@contextmanager
def _java(cache: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The Java example, run from its source as its first lines say."""
    java = shutil.which("java") or str(Path(os.environ.get("JAVA_HOME", "")) / "bin" / "java")
    jars = resolve_jars(cache).folder / "jars"
    process = subprocess.Popen([java, "-cp", f"{jars}/*", str(JAVA_EXAMPLE), *arguments], stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _await_words(stream: IO[str], wanted: str) -> str:
    """What the run says, up to the line with these words."""
    said = ""
    for line in stream:
        said += line
        if wanted in line:
            return said
    raise AssertionError(f"it never said {wanted!r}: {said}")


@pytest.mark.broker("apache")
def test_an_external_scorer_is_awaited_and_a_run_whose_load_was_stopped_is_invalid(
    tmp_path: Path, broker_apache: Broker, broker_cache_dir: Path
) -> None:
    """The Java example, started by the person while the run waits for it. It answers everything; but for a second of
    the run nothing was sent, and so the run is no proof of its speed."""
    servers, prefix = broker_apache.info.bootstrap_servers, f"own-{os.getpid()}"
    options = ("--bootstrap-servers", servers, "--scorer", "external", "--topic-prefix", prefix)
    run = subprocess.Popen(
        _command(tmp_path, *options), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stderr is not None
    said = _await_words(run.stderr, "Waiting for a consumer group")
    assert all(word in said for word in (servers, f"{prefix}.events", f"{prefix}.decisions"))
    (folder,) = (tmp_path / "runs").iterdir()
    topics = (f"{prefix}.events", f"{prefix}.decisions")
    with _java(broker_cache_dir, servers, *topics, "javas") as scorer:
        with load_stopped(folder / ".work" / "stream" / "start", after_s=2.5, for_s=1.0):
            told = _await_words(run.stderr, "has joined")
            printed, rest = run.communicate(timeout=200)
        assert scorer.poll() is None  # it was not the harness's to end
    assert "Group javas has joined (1 member(s))" in told
    assert run.returncode == 3, rest
    results = json.loads(printed)
    (late,) = (reason for reason in results["verdict"]["reasons"] if "schedule delay" in reason)
    assert late.endswith("the load was not sent on time")
    assert late in " ".join(rest.split())
    counts = results["counts"]
    assert (results["engine"], results["workers"]) == ("external", 0)
    assert counts["decided"] == counts["sent"] > 1_000
    assert [counts[kind] for kind in ("lost", "late", "duplicated", "unknown", "malformed")] == [0] * 5
    assert results["latency_ms"]["service"]["count"] == counts["sent"] - counts["warmup"]
    assert verify(folder).whole
    with ControlPlane(broker_apache.connection) as control:
        assert [name for name in control.topics() if name.startswith(prefix)] == []
