"""Drift: indices of a whole run against its reference, and monitors that watch the stream as it passes."""

from harness.drift.alarm import Alarm
from harness.drift.indices import (
    CALENDAR_SPAN_NS,
    EVENTS_MIN,
    Drift,
    Index,
    Limits,
    Status,
    feature_matrix,
    measure_drift,
    stability_index,
)
from harness.drift.season import CALENDAR

__all__ = [
    "CALENDAR",
    "CALENDAR_SPAN_NS",
    "EVENTS_MIN",
    "Alarm",
    "Drift",
    "Index",
    "Limits",
    "Status",
    "feature_matrix",
    "measure_drift",
    "stability_index",
]
