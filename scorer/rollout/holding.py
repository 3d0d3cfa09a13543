"""Event time standing still: an engine that reads a file waits before an event until it is told to go on."""

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from scorer.clock import ClockNs
from scorer.rollout.rollout import Rollout

log = logging.getLogger("riskbench.scorer")

NAP_S = 0.005


class Holding:
    """The plan's hold, asked before each micro-batch. `held_ns` is how long it has stood still, in all."""

    def __init__(self, rollout: Rollout, clock_ns: ClockNs, sleep: Callable[[float], None]) -> None:
        self._rollout, self._clock_ns, self._sleep = rollout, clock_ns, sleep
        self._begin_ns: int | None = None
        self.held_ns = 0

    def room(self, times_ns: NDArray[np.int64]) -> int:
        """How many of these next events, in order (their times, int64 [n]), may be taken now."""
        self._rollout.take()
        hold_ns = self._rollout.hold_ns
        found = len(times_ns) if hold_ns is None else _first_at(times_ns, hold_ns)
        if found and self._begin_ns is not None:
            self.held_ns += self._clock_ns() - self._begin_ns
            self._begin_ns = self._rollout.holding_at_ns = None
            self._rollout.held_ns = self.held_ns
        return found

    def wait(self) -> None:
        """There was no room: stand still for a moment."""
        if self._begin_ns is None:
            self._begin_ns = self._clock_ns()
            log.info("holding at event time %s", self._rollout.hold_ns)
        self._rollout.holding_at_ns = self._rollout.hold_ns
        self._sleep(NAP_S)


def _first_at(times_ns: NDArray[np.int64], hold_ns: int) -> int:
    held = times_ns >= hold_ns
    return int(held.argmax()) if held.any() else len(held)
