"""A run's results, made up."""

import pytest

from harness.latency_results import Distribution, LatencyResults, PathLatency
from harness.results import (
    SCHEMA_VERSION,
    BreakerResults,
    BrokerResults,
    Counts,
    LoadResults,
    PathCounts,
    Results,
    ScheduleDelay,
    Transition,
    Verdict,
)

COUNTS = Counts(
    sent=100,
    decided=100,
    lost=0,
    late=0,
    duplicated=0,
    unknown=0,
    malformed=0,
    dead_lettered=0,
    undelivered=0,
    warmup=0,
    side_messages=0,
    by_path=PathCounts(rules=20, model=80, fallback=0),
)


@pytest.fixture
def results() -> Results:
    """A small pass."""
    found = Distribution(count=100, p50=5.0, p90=8.0, p99=20.0, p999=30.0, max=140.0)
    return Results(
        schema_version=SCHEMA_VERSION,
        scenario="fraud",
        engine="native",
        workers=1,
        broker=BrokerResults(name="embedded", version="1", start_s=0.1, memory_bytes=5, warning=None),
        seeds={"world": 1},
        started_at="2026-01-01T00:00:00Z",
        verdict=Verdict(status="fail", reasons=["response P99 20 ms exceeds 19 ms"]),
        load=LoadResults(
            process="constant",
            target_per_s=100.0,
            scheduled_per_s=100.0,
            achieved_per_s=100.0,
            schedule_delay_ms=ScheduleDelay(p50=0.01, p99=0.5, max=3.0),
            duration_s=1.0,
            warmup_s=0.0,
            partitions=4,
            events_from=None,
            events_until=None,
        ),
        counts=COUNTS,
        latency_ms=LatencyResults(
            response=found,
            service=found,
            schedule_delay=found,
            floor=None,
            by_path={"model": PathLatency(response=found, service=found)},
            stages={"model": found},
            negative=0,
            overflow=0,
        ),
        quality={"k": 100, "precision_at_k": 0.25, "precision_at_k_ceiling": 0.5, "pr_auc": 0.6, "lift_at_k": 20.0},
        drift={"psi_score": 0.01, "status": "stable"},
        breaker=BreakerResults(
            transitions=[Transition(at_s=1.5, from_="closed", to="open", cause="slow", worker="worker-1")],
            open_ms=12.0,
            fallback_events=3,
        ),
        faults=[],
        model=None,
        slo={"response_p99_ms": 19.0},
        scorers=[],
        dataset=None,
        config={},
    )
