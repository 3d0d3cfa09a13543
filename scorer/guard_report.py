"""What breaker, bulkhead and late scores say of themselves: JSON for /health, metrics for Prometheus.

The metrics follow resilience4j's (resilience4j.readme.io/docs/micrometer): state, calls and slow calls by kind, calls
in the window, rates (−1 below the minimum of calls), calls not permitted; the bulkhead's places, and how many are free.
"""

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scorer.breaker import BREAKER_STATES, CircuitBreaker
from scorer.guarded_model import GuardedModel
from scorer.late_scores import LateScores


def guard_summary(guard: GuardedModel, late_scores: LateScores) -> dict[str, Any]:
    """The parts of a worker's summary that speak of breaker and model."""
    return {"breaker": guard.breaker.summary(), "model": {**guard.summary(), "late_scores": late_scores.summary()}}


class GuardMetrics(Collector):
    """All of it as Prometheus metrics, read when they are asked for."""

    def __init__(self, guard: GuardedModel, late_scores: LateScores) -> None:
        self._guard = guard
        self._late_scores = late_scores

    def collect(self) -> Iterator[Metric]:
        """All of them, as they stand."""
        yield from _states(self._guard.breaker)
        yield from _calls(self._guard.breaker)
        told = self._guard.summary()
        yield _family("riskbench_model_fallback_batches", "Calls without a score", "cause", told["fallback_batches"])
        yield _family("riskbench_model_late_calls", "What overdue calls came to", "result", told["late_results"])
        late = self._late_scores.summary()
        kinds = {kind: late[kind] for kind in ("scored", "failed", "not_kept")}
        yield _family("riskbench_late_scores", "Events of overdue calls that ended after all", "result", kinds)
        bulkhead = told["bulkhead"]
        for name, text in (
            ("max_concurrent_calls", "Calls of the model that may be under way at a time"),
            ("available", "Calls of the model that could begin now"),
            ("overdue_calls", "Calls past their time limit that are still under way"),
        ):
            yield GaugeMetricFamily(f"riskbench_bulkhead_{name}", text, bulkhead[name])
        yield CounterMetricFamily("riskbench_bulkhead_rejected", "Calls the bulkhead refused", bulkhead["rejected"])


def _states(breaker: CircuitBreaker) -> Iterator[Metric]:
    state = GaugeMetricFamily("riskbench_breaker_state", "1 for the state the breaker is in", labels=["state"])
    now = breaker.state
    for name in BREAKER_STATES:
        state.add_metric([name], float(now == name))
    yield state
    yield CounterMetricFamily(
        "riskbench_breaker_transitions", "Changes of the breaker's state", breaker.transition_count
    )
    changes = CounterMetricFamily(
        "riskbench_breaker_state_changes", "Changes of the breaker's state by cause", labels=["from", "to", "cause"]
    )
    for labels, count in breaker.transitions_by_kind.items():
        changes.add_metric(labels, count)
    yield changes
    yield CounterMetricFamily("riskbench_breaker_open_seconds", "Time the breaker was open", breaker.open_ns / 1e9)


def _calls(breaker: CircuitBreaker) -> Iterator[Metric]:
    recorded, counts = breaker.recorded, breaker.counts()
    slow = {"successful": recorded.slow_successful, "failed": recorded.slow_failed}
    of_all = {
        "successful": recorded.successful + recorded.slow_successful,
        "failed": recorded.failed + recorded.slow_failed,
    }
    yield _family("riskbench_breaker_calls", "Calls the breaker counted", "kind", of_all)
    yield _family("riskbench_breaker_slow_calls", "Those of them that were slow", "kind", slow)
    yield CounterMetricFamily("riskbench_breaker_refused", "Calls the breaker refused", breaker.refused)
    enough = counts.calls >= breaker.config.minimum_calls
    for name, text, value in (
        ("buffered_calls", "Calls in the breaker's window", counts.calls),
        ("failure_rate", "Share of failed calls in the window; -1 below the minimum", counts.failure_rate),
        ("slow_call_rate", "Share of slow calls in the window; -1 below the minimum", counts.slow_call_rate),
    ):
        yield GaugeMetricFamily(f"riskbench_breaker_{name}", text, value if enough or name == "buffered_calls" else -1)


def _family(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
