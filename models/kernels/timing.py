"""How long calls take, one by one: the clock on the wall for percentiles, the thread's processor time for the mean."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
ClockNs = Callable[[], int]


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """Calls one after the other: wall time of each in its two parts, int64 [n] ns, and the processor time of all (ns),
    the clock's own in it."""

    coding_ns: Int64s
    computing_ns: Int64s
    cpu_ns: int

    @property
    def whole_ns(self) -> Int64s:
        """Both parts."""
        return self.coding_ns + self.computing_ns

    def told(self, events: int) -> dict[str, float]:
        """The figures, in ns: percentiles of a call, means of one of the `events` that all calls took in."""
        whole = self.whole_ns
        p50, p99 = np.percentile(whole, (50, 99))
        return {
            "p50_ns": float(p50),
            "p99_ns": float(p99),
            "max_ns": float(whole.max()),
            "event_ns": float(whole.sum() / events),
            "event_coding_ns": float(self.coding_ns.sum() / events),
            "event_computing_ns": float(self.computing_ns.sum() / events),
            "event_cpu_ns": self.cpu_ns / events,
        }


def time_calls(
    code: Callable[[Any], Any],
    compute: Callable[[Any], Any],
    parts: Sequence[Any],
    clock_ns: ClockNs = time.perf_counter_ns,
) -> Timed:
    """Code and compute each part in turn."""
    coding, computing = np.empty(len(parts), np.int64), np.empty(len(parts), np.int64)
    begun = time.thread_time_ns()
    for place, part in enumerate(parts):
        first = clock_ns()
        batch = code(part)
        second = clock_ns()
        compute(batch)
        coding[place], computing[place] = second - first, clock_ns() - second
    return Timed(coding, computing, time.thread_time_ns() - begun)
