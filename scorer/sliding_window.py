"""The sliding windows a circuit breaker measures: the last N calls, or the calls of the last N seconds."""

from collections import deque
from typing import Protocol

import msgspec

NS_PER_S = 1_000_000_000


class WindowCounts(msgspec.Struct, frozen=True):
    """What a window holds now. A call that failed and was slow counts in both."""

    calls: int
    failed: int
    slow: int

    @property
    def failure_rate(self) -> float:
        """Share of the calls that failed; 0 for an empty window."""
        return self.failed / self.calls if self.calls else 0.0

    @property
    def slow_call_rate(self) -> float:
        """Share of the calls that were slow; 0 for an empty window."""
        return self.slow / self.calls if self.calls else 0.0


class SlidingWindow(Protocol):
    """Counts of calls, failures and slow calls over a bounded past."""

    def record(self, now_ns: int, *, failed: bool, slow: bool) -> WindowCounts:
        """Add one finished call; returns the counts with it."""
        ...

    def counts(self, now_ns: int) -> WindowCounts:
        """The counts at an instant."""
        ...


class CountWindow:
    """The last `size` calls."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._calls: deque[tuple[bool, bool]] = deque()
        self._failed = 0
        self._slow = 0

    def record(self, now_ns: int, *, failed: bool, slow: bool) -> WindowCounts:
        """Add one finished call, forgetting the oldest when full. The time plays no part."""
        if len(self._calls) == self._size:
            old_failed, old_slow = self._calls.popleft()
            self._failed -= old_failed
            self._slow -= old_slow
        self._calls.append((failed, slow))
        self._failed += failed
        self._slow += slow
        return self.counts(now_ns)

    def counts(self, now_ns: int) -> WindowCounts:
        """The counts now; the time plays no part."""
        del now_ns
        return WindowCounts(len(self._calls), self._failed, self._slow)


class TimeWindow:
    """The calls of the last `size_s` seconds, in whole-second buckets (the running second and those before it).

    Memory and the cost of a call are bounded by the number of seconds, not of calls. A clock that steps back is taken
    to stand still.
    """

    def __init__(self, size_s: int) -> None:
        self._size_s = size_s
        self._buckets: deque[list[int]] = deque()  # [second, calls, failed, slow], oldest first
        self._totals = [0, 0, 0]

    def record(self, now_ns: int, *, failed: bool, slow: bool) -> WindowCounts:
        """Add one finished call to the running second."""
        second = self._advance(now_ns)
        if not self._buckets or self._buckets[-1][0] != second:
            self._buckets.append([second, 0, 0, 0])
        for index, amount in enumerate((1, int(failed), int(slow))):
            self._buckets[-1][index + 1] += amount
            self._totals[index] += amount
        return WindowCounts(*self._totals)

    def counts(self, now_ns: int) -> WindowCounts:
        """The counts at an instant, with what is too old forgotten."""
        self._advance(now_ns)
        return WindowCounts(*self._totals)

    def _advance(self, now_ns: int) -> int:
        second = now_ns // NS_PER_S
        if self._buckets:
            second = max(second, self._buckets[-1][0])
        while self._buckets and self._buckets[0][0] <= second - self._size_s:
            _, *amounts = self._buckets.popleft()
            for index, amount in enumerate(amounts):
                self._totals[index] -= amount
        return second
