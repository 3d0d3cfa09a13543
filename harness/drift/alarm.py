"""What a monitor says when it has seen drift."""

from dataclasses import asdict, dataclass
from typing import Any

ALL = "all"
"""The group of an alarm about the whole stream."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm: which monitor saw what of which group leave what it knows, at which event, and by how much.

    `name` is the feature, rule or quantity watched; `group` a segment or market, or `all`. `ordinal` is the last event
    looked at and `event_time_ns` its time. `value` stands above `threshold`, or below it where `is_fall`.
    `window_days` is how much event time was looked at (None: the window adapts by itself). `why` says it in words.
    """

    monitor: str
    name: str
    group: str
    ordinal: int
    event_time_ns: int
    value: float
    threshold: float
    why: str
    window_days: float | None = None
    is_fall: bool = False

    @property
    def excess(self) -> float:
        """How many times the threshold it is, > 1 for a rise and for a fall."""
        over, under = (self.threshold, self.value) if self.is_fall else (self.value, self.threshold)
        return over / under if under > 0 else float("inf")

    def to_dict(self) -> dict[str, Any]:
        """As a row of results.json's `drift.detections`."""
        return {"kind": "monitor", "status": "drift", **asdict(self)}
