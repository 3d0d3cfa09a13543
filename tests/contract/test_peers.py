"""Every peer decides as our native engine does, each in its own environment (built on first use: needs the network)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.peers.registry import read_registry

COMMAND = (
    "peers", "fraud", "--rates", "150", "--refine", "0", "--slo", "p99=4s", "--duration", "4", "--warmup", "2",
    "--broker", "embedded", "--json",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("peer", [peer.name for peer in read_registry()])
def test_decides_as_our_own_engine(tmp_path: Path, broker_cache_dir: Path, peer: str) -> None:
    command = [sys.executable, "-m", "harness.cli", *COMMAND, "--only", peer]
    where = ["--out", str(tmp_path), "--cache-dir", str(broker_cache_dir)]
    done = subprocess.run([*command, *where], capture_output=True, text=True, timeout=1_700, check=False)
    assert done.returncode == 0, done.stderr[-8000:]
    found = json.loads(done.stdout)
    assert found["absent"] == {}
    by_name = {each["name"]: each for each in found["contenders"]}
    assert set(by_name) == {"native", peer}
    assert by_name[peer]["compared"] > 500, done.stderr
    assert by_name[peer]["differing"] == 0, done.stderr
    assert by_name["native"]["differing"] == 0, done.stderr
