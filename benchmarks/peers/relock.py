"""Writes the peers' locks anew: `python -m benchmarks.peers.relock [NAME==VERSION of a peer's package …]`.

Run by hand, with uv installed, when a peer or one of our locked versions is to be renewed; the change is then reviewed
like any other. What computes a decision has the version of requirements.lock everywhere; what only carries it may be
another one, where a peer wants it so.
"""

import logging
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from harness.cache import ROOT
from harness.peers.registry import Peer, read_registry

_log = logging.getLogger("riskbench.benchmarks")
COMPUTES = ("msgspec", "numba", "numpy", "onnxruntime", "pyarrow", "scipy", "xgboost-cpu")
CARRIES = ("confluent-kafka", "psutil", "pybreaker", "pydantic", "pyyaml")
COMPILE = (
    "uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url",
    "--no-header", "--quiet",
)  # fmt: skip


def locked_versions(lock: Path) -> dict[str, set[str]]:
    """Of every package in a lock its versions (several where they depend on the Python)."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def wanted(peer: Peer, versions: Mapping[str, set[str]], given: Mapping[str, str]) -> list[str]:
    """The requirements of a peer's environment: ours, and its own package, at the version given or else the newest."""
    pinned = [f"{name}=={next(iter(versions[name]))}" for name in COMPUTES]
    own = f"{peer.package}=={given[peer.package]}" if peer.package in given else peer.package
    return [*pinned, *CARRIES, own]


def main(arguments: list[str]) -> int:
    """Write all locks; returns the exit code."""
    given = dict(argument.split("==", 1) for argument in arguments)
    versions = locked_versions(ROOT / "requirements.lock")
    for peer in read_registry():
        with tempfile.NamedTemporaryFile("w", suffix=".in", encoding="utf-8") as file:
            file.write("\n".join(wanted(peer, versions, given)))
            file.flush()
            command = [*COMPILE, "--no-annotate", file.name, "-o", str(peer.lock)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            _log.error("%s: %s", peer.name, done.stderr.strip())
            return 1
        _log.info("wrote %s", peer.lock)
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main(sys.argv[1:]))
