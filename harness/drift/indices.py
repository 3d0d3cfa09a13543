"""Is the scorer stable? PSI of its score and CSI of its features against the reference it was trained or warmed on.

The convention is 0.1 (watch) and 0.25 (drift). It knows nothing of sample size, so each index also has a χ² threshold:
what a window of this size stays under in 99 of 100 cases without any drift. A status other than stable needs both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.drift.alarm import Alarm
from harness.drift.season import CALENDAR
from streams.decision import OUTCOMES, PATHS
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.reference_bins import ReferenceBins, psi, psi_of, psi_threshold, shares

Status = Literal["stable", "watch", "drift", "unknown"]
Floats = npt.NDArray[np.floating[Any]]
EVENTS_MIN = 500
"""Below this the noise of a ten-bin PSI alone reaches 0.1."""
CALENDAR_SPAN_NS = 7 * NS_PER_DAY
"""Hour and weekday of a window shorter than a week differ from a reference of weeks by construction."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The convention's two limits."""

    warning: float = 0.1
    alarm: float = 0.25


@dataclass(frozen=True, slots=True)
class Index:
    """One stability index: `value` (None: not measurable), its χ² threshold, and what that means."""

    value: float | None
    threshold: float | None
    status: Status
    events: int


@dataclass(frozen=True, slots=True)
class Drift:
    """results.json's `drift`."""

    score: Index
    features: dict[str, Index] = field(default_factory=dict)
    psi_paths: float | None = None
    psi_outcomes: float | None = None
    limits: Limits = Limits()
    status: Status = "unknown"
    detections: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As plain values; `csi` maps feature to value, `features` adds threshold and status."""
        return {
            "psi_score": self.score.value,
            "psi_score_threshold": self.score.threshold,
            "score_status": self.score.status,
            "csi": {name: index.value for name, index in self.features.items()} or None,
            "features": {name: asdict(index) for name, index in self.features.items()} or None,
            "psi_paths": self.psi_paths,
            "psi_outcomes": self.psi_outcomes,
            "events": self.score.events,
            "psi_warning": self.limits.warning,
            "psi_alarm": self.limits.alarm,
            "status": self.status,
            "detections": self.detections,
        }


def measure_drift(
    decisions: pa.Table,
    bundle: Mapping[str, Any] | None,
    reference: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
    span_ns: int | None = None,
    events_min: int = EVENTS_MIN,
    alarms: Sequence[Alarm] = (),
) -> Drift:
    """Compare the decisions of the model path with a reference.

    `bundle` is bundle.json, `reference` the warm state's reference.json; where both have bins, the warm state's count
    (they were fitted on what this scorer, rules and all, sent to the model). Without either, or without
    features in the decisions (a scorer of somebody else's), what cannot be measured is None and `unknown`.
    `span_ns`: event time the window covers; the calendar's features are only judged when it is a week or more.
    `alarms`: of the monitors that watched the same stream; they become detections, and change no status.
    Raises BadInputError when stored bins are damaged, or features do not match the bundle's names.
    """
    limits = limits or Limits()
    model = decisions.filter(pc.fill_null(pc.equal(decisions["path"].cast(pa.string()), "model"), False))
    trained = (bundle or {}).get("reference") or {}
    warmed = reference or {}
    score_bins = warmed.get("score") or trained.get("score")
    score = stability_index(score_bins, model["score"].cast(pa.float64()).to_numpy(), limits, events_min)
    features = _features(model, bundle, warmed.get("features") or trained.get("features"), limits, events_min)
    if span_ns is not None and span_ns < CALENDAR_SPAN_NS:
        features |= {name: _unjudged(features[name]) for name in CALENDAR if name in features}
    return Drift(
        score=score,
        features=features,
        psi_paths=_mix(decisions, "path", PATHS, warmed.get("by_path"), events_min),
        psi_outcomes=_mix(decisions, "outcome", OUTCOMES, warmed.get("outcomes"), events_min),
        limits=limits,
        status=_overall(score, features),
        detections=[*_detections(score, features), *(alarm.to_dict() for alarm in alarms)],
    )


def stability_index(stored: Mapping[str, Any] | None, values: Floats, limits: Limits, events_min: int) -> Index:
    """PSI of `values` against stored reference bins, judged from `events_min` values on."""
    if not stored or len(values) == 0:
        return Index(None, None, "unknown", len(values))
    bins = ReferenceBins.from_dict(stored)
    counts = bins.count(values)
    filled = int(np.count_nonzero((counts + np.asarray(bins.counts)) > 0))
    value = psi_of(bins, counts)
    threshold = psi_threshold(max(filled, 2), max(1, sum(bins.counts)), len(values))
    status: Status = "unknown" if len(values) < events_min else _status(value, threshold, limits)
    return Index(value, threshold, status, len(values))


def _status(value: float, threshold: float, limits: Limits) -> Status:
    if value <= max(limits.warning, threshold):
        return "stable"
    return "drift" if value > max(limits.alarm, threshold) else "watch"


def _unjudged(index: Index) -> Index:
    return Index(index.value, index.threshold, "unknown", index.events)


def _features(
    model: pa.Table,
    bundle: Mapping[str, Any] | None,
    stored: Mapping[str, Any] | None,
    limits: Limits,
    events_min: int,
) -> dict[str, Index]:
    names = list((bundle or {}).get("feature_names") or [])
    values = feature_matrix(model, len(names)) if names and stored else None
    if values is None or not stored:
        return {}
    columns = {name: values[:, place] for place, name in enumerate(names) if name in stored}
    return {name: stability_index(stored[name], column, limits, events_min) for name, column in columns.items()}


def feature_matrix(decisions: pa.Table, width: int) -> npt.NDArray[np.float32] | None:
    """float32[n, width] of the rows that carry features; None when none does.

    Raises BadInputError when a row's bytes are not `width` little-endian float32.
    """
    if "features" not in decisions.column_names:
        return None
    given = decisions["features"].drop_null().cast(pa.large_binary()).combine_chunks()
    if len(given) == 0:
        return None
    lengths = pc.binary_length(given)
    wrong = pc.index(pc.not_equal(lengths, 4 * width), pa.scalar(True)).as_py()
    if wrong >= 0:
        raise BadInputError(
            f"decisions carry {lengths[wrong].as_py()} bytes of features, expected {4 * width} ({width} float32, as "
            "the bundle names them): does the scorer use another bundle?"
        )
    offsets = np.frombuffer(given.buffers()[1], dtype=np.int64)[given.offset : given.offset + len(given) + 1]
    block = np.frombuffer(given.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]]
    return np.frombuffer(block.tobytes(), dtype="<f4").reshape(len(given), width)


def _mix(
    decisions: pa.Table, column: str, names: tuple[str, ...], before: Mapping[str, float] | None, events_min: int
) -> float | None:
    """PSI of a mix of words (paths, outcomes); None without a reference or with too few events."""
    if not before:
        return None
    words = decisions[column].cast(pa.string())
    now = [pc.sum(pc.equal(words, name)).as_py() or 0 for name in names]
    if sum(now) < events_min:
        return None
    return psi(shares([float(before.get(name, 0)) for name in names]), shares(now))


def _overall(score: Index, features: Mapping[str, Index]) -> Status:
    """The score's status; a stable score over drifted features is something to watch."""
    drifted = any(index.status == "drift" for index in features.values())
    return "watch" if score.status == "stable" and drifted else score.status


def _detections(score: Index, features: Mapping[str, Index]) -> list[dict[str, Any]]:
    """What drifted or is to be watched, the largest index first."""
    named = [("score", "score", score), *(("feature", name, index) for name, index in features.items())]
    found = [
        {"kind": kind, "name": name, "value": index.value, "threshold": index.threshold, "status": index.status}
        for kind, name, index in named
        if index.status in {"watch", "drift"}
    ]
    return sorted(found, key=lambda row: -float(row["value"]))
