"""GET /health and /ready (JSON), GET /metrics (Prometheus) and POST /breaker on one port, answered by a thread of its
own."""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from scorer.breaker_desk import BODY_BYTES_MAX, PATH, Desk, Request
from scorer.counters import STAGE_BOUNDS_S, Counters, StageHistogram
from streams.errors import BadInputError

log = logging.getLogger("riskbench.scorer")

Summary = Callable[[], Mapping[str, Any]]


class HealthServer:
    """Serves a summary and a registry until closed. `port` 0 takes a free one; the real one is in `.port`. `desk`
    answers POST /breaker, where there is one."""

    def __init__(
        self, summary: Summary, registry: CollectorRegistry, host: str, port: int, desk: Desk | None = None
    ) -> None:
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(summary, registry, desk))
        except (OSError, OverflowError) as error:
            raise BadInputError(
                f"health and metrics cannot listen on {host}:{port}: {error}; "
                "choose another --metrics-port (0: a free one)"
            ) from error
        self._server.daemon_threads = True
        self.host = host
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.5,), name="health", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


def _handler(summary: Summary, registry: CollectorRegistry, desk: Desk | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            path = self.path.split("?", 1)[0]
            if path == "/health":
                self._answer(200, "application/json", json.dumps(summary()).encode())
            elif path == "/ready":
                told = summary()
                self._answer(200 if told["status"] == "ready" else 503, "application/json", json.dumps(told).encode())
            elif path == "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, content_type, encode(registry))
            else:
                self._answer(404, "text/plain; charset=utf-8", b"/health, /ready and /metrics are here\n")

        def do_POST(self) -> None:
            size = self.headers.get("Content-Length", "")
            if desk is None or self.path != PATH:
                self._answer(404, "text/plain; charset=utf-8", b"nothing is taken here\n")
            elif not size.isdecimal() or int(size) > BODY_BYTES_MAX:
                self._answer(413, "text/plain; charset=utf-8", f"at most {BODY_BYTES_MAX} bytes\n".encode())
            else:
                header, body = self.headers.get, self.rfile.read(int(size))
                asked = Request(str(self.client_address[0]), header("Host", ""), header("Content-Type", ""), body)
                status, told = desk(asked)
                self._answer(status, "application/json", json.dumps(told).encode())

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
            log.debug(format, *args)

    return Handler


class WorkerMetrics(Collector):
    """A worker's counters as Prometheus metrics, read when they are asked for: nothing is paid on the hot path."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        """All of them, as they stand."""
        counters = self._counters
        yield from self._totals()
        yield _labelled("riskbench_decided", "Decisions by path", "path", counters.by_path)
        yield _labelled("riskbench_outcomes", "Decisions by outcome", "outcome", counters.by_outcome)
        yield _stages(dict(counters.stages))
        yield GaugeMetricFamily(
            "riskbench_table_wait_max_seconds", "Longest wait for a day table", counters.table_wait_ns_max / 1e9
        )
        yield GaugeMetricFamily(
            "riskbench_explain_waiting", "Decisions that wait for their contributions", counters.explain_waiting
        )
        if counters.lag is not None:
            yield GaugeMetricFamily(
                "riskbench_lag_events", "Events not taken yet in this worker's partitions", counters.lag
            )

    def _totals(self) -> Iterator[Metric]:
        counters = self._counters
        for name, text, value in (
            ("taken", "Events taken", counters.taken),
            ("batches", "Micro-batches decided", counters.batches),
            ("dead_lettered", "Messages sent to the dead-letter topic", counters.dead_lettered),
            ("repeated", "Repeated events, which get no second decision", counters.repeated),
            ("late", "Events that came late and were put in order", counters.late),
            ("too_late", "Events that came later than the allowed lateness", counters.too_late),
            ("alerts", "Raw alerts raised about customers", counters.alerts),
            ("findings", "Findings of investigators received", counters.findings),
            ("findings_suspicious", "Findings against the customer", counters.findings_suspicious),
            ("findings_unreadable", "Messages among the findings that are none", counters.findings_unreadable),
            ("tables_installed", "Day tables installed", counters.tables_installed),
            ("tables_missed", "Day tables that did not come in time", counters.tables_missed),
            ("stale_tables", "Events decided with another day's table or none", counters.stale_tables),
            ("explained", "Explanations handed over", counters.explained),
            ("explain_failed", "Decisions that stay without contributions", counters.explain_failed),
            ("explain_waits", "Times a micro-batch waited for the explaining thread", counters.explain_waits),
        ):
            yield CounterMetricFamily(f"riskbench_{name}", text, value)
        yield CounterMetricFamily(
            "riskbench_table_wait_seconds", "Time spent waiting for day tables", counters.table_wait_ns / 1e9
        )
        yield CounterMetricFamily(
            "riskbench_explain_wait_seconds", "Time spent waiting for explanations", counters.explain_wait_ns / 1e9
        )


def _labelled(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _stages(stages: Mapping[str, StageHistogram]) -> Metric:
    family = HistogramMetricFamily("riskbench_stage_seconds", "Time per micro-batch by stage", labels=["stage"])
    for stage, histogram in stages.items():
        family.add_metric([stage], cumulative(histogram.counts), histogram.sum_ns / 1e9)
    return family


def cumulative(counts: Iterable[int]) -> list[tuple[str, float]]:
    """A stage histogram's counts as Prometheus wants its buckets: each with all below it."""
    buckets: list[tuple[str, float]] = []
    total = 0
    for bound, count in zip((*map(str, STAGE_BOUNDS_S), "+Inf"), counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets


class NightlyMetrics(Collector):
    """The nightly job's totals as Prometheus metrics."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary

    def collect(self) -> Iterator[Metric]:
        """All of them, as they stand."""
        found = self._summary()
        for name in ("events", "dispositions", "unreadable", "tables_published"):
            yield CounterMetricFamily(
                f"riskbench_nightly_{name}", f"Nightly job: {name.replace('_', ' ')}", found[name]
            )
        yield GaugeMetricFamily("riskbench_nightly_next_day", "Business day to be closed next", found["next_day"])
