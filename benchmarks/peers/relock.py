"""Writes the locks of environments apart anew: `python -m benchmarks.peers.relock [PACKAGE==VERSION …]`, where
packages are peers' own and apache-flink.

Run by hand, with uv installed, when one of them or one of our locked versions is to be renewed; the change is then
reviewed like any other. What computes a decision has the version of requirements.lock everywhere, even where a package
says that it wants another one; what only carries it may differ. Not named, a package is taken at its newest version,
Flink at the one that its connector is of.
"""

import logging
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.cache import ROOT
from harness.flink import ENGINES
from harness.peers.registry import read_registry

_log = logging.getLogger("riskbench.benchmarks")
COMPUTES = ("msgspec", "numba", "numpy", "onnxruntime", "pyarrow", "scipy", "xgboost-cpu")
CARRIES = ("confluent-kafka", "psutil", "pybreaker", "pydantic", "pyyaml")
WORKS = ("prometheus-client", "typer")
"""What a whole worker needs beside what a peer's job does."""
FLINK, FLINK_VERSION = "apache-flink", "2.2.1"
COMPILE = (
    "uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url",
    "--no-header", "--no-annotate", "--quiet",
)  # fmt: skip


def locked_versions(lock: Path) -> dict[str, set[str]]:
    """Of every package in a lock its versions (several where they depend on the Python)."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def pinned(versions: Mapping[str, set[str]]) -> list[str]:
    """What computes decisions, at our own versions."""
    return [f"{name}=={next(iter(versions[name]))}" for name in COMPUTES]


def wanted(package: str, versions: Mapping[str, set[str]], given: Mapping[str, str]) -> list[str]:
    """The requirements of a package's environment: ours, and itself, at the version given or else the newest."""
    return [*pinned(versions), *CARRIES, f"{package}=={given[package]}" if package in given else package]


def compile_lock(requirements: Sequence[str], overrides: Sequence[str], lock: Path) -> None:
    """Write a lock. Raises CalledProcessError when the requirements cannot be met together."""
    with tempfile.TemporaryDirectory() as folder:
        asked, over = Path(folder) / "asked.in", Path(folder) / "over.txt"
        asked.write_text("\n".join(requirements), encoding="utf-8")
        over.write_text("\n".join(overrides), encoding="utf-8")
        command = [*COMPILE, "--override", str(over), str(asked), "-o", str(lock)]
        subprocess.run(command, capture_output=True, text=True, check=True)
    _log.info("wrote %s", lock)


def main(arguments: list[str]) -> int:
    """Write all locks; returns the exit code."""
    given = {FLINK: FLINK_VERSION, **dict(argument.split("==", 1) for argument in arguments)}
    versions = locked_versions(ROOT / "requirements.lock")
    locks = {peer.package: peer.lock for peer in read_registry()} | {FLINK: ENGINES / "flink.lock"}
    for package, lock in locks.items():
        more, overrides = (WORKS, pinned(versions)) if package == FLINK else ((), ())
        try:
            compile_lock([*wanted(package, versions, given), *more], overrides, lock)
        except subprocess.CalledProcessError as error:
            _log.error("%s: %s", package, error.stderr.strip())
            return 1
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main(sys.argv[1:]))
