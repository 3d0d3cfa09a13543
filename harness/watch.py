"""Looks at the stream from outside once a second, in a thread: what the scorer's group has committed, its health, what
every process costs."""

import logging
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from harness.footprint import Footprints
from harness.scorers import Scorers, worst_breaker
from harness.timeline import Sample
from streams.brokers.connection import KafkaConnection
from streams.brokers.control import ControlPlane
from streams.errors import BrokerError

logger = logging.getLogger("riskbench.harness.watch")
EVERY_S = 1.0


@dataclass(slots=True)
class Watcher:
    """Samples until its context ends. `group` is empty where nobody knows which it is."""

    connection: KafkaConnection
    group: str
    topic: str
    scorers: Scorers
    footprints: Footprints
    samples: list[Sample] = field(default_factory=list)
    dead_lettered: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(15.0)

    def _run(self) -> None:
        control: ControlPlane | None = None
        self.footprints.look()
        while not self._stop.wait(EVERY_S):
            try:
                uncommitted: int | None = None
                if self.group:
                    control = control or ControlPlane(self.connection)
                    uncommitted = sum(control.lag(self.group, self.topic).values())
            except BrokerError as error:
                logger.warning("offsets of the group: %s", error)
                uncommitted = None
            self.footprints.follow(self.scorers.pids())
            self.footprints.look()
            healths = self.scorers.health()
            told = [*healths, *self.scorers.ended]
            self.dead_lettered = sum(int(health.get("dead_lettered", 0)) for health in told)
            ignored = sum(int(health.get("repeated", 0)) for health in told if health.get("role") == "worker")
            silent = self.scorers.deciding - len(healths)
            self.samples.append(
                Sample(time.monotonic_ns(), uncommitted, worst_breaker(healths), silent, self.dead_lettered, ignored)
            )
        self.footprints.look()  # what the last part of a second cost
        if control is not None:
            control.close()

    @property
    def last(self) -> Sample | None:
        """The latest sample."""
        return self.samples[-1] if self.samples else None
