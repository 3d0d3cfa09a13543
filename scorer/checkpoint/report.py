"""What checkpoints say of themselves to Prometheus."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from scorer.clock import ClockNs
from scorer.counters import Counters
from scorer.health import cumulative


class CheckpointMetrics(Collector):
    """A worker's checkpoints as Prometheus metrics, read when they are asked for; none where none are kept."""

    def __init__(self, counters: Counters, clock_ns: ClockNs) -> None:
        self._counters = counters
        self._clock_ns = clock_ns

    def collect(self) -> Iterator[Metric]:
        """All of them, as they stand."""
        counters = self._counters
        for name, text, value in (
            ("checkpoints", "Parts of checkpoints written", counters.checkpoints),
            ("checkpoint_bytes", "Bytes of checkpoints written", counters.checkpoint_bytes),
            ("checkpoint_failed_cards", "Cards whose part could not be written", counters.checkpoint_failed),
            ("checkpoint_refused", "Files of checkpoints that were refused as damaged", counters.checkpoint_refused),
            ("restored_partitions", "Partitions taken over with their state", counters.restored),
            ("replayed", "Events that only entered the state: they were decided before", counters.replayed),
            ("given_up", "Decisions not sent: their partitions had gone to another worker", counters.given_up),
        ):
            yield CounterMetricFamily(f"riskbench_{name}", text, value)
        times = counters.checkpoint_times
        histogram = HistogramMetricFamily("riskbench_checkpoint_seconds", "From a cut to its last byte on disk")
        histogram.add_metric([], cumulative(times.counts), times.sum_ns / 1e9)
        yield histogram
        yield GaugeMetricFamily(
            "riskbench_checkpoint_pause_max_seconds",
            "Longest time a micro-batch waited for cards to be copied",
            counters.checkpoint_pause_ns_max / 1e9,
        )
        if counters.checkpoint_current_ns is not None:
            yield GaugeMetricFamily(
                "riskbench_checkpoint_age_seconds",
                "Time since which the state on disk lacks something; does not grow while nothing changes",
                max(self._clock_ns() - counters.checkpoint_current_ns, 0) / 1e9,
            )
