"""What a worker says of itself: /health while it runs, the same JSON in a file when it has ended."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scorer.counters import Counters
from streams.errors import BadInputError


def worker_summary(
    counters: Counters, *, status: str, engine: str, worker: str, guard: Mapping[str, Any] | None,
    rollout: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The worker's totals as JSON values; `guard` is what breaker and guarded model say, `rollout` how far a change of
    the model has come, where there are any."""
    found: dict[str, Any] = {
        "status": status,
        "role": "worker",
        "engine": engine,
        "worker": worker,
        "taken": counters.taken,
        "decided": counters.decided,
        "by_path": dict(counters.by_path),
        "by_outcome": dict(counters.by_outcome),
        "dead_lettered": counters.dead_lettered,
        "repeated": counters.repeated,
        "replayed": counters.replayed,
        "given_up": counters.given_up,
        "late": counters.late,
        "too_late": counters.too_late,
        "batches": counters.batches,
        "table_wait_ms": counters.table_wait_ns / 1e6,
        "table_wait_ms_max": counters.table_wait_ns_max / 1e6,
        "tables_installed": counters.tables_installed,
        "tables_missed": counters.tables_missed,
        "stale_tables": counters.stale_tables,
        "alerts": counters.alerts,
        "findings": counters.findings,
        "findings_suspicious": counters.findings_suspicious,
        "findings_unreadable": counters.findings_unreadable,
        "explained": counters.explained,
        "explain_failed": counters.explain_failed,
        "explain_waiting": counters.explain_waiting,
        "explain_waits": counters.explain_waits,
        "explain_wait_ms": counters.explain_wait_ns / 1e6,
        "restored": counters.restored,
        "checkpoints": counters.checkpoints,
        "checkpoint_bytes": counters.checkpoint_bytes,
        "checkpoint_failed": counters.checkpoint_failed,
        "checkpoint_refused": counters.checkpoint_refused,
        "checkpoint_pause_ms_max": counters.checkpoint_pause_ns_max / 1e6,
    }
    if guard is not None:
        found |= guard
    if rollout is not None:
        found["rollout"] = rollout
    if counters.lag is not None:
        found["lag"] = counters.lag
    return found


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON so that a reader sees all of it or nothing. Raises `BadInputError` when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        staging = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.write("\n")
            staging.chmod(0o644)
            staging.replace(path)
        finally:
            staging.unlink(missing_ok=True)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror or error}") from error
