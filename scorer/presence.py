"""How a process shows itself: health and metrics while it runs, a ready file when it can work, a summary at its end."""

import logging
import os
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.registry import Collector

from scorer.breaker_desk import Desk
from scorer.health import HealthServer
from scorer.options import RunOptions
from scorer.summary import write_json

log = logging.getLogger("riskbench.scorer")


class Presence:
    """A context around an engine's run. `summarise` makes the JSON of a status; `desk` answers POST /breaker."""

    def __init__(
        self,
        options: RunOptions,
        summarise: Callable[[str], Mapping[str, Any]],
        *metrics: Collector,
        desk: Desk | None = None,
    ) -> None:
        self._options = options
        self._summarise = summarise
        self._status = "starting"
        registry = CollectorRegistry()
        for collector in metrics:
            registry.register(collector)
        ProcessCollector(registry=registry)
        self._server = HealthServer(
            lambda: summarise(self._status), registry, options.metrics_host, options.metrics_port, desk
        )

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def ready(self, start_ns: int | None = None) -> None:
        """Say that events can be taken; `start_ns` as in `engines.Ready`."""
        self._status = "ready"
        found = {"pid": os.getpid(), "host": self._server.host, "port": self._server.port}
        if start_ns is not None:
            found["start_ns"] = start_ns
        log.info("ready: health and metrics on http://%s:%d", self._server.host, self._server.port)
        if self._options.ready_file is not None:
            write_json(self._options.ready_file, found)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._status = "stopped" if kind is None else "failed"
        if self._options.summary is not None:
            found = dict(self._summarise(self._status))
            if error is not None:
                found["error"] = f"{type(error).__name__}: {error}"
            write_json(self._options.summary, found)
