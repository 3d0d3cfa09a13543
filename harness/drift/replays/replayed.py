"""What came of one known drift, as drift_replay.json keeps it in the run folder."""

from pathlib import Path
from typing import Any, Literal

import msgspec

REPLAYED_FILE = "drift_replay.json"
Measure = Literal["precision_at_k", "recall", "pr_auc"]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Quality over the events of one side of the onset alone; null where it cannot be measured. `bad`: frauds, or
    customers who launder."""

    events: int
    bad: int
    k: int
    precision_at_k: float | None
    recall: float | None
    pr_auc: float | None


class BothSides(msgspec.Struct, frozen=True, kw_only=True):
    """The same figures before the onset and from it on, never pooled."""

    before: Side
    after: Side

    def lost(self, measure: Measure) -> float | None:
        """How much less it is after."""
        before, after = getattr(self.before, measure), getattr(self.after, measure)
        return None if before is None or after is None else before - after


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """P99 (ms) of what was measured on each side of the onset. `of`: response over a broker, service in process.
    `spread_ms`: the lowest and the highest P99 of the windows before; `affected`: most windows after lie above all of
    those."""

    of: Literal["response", "service"]
    before_p99_ms: float | None
    after_p99_ms: float | None
    spread_ms: tuple[float, float] | None
    affected: bool | None


class Days(msgspec.Struct, frozen=True, kw_only=True):
    """Figures by event-day, UTC, from the first on; null where a day has too few events. `indices`: PSI of the score
    and CSI of the features that moved most, against the burn-in's days. `alert_rate` and `bad_rate` are shares of the
    events, `score_mean` is the mean score of the model."""

    first_day: str
    events: list[int]
    indices: dict[str, list[float | None]]
    alert_rate: list[float | None]
    score_mean: list[float | None]
    bad_rate: list[float | None]


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """One known drift (or control), streamed once. Delays are those of the first alarm from the onset on.

    `drifts` has each injected drift by itself (kind, delay by monitor, blamed features); `blamed` are the features
    out of their bounds, `true` the beginnings of the names that one would rightly blame. `quality`: as decided, and of
    rules and model alone.
    """

    name: str
    about: str
    domain: str
    seed: int
    kinds: list[str]
    is_control: bool
    onset: str
    onset_ns: int
    onset_day: float
    detected: bool
    alarms_after_control: int
    delay_events: int | None
    delay_days: float | None
    detected_by: str | None
    false_alarms: int
    events_watched: int
    false_alarms_per_100k: float | None
    blamed: list[str]
    true: list[str]
    is_blamed_rightly: bool | None
    in_words: str
    drifts: list[dict[str, Any]]
    quality: dict[str, BothSides]
    latency: Latency
    alarms: list[dict[str, Any]]
    days: Days
    lost: int = 0

    @property
    def holds(self) -> bool:
        """A drift was noticed; a control raised nothing."""
        return not self.alarms_after_control if self.is_control else self.detected


def write_replayed(found: Replayed, run: Path) -> None:
    """Into the run folder."""
    text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
    (run / REPLAYED_FILE).write_text(text + "\n", encoding="utf-8")


def read_replayed(run: Path) -> Replayed:
    """From a run folder. Raises OSError and msgspec.DecodeError when it is not there or does not fit."""
    return msgspec.json.decode((run / REPLAYED_FILE).read_bytes(), type=Replayed)
