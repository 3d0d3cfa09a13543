"""The clock that is passed around: monotonic nanoseconds, the same for every process of a machine."""

from collections.abc import Callable

ClockNs = Callable[[], int]
