"""Two run folders side by side: what differed in their setting, and every figure of both with its change."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.waterfall import QUANTILES, STEPS
from streams.errors import BadInputError

MACHINE = ("cpu_model", "cpu_usable", "memory_bytes", "system", "kernel", "machine", "python", "implementation")
"""Keys of environment.json that must be equal: figures of two machines do not compare."""
SETTING = (
    ("broker", "name"),
    ("broker", "version"),
    ("config", "load"),
    ("config", "world"),
    ("config", "data"),
    ("config", "measure"),
    ("seeds", "world"),
    ("seeds", "arrivals"),
)
"""Keys of results.json that must be equal: another load or another world is another question."""
SUBJECT = (("engine",), ("workers",), ("model", "version"), ("config", "scorer"), ("scenario",))
"""Keys of results.json that may differ: this is what is compared. Said, not refused."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: its folder, results.json and environment.json as plain values."""

    folder: Path
    results: Mapping[str, Any]
    environment: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not the same in both runs."""

    key: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of both runs; None where a run does not have it."""

    group: str
    name: str
    unit: str
    a: float | None
    b: float | None

    @property
    def change(self) -> float | None:
        """Relative change from a to b, b / a − 1; None where there is no ratio."""
        if self.a is None or self.b is None or self.a == 0:
            return None
        return self.b / self.a - 1.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, what forbids it, and the figures."""

    a: str
    b: str
    unequal: tuple[Difference, ...]
    subject: tuple[Difference, ...]
    figures: tuple[Figure, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        figures = [{**asdict(figure), "change": figure.change} for figure in self.figures]
        return {**asdict(self), "figures": figures}


def read_finished(folder: Path) -> Run:
    """A run folder. Raises BadInputError when it is none, or its run did not end."""
    if not folder.is_dir():
        raise BadInputError(f"{folder}: no such run folder")
    if (folder / "INCOMPLETE").exists():
        why = (folder / "INCOMPLETE").read_text(encoding="utf-8").strip()
        raise BadInputError(f"{folder}: this run did not end ({why}); there is nothing to compare")
    return Run(folder, _read(folder / "results.json"), _read(folder / "environment.json"))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path}: cannot be read ({error}); is it in a finished run's folder?") from error
    if not isinstance(found, dict):
        raise BadInputError(f"{path}: holds no JSON object")
    return found


def _get(values: Mapping[str, Any], *keys: str) -> Any:
    found: Any = values
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _differences(a: Mapping[str, Any], b: Mapping[str, Any], keys: tuple[tuple[str, ...], ...]) -> Iterator[Difference]:
    for key in keys:
        left, right = _get(a, *key), _get(b, *key)
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            names = tuple((*key, name) for name in sorted({*left, *right}))
            yield from _differences(a, b, names)
        elif left != right:
            yield Difference(".".join(key), left, right)


def compare_runs(a: Run, b: Run) -> Comparison:
    """Hold two runs side by side; `unequal` is empty when nothing forbids it."""
    machine = tuple((name,) for name in MACHINE)
    unequal = (
        *_differences(a.environment, b.environment, machine),
        *_differences(a.results, b.results, SETTING),
    )
    subject = (
        *_differences(a.results, b.results, SUBJECT),
        *_differences(a.environment, b.environment, (("revision",), ("packages",))),
    )
    figures = tuple(_figures(a.results, b.results))
    return Comparison(str(a.folder), str(b.folder), unequal, subject, figures)


def _figures(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Figure]:
    for part in ("response", "service", "schedule_delay"):
        for q in ("p50", "p90", "p99", "p999", "max"):
            yield _figure(part, q, "ms", a, b, "latency_ms", part, q)
    for q in ("p50", "p99"):
        yield _figure("floor", q, "ms", a, b, "latency_ms", "floor", "response", q)
    stages = {**(_get(a, "latency_ms", "stages") or {}), **(_get(b, "latency_ms", "stages") or {})}
    for stage in stages:
        for q in ("p50", "p99"):
            yield _figure(f"stage {stage}", q, "ms", a, b, "latency_ms", "stages", stage, q)
    yield from _waterfall(a, b)
    yield _figure("load", "achieved", "/s", a, b, "load", "achieved_per_s")
    for name in ("sent", "decided", "lost", "duplicated", "dead_lettered"):
        yield _figure("counts", name, "", a, b, "counts", name)
    for name in ("precision_at_k", "recall", "pr_auc", "lift_at_k", "false_positive_rate"):
        yield _figure("quality", name, "", a, b, "quality", name)
    yield _figure("drift", "psi_score", "", a, b, "drift", "psi_score")


def _waterfall(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Figure]:
    """What P50, P99 and P99.9 are made of, by step."""
    for q in QUANTILES:
        parts = [_get(results, "latency_ms", "waterfall", "at", q, "parts") or {} for results in (a, b)]
        for step in STEPS:
            if any(step in part for part in parts):
                yield _figure(f"{q} made of", step, "ms", a, b, "latency_ms", "waterfall", "at", q, "parts", step)


def _figure(group: str, name: str, unit: str, a: Mapping[str, Any], b: Mapping[str, Any], *keys: str) -> Figure:
    left, right = (_get(values, *keys) for values in (a, b))
    return Figure(group, name, unit, *(float(v) if isinstance(v, int | float) else None for v in (left, right)))
