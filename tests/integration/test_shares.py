"""Two hosts, one broker: each sends its share of the cards and collects the answers to it; merged they are one run."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.audit_trail.verify import verify
from harness.feed import owners
from streams.brokers import Broker
from streams.brokers.control import ControlPlane

ROOT = Path(__file__).parents[2]
SCORER = ROOT / "docs" / "examples" / "own_scorer.py"
SCENARIO = """
name: shared
world: {history_days: 30, cards: 200, fraud_share: 0.02}
load: {rate_per_s: 300.0, duration_s: 4.0, warmup_s: 0.5, partitions: 2}
measure: {k: 5, event_timeout_s: 20.0}
scorer: {kind: external, join_within_s: 60.0}
slo: {response_p99_ms: 10000.0}
"""


def _bench(*words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "harness.cli", *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _host(folder: Path, servers: str, prefix: str, share: str) -> "subprocess.Popen[str]":
    (folder / "shared.yaml").write_text(SCENARIO)
    return _bench(
        "run", "fraud", "--scenario", str(folder / "shared.yaml"), "--bootstrap-servers", servers,
        "--topic-prefix", prefix, "--share", share, "--no-report", "--out", str(folder / f"host-{share[0]}"),
        "--cache-dir", str(folder / "cache"),
    )  # fmt: skip


@contextmanager
def _scorer(servers: str, prefix: str, ready: Path) -> Iterator[None]:
    """Somebody's scorer, which answers the events of all shares."""
    words = [sys.executable, str(SCORER), servers, f"{prefix}.events", f"{prefix}.decisions", "theirs", str(ready)]
    process = subprocess.Popen(words, cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.broker("apache")
def test_two_shares_are_sent_collected_and_merged(tmp_path: Path, broker_apache: Broker) -> None:
    servers, prefix = broker_apache.info.bootstrap_servers, f"shared-{os.getpid()}"
    first = _host(tmp_path, servers, prefix, "1/2")
    assert first.stdout is not None
    for line in first.stdout:
        if "Waiting for a consumer group" in line:
            break
    with _scorer(servers, prefix, tmp_path / "ready"):
        second = _host(tmp_path, servers, prefix, "2/2")
        ended = [host.communicate(timeout=200) for host in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], ended
    with ControlPlane(broker_apache.connection) as control:
        assert [name for name in control.topics() if name.startswith(prefix)] == []
    folders = [next((tmp_path / f"host-{n}").iterdir()) for n in (1, 2)]
    shares = [json.loads((folder / "results.json").read_bytes()) for folder in folders]
    for folder, results in zip(folders, shares, strict=True):
        assert verify(folder).whole
        assert results["counts"]["decided"] == results["counts"]["sent"] > 300
        assert [results["counts"][kind] for kind in ("lost", "duplicated", "unknown", "malformed")] == [0] * 4
    merging = _bench("merge", *map(str, folders), "--no-report", "--json", "--out", str(tmp_path / "merged"))
    printed, told = merging.communicate(timeout=100)
    assert merging.returncode == 0, told
    whole = json.loads(printed)
    (merged,) = (tmp_path / "merged").iterdir()
    assert whole["counts"]["sent"] == sum(each["counts"]["sent"] for each in shares)
    assert whole["verdict"]["status"] == "pass"
    assert whole["quality"]["k"] == 5
    rows = pq.read_table(merged / "decisions.parquet")
    parts = [pq.read_table(folder / "decisions.parquet") for folder in folders]
    responses = sorted(took for part in parts for took in part["response_ns"].to_pylist())
    assert sorted(rows["response_ns"].to_pylist()) == responses
    assert np.array_equal(np.sort(rows["ordinal"].to_numpy()), np.arange(len(rows)))
    events = pq.read_table(merged / "events.parquet")
    assert events["event_id"].take(rows["ordinal"]).to_pylist() == rows["event_id"].to_pylist()
    cards = [set(owners(pq.read_table(folder / "events.parquet")).to_pylist()) for folder in folders]
    assert not cards[0] & cards[1]
    alone = _bench("merge", str(folders[1]), "--out", str(tmp_path / "merged"))
    assert "[1] are missing" in alone.communicate(timeout=60)[1]
    assert alone.returncode == 2
