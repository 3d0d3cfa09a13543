"""Fault results as a run leaves them, for tables and pages."""

from typing import Any

from harness.results import FaultQuality, FaultResults, PathCounts, SteadyResults

STEADY = SteadyResults(
    from_s=5.0, until_s=15.0, held=True, events=3_000, p99_ms=4.0, limit_ms=1_000.0, fallback_share=0.0,
    fallback_share_max=0.01, lost=0,
)  # fmt: skip


def fault(**changes: Any) -> FaultResults:
    """A model that hung and was survived."""
    plain: dict[str, Any] = {
        "kind": "model-hang",
        "injected_at": "15.002 s",
        "detected_ms": 12.5,
        "recovered_ms": 5_300.0,
        "p99_during_ms": 1_020.0,
        "lost": 0,
        "duplicated": 0,
        "alerts_missed": 7,
        "family": "model",
        "at_s": 15.002,
        "duration_s": 10.0,
        "felt": ["breaker", "fallback"],
        "detected_by": "fallback",
        "open_ms": 1_001.0,
        "p99_before_ms": 4.0,
        "p99_after_ms": 4.5,
        "events": 4_600,
        "by_path": PathCounts(rules=1_300, model=100, fallback=3_200),
        "dead_lettered": 0,
        "before": STEADY,
        "after": STEADY,
        "quality": FaultQuality(
            events=4_600, frauds=20, k=10, precision_at_k=0.1, precision_at_k_model=0.3, recall=0.05,
            recall_model=0.45, alerts_missed=7, frauds_missed=5, alerts_more=1,
        ),
    }  # fmt: skip
    return FaultResults(**{**plain, **changes})
