"""What the run ran on: environment.json. Nothing personal: no user, host, path or address."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import msgspec
import psutil

PACKAGES = (
    "riskbench",
    "aiokafka",
    "confluent-kafka",
    "faust-streaming",
    "hdrhistogram",
    "kafka-python",
    "msgspec",
    "noida-db",
    "numba",
    "numpy",
    "onnx",
    "onnxruntime",
    "pyarrow",
    "pybreaker",
    "scikit-learn",
    "xgboost-cpu",
)


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Machine, system and versions."""

    cpu_model: str
    cpu_logical: int
    cpu_usable: int
    cpu_mhz_max: float | None
    memory_bytes: int
    load_average_1min: float
    system: str
    kernel: str
    machine: str
    python: str
    implementation: str
    clock: str
    clock_resolution_ns: int
    packages: dict[str, str]
    revision: str | None
    modified: bool | None


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.lower().startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _cpu_mhz_max() -> float | None:
    try:
        frequency = psutil.cpu_freq()
    except (OSError, NotImplementedError):
        return None
    return float(frequency.max or frequency.current) if frequency else None


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _git(*arguments: str) -> str | None:
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def describe_environment() -> Environment:
    """Look at this machine, this Python and this project's revision."""
    import time  # noqa: PLC0415 - only the clock's description, never its reading

    clock = time.get_clock_info("monotonic")
    status = _git("status", "--porcelain", "--untracked-files=no")
    return Environment(
        cpu_model=_cpu_model(),
        cpu_logical=os.cpu_count() or 1,
        cpu_usable=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        cpu_mhz_max=_cpu_mhz_max(),
        memory_bytes=psutil.virtual_memory().total,
        load_average_1min=round(os.getloadavg()[0], 2),
        system=platform.system(),
        kernel=platform.release(),
        machine=platform.machine(),
        python=platform.python_version(),
        implementation=sys.implementation.name,
        clock=clock.implementation,
        clock_resolution_ns=max(1, round(clock.resolution * 1e9)),
        packages=_versions(),
        revision=_git("rev-parse", "HEAD"),
        modified=None if status is None else bool(status),
    )
