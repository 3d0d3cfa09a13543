"""What a run folder holds, read for the report; what is missing is None, and the report says so."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from hdrh.histogram import HdrHistogram

from harness.report.rows import RunRows
from streams.errors import BadInputError

_log = logging.getLogger("riskbench.harness")
CURVES = ("response", "service", "response.rules", "response.model", "response.fallback")
FLOOR = "floor"
CASES_INDEX = "cases/index.html"
HIGHEST_NS = 86_400_000_000_000
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class RunContents:
    """A run as the report sees it: `results` is results.json as plain values, `histograms` the latency log by tag, with
    the response of the floor's log as `floor`. Of the large files rows are read when they are asked for."""

    folder: Path
    results: dict[str, Any]
    scenario: str | None
    environment: dict[str, Any]
    timeline: pa.Table | None
    decisions: RunRows | None
    events: RunRows | None
    labels: RunRows | None
    explanations: RunRows | None
    importance: pa.Table | None
    profiles: pa.Table | None
    histograms: dict[str, Any]
    cases: str | None = None
    """Address of the case files' index, from the folder; None where there are none."""
    recovery: dict[str, Any] | None = None
    """What answering drift was worth (replay.json); None where nothing says it."""

    def get(self, *path: str) -> Any:
        """A value of results.json by its keys; None where the way ends."""
        found: Any = self.results
        for key in path:
            if not isinstance(found, dict):
                return None
            found = found.get(key)
        return found


def read_run(folder: Path) -> RunContents:
    """Read a run folder. Raises BadInputError when results.json is missing or is not JSON; the rest may be absent."""
    path = folder / "results.json"
    try:
        results = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInputError(
            f"{path}: cannot be read ({error.strerror}); is {folder} a finished run's folder?"
        ) from error
    except ValueError as error:
        raise BadInputError(f"{path}: not JSON: {error}") from error
    scenario = folder / "scenario.yaml"
    return RunContents(
        folder=folder,
        results=results,
        scenario=scenario.read_text(encoding="utf-8") if scenario.is_file() else None,
        environment=_read_json(folder / "environment.json"),
        timeline=_read_table(folder / "timeline.parquet"),
        decisions=_open_rows(folder / "decisions.parquet"),
        events=_open_rows(folder / "events.parquet"),
        labels=_open_rows(folder / "labels.parquet"),
        explanations=_open_rows(folder / "explanations.parquet"),
        importance=_read_table(folder / "importance.parquet"),
        profiles=_read_table(folder / "profiles.parquet"),
        histograms=_read_curves(folder),
        cases=CASES_INDEX if (folder / CASES_INDEX).is_file() else None,
        recovery=_read_json(folder / "replay.json").get("recovery"),
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _open_rows(path: Path) -> RunRows | None:
    return _left_out(path, RunRows)


def _read_table(path: Path) -> pa.Table | None:
    return _left_out(path, pq.read_table)


def _left_out(path: Path, read: Callable[[Path], Read]) -> Read | None:
    """What was read of a file; None where there is none, or it cannot be read."""
    if not path.is_file():
        return None
    try:
        return read(path)
    except (pa.ArrowException, OSError) as error:
        _log.warning("%s left out of the report: %s", path, error)
        return None


def _read_curves(folder: Path) -> dict[str, Any]:
    found = _read_histograms(folder / "latency.hlog", CURVES)
    floor = _read_histograms(folder / "floor.hlog", ("response",)).get("response")
    return found if floor is None else {**found, FLOOR: floor}


def _read_histograms(path: Path, tags: tuple[str, ...]) -> dict[str, Any]:
    """The tagged intervals of an HdrHistogram log, added up for each of `tags`."""
    found: dict[str, Any] = {}
    if not path.is_file():
        return found
    with path.open(encoding="ascii") as lines:
        for line in lines:
            tag, _, rest = line.partition(",")
            name = tag.removeprefix("Tag=")
            if not tag.startswith("Tag=") or name not in tags:
                continue
            total = found.setdefault(name, HdrHistogram(1, HIGHEST_NS, 3))
            total.decode_and_add(rest.rsplit(",", 1)[-1].strip())
    return found
