"""Waiting for an instant: asleep for most of it, awake for the last stretch."""

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], int]
Sleep = Callable[[float], None]

PR_SET_TIMERSLACK = 29
AWAKE_NS_MIN, AWAKE_NS_MAX = 20_000, 200_000
IDLE_NS = 2_000_000
"""A wait at least this long has time for housekeeping."""
STEP_NS_MAX = 500_000


def sharpen_sleep() -> None:
    """Ask the kernel to wake this process on time (it may be 50 µs late otherwise). Without effect off Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)


def measure_oversleep_ns(now_ns: Clock, sleep: Sleep, tries: int = 40) -> int:
    """How late this machine wakes up (80th percentile of `tries` short sleeps), within 20–200 µs."""
    late = []
    for _ in range(tries):
        start = now_ns()
        sleep(0.0005)
        late.append(now_ns() - start - 500_000)
    return min(max(sorted(late)[tries * 8 // 10], AWAKE_NS_MIN), AWAKE_NS_MAX)


def step_beside_ns(linger_ms: float) -> int:
    """How exactly a load has to be on time whose messages wait `linger_ms` for others anyway: a tenth of that, at most
    half a millisecond; 0 (to the microsecond) where nothing waits."""
    return min(round(linger_ms * 1e5), STEP_NS_MAX)


@dataclass(frozen=True, slots=True)
class Pacer:
    """Waits until an instant of `now_ns`; `housekeeping` is called where there is time for it.

    `awake_ns` before the instant it stops sleeping and watches the clock, so that it is a few µs late at most without
    burning a core at low rates. An instant that has passed returns at once: nothing is skipped or slowed down.

    With `step_ns` it sleeps at least so long: whatever has come due by then leaves together, late by no more, with one
    awakening instead of one each. The delay is in the response, which counts from the schedule.
    """

    now_ns: Clock
    sleep: Sleep
    awake_ns: int
    housekeeping: Callable[[], object]
    step_ns: int = 0

    def wait_until(self, instant_ns: int) -> int:
        """Returns the clock's reading at the end of the wait."""
        now = self.now_ns()
        remaining = instant_ns - now
        if remaining <= 0:
            return now
        if remaining > IDLE_NS:
            self.housekeeping()
            remaining = instant_ns - self.now_ns()
        if remaining > self.awake_ns:
            self.sleep(max(remaining - self.awake_ns, self.step_ns) / 1e9)
        now = self.now_ns()
        while now < instant_ns:
            now = self.now_ns()
        return now
