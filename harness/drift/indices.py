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
from streams.stored_rows import StoredRows

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


LOOKED_AT = ("path", "outcome", "score", "features")
"""Columns of decisions.parquet that indices are made of."""


def measure_drift(
    decisions: pa.Table | StoredRows,
    bundle: Mapping[str, Any] | None,
    reference: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
    span_ns: int | None = None,
    events_min: int = EVENTS_MIN,
    alarms: Sequence[Alarm] = (),
) -> Drift:
    """Compare the decisions of the model path with a reference; they are read a block at a time.

    `bundle` is bundle.json, `reference` the warm state's reference.json; where both have bins, the warm state's count
    (they were fitted on what this scorer, rules and all, sent to the model). Without either, or without
    features in the decisions (a scorer of somebody else's), what cannot be measured is None and `unknown`.
    `span_ns`: event time the window covers; the calendar's features are only judged when it is a week or more.
    `alarms`: of the monitors that watched the same stream; they become detections, and change no status.
    Raises BadInputError when stored bins are damaged, or features do not match the bundle's names.
    """
    limits = limits or Limits()
    rows = StoredRows(decisions) if isinstance(decisions, pa.Table) else decisions
    trained = (bundle or {}).get("reference") or {}
    warmed = reference or {}
    names = list((bundle or {}).get("feature_names") or [])
    score_bins, feature_bins = (warmed.get(name) or trained.get(name) for name in ("score", "features"))
    window = _Window(names, score_bins, feature_bins)
    for block in rows.blocks([name for name in LOOKED_AT if name in rows.names]):
        window.add(block)
    score = window.score.index(limits, events_min)
    features = {name: counted.index(limits, events_min) for name, counted in window.features.items() if window.given}
    if span_ns is not None and span_ns < CALENDAR_SPAN_NS:
        features |= {name: _unjudged(features[name]) for name in CALENDAR if name in features}
    return Drift(
        score=score,
        features=features,
        psi_paths=_mix(window.paths, PATHS, warmed.get("by_path"), events_min),
        psi_outcomes=_mix(window.outcomes, OUTCOMES, warmed.get("outcomes"), events_min),
        limits=limits,
        status=_overall(score, features),
        detections=[*_detections(score, features), *(alarm.to_dict() for alarm in alarms)],
    )


class _Counted:
    """Values of a window counted into stored reference bins, block by block."""

    def __init__(self, stored: Mapping[str, Any] | None) -> None:
        self._stored = stored
        self._bins: ReferenceBins | None = None
        self._counts = np.zeros(0, np.int64)
        self._values = 0

    def add(self, values: Floats) -> None:
        """Count a block's values. Raises BadInputError when the stored bins are damaged."""
        self._values += len(values)
        if not self._stored or len(values) == 0:
            return
        if self._bins is None:
            self._bins = ReferenceBins.from_dict(self._stored)
            self._counts = np.zeros(self._bins.size, np.int64)
        self._counts += self._bins.count(values)

    def index(self, limits: Limits, events_min: int) -> Index:
        """PSI of the window, judged from `events_min` values on."""
        bins, counts = self._bins, self._counts
        if bins is None:
            return Index(None, None, "unknown", self._values)
        filled = int(np.count_nonzero((counts + np.asarray(bins.counts)) > 0))
        value = psi_of(bins, counts)
        threshold = psi_threshold(max(filled, 2), max(1, sum(bins.counts)), self._values)
        status: Status = "unknown" if self._values < events_min else _status(value, threshold, limits)
        return Index(value, threshold, status, self._values)


class _Window:
    """What is counted of all decisions: the score and the features where the model decided, paths and outcomes."""

    def __init__(
        self, names: Sequence[str], score: Mapping[str, Any] | None, features: Mapping[str, Any] | None
    ) -> None:
        self._width = len(names) if features else 0
        self._places = {name: place for place, name in enumerate(names) if features and name in features}
        self.score = _Counted(score)
        self.features = {name: _Counted((features or {})[name]) for name in self._places}
        self.given = False
        self.paths, self.outcomes = (np.zeros(len(words), np.int64) for words in (PATHS, OUTCOMES))

    def add(self, rows: pa.Table) -> None:
        """Count a block of rows."""
        path = rows["path"].cast(pa.string())
        self.paths += _counts_of(path, PATHS)
        self.outcomes += _counts_of(rows["outcome"], OUTCOMES)
        model = rows.filter(pc.fill_null(pc.equal(path, "model"), False))
        self.score.add(model["score"].cast(pa.float64()).to_numpy())
        values = feature_matrix(model, self._width) if self._width else None
        if values is not None:
            self.given = True
            for name, place in self._places.items():
                self.features[name].add(values[:, place])


def stability_index(stored: Mapping[str, Any] | None, values: Floats, limits: Limits, events_min: int) -> Index:
    """PSI of `values` against stored reference bins, judged from `events_min` values on."""
    counted = _Counted(stored)
    counted.add(values)
    return counted.index(limits, events_min)


def _status(value: float, threshold: float, limits: Limits) -> Status:
    if value <= max(limits.warning, threshold):
        return "stable"
    return "drift" if value > max(limits.alarm, threshold) else "watch"


def _unjudged(index: Index) -> Index:
    return Index(index.value, index.threshold, "unknown", index.events)


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


def _counts_of(column: pa.ChunkedArray, names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """How often each of `names` stands in a column of words."""
    words = column.cast(pa.string())
    return np.array([pc.sum(pc.equal(words, name)).as_py() or 0 for name in names], np.int64)


def _mix(
    counts: npt.NDArray[np.int64], names: tuple[str, ...], before: Mapping[str, float] | None, events_min: int
) -> float | None:
    """PSI of a mix of words (paths, outcomes); None without a reference or with too few events."""
    if not before or counts.sum() < events_min:
        return None
    return psi(shares([float(before.get(name, 0)) for name in names]), shares(counts))


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
