"""Points of a capacity search, made up."""

from typing import Any

from harness.capacity.trial import Point

SETTING = {
    "scenario": "fraud", "engine": "native", "broker": "apache", "workers": 1, "partitions": 4, "duration_s": 20.0,
    "warmup_s": 5.0, "resolution": 0.05,
}  # fmt: skip


def point(rate_per_s: float, *reasons: str, limited_by: str = "scorer", **changes: Any) -> Point:
    """A run at a rate: held, unless reasons are given."""
    values: dict[str, Any] = {
        "rate_per_s": rate_per_s,
        "scheduled_per_s": rate_per_s,
        "achieved_per_s": rate_per_s * 0.999,
        "p50_ms": 4.0,
        "p99_ms": 80.0 if reasons else 20.0,
        "quantile_ms": 20.0,
        "schedule_delay_p99_ms": 1.5,
        "table_wait_max_ms": 0.0,
        "explanation_p99_ms": None,
        "floor_p50_ms": None,
        "floor_p99_ms": None,
        "lag_max": 7,
        "lag_growth_per_s": 0.1,
        "lost": 0,
        "fallback": 0,
        "shared": None,
        "changed": None,
        "precision_at_k": 0.4,
        "held": not reasons,
        "limited_by": limited_by if reasons else None,
        "reasons": reasons,
        "folder": "20260101-000000-fraud",
        "took_s": 25.0,
    }
    return Point(**{**values, **changes})
