"""How a rollout stands, as Prometheus metrics."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scorer.rollout.rollout import Rollout
from streams.rollout import PHASES


class RolloutMetrics(Collector):
    """Read when they are asked for: nothing is paid on the hot path."""

    def __init__(self, rollout: Rollout) -> None:
        self._rollout = rollout

    def collect(self) -> Iterator[Metric]:
        """All of them, as they stand."""
        told = self._rollout.summary()
        phase = GaugeMetricFamily("riskbench_rollout_phase", "1 for the phase of the newest step", labels=["phase"])
        for name in PHASES:
            phase.add_metric([name], float(told["phase"] == name))
        yield phase
        yield GaugeMetricFamily("riskbench_rollout_share", "Share of keys the candidate decides", told["share"] or 0.0)
        yield GaugeMetricFamily("riskbench_rollout_steps", "Steps of the plan taken", told["steps"])
        yield GaugeMetricFamily("riskbench_rollout_refused", "Candidates that cannot be used", len(told["refused"]))
        for kind, text in (("decided", "Decisions by model"), ("shadowed", "Scores that decided nothing, by model")):
            family = CounterMetricFamily(f"riskbench_rollout_{kind}", text, labels=["model"])
            for model, count in told[f"{kind}_by"].items():
                family.add_metric([model], count)
            yield family
