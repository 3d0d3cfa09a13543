"""Breaker, bulkhead and late scores as Prometheus metrics and as JSON."""

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from scorer.breaker import CircuitBreaker
from scorer.breaker_config import BreakerConfig
from scorer.bulkhead import Callee
from scorer.guard_report import GuardMetrics, guard_summary
from scorer.guarded_model import GuardedModel
from scorer.late_scores import LateScores
from tests.unit.scorer.clock import FakeClock


def broken(values: NDArray[np.float32]) -> None:
    raise ValueError("broken")


def test_every_transition_is_counted_by_its_cause_beside_calls_and_rates() -> None:
    clock = FakeClock()
    guard = GuardedModel(lambda: Callee(broken), CircuitBreaker(BreakerConfig(), clock), clock)  # type: ignore[arg-type]
    late = LateScores(None, lambda _: (np.empty(0, np.int8), np.empty(0)), clock, time_limit_s=2, worker="w",
                      model_version="m")  # fmt: skip
    registry = CollectorRegistry()
    registry.register(GuardMetrics(guard, late))

    def samples() -> dict[str, float]:
        families = text_string_to_metric_families(generate_latest(registry).decode())
        return {
            f"{sample.name}{sorted(sample.labels.values())}": sample.value
            for family in families
            for sample in family.samples
        }

    guard.score(np.zeros((1, 2), np.float32))
    assert samples()["riskbench_breaker_failure_rate[]"] == -1
    for _ in range(9):
        guard.score(np.zeros((1, 2), np.float32))
    found = samples()
    assert found["riskbench_breaker_state['open']"] == 1
    assert found["riskbench_breaker_state['closed']"] == 0
    assert found["riskbench_breaker_transitions_total[]"] == 1
    assert found["riskbench_breaker_state_changes_total['closed', 'failure-rate', 'open']"] == 1
    assert found["riskbench_breaker_calls_total['failed']"] == 5
    assert found["riskbench_breaker_refused_total[]"] == 5
    assert found["riskbench_model_fallback_batches_total['open']"] == 5
    assert found["riskbench_bulkhead_available[]"] == 1
    assert found["riskbench_bulkhead_rejected_total[]"] == 0
    told = guard_summary(guard, late)
    assert told["breaker"]["transitions"][0]["cause"] == "failure rate 5/5 reached 0.5"
    assert told["model"]["late_scores"]["awaited"] == 0
    assert guard.close()
