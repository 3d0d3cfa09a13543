"""The workers' files of late scores, in a run's logs: what model calls past their time limit came to after all."""

from collections.abc import Callable, Iterator
from pathlib import Path

from harness.audit_trail.writer import AuditTrail

LOGS = "logs"
PREFIX, SUFFIX = "late-scores-", ".jsonl"


def late_scores_file(logs: Path, worker: str) -> Path:
    """Where a worker leaves its late scores; with nothing late there is no file."""
    return logs / f"{PREFIX}{worker}{SUFFIX}"


def late_scores_files(logs: Path) -> list[Path]:
    """The files there are, by name."""
    return sorted(logs.glob(f"{PREFIX}*{SUFFIX}"))


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file without their ends."""
    with path.open("rb") as file:
        for line in file:
            yield line.removesuffix(b"\n")


def record_late_scores(trail: AuditTrail, logs: Path, ordinal_of: Callable[[str], int]) -> int:
    """Chain every line there is into the trail, once the scorers have ended; how many."""
    count = 0
    for path in late_scores_files(logs):
        for line in lines_of(path):
            trail.late_score(path.name, line, ordinal_of)
            count += 1
    return count
