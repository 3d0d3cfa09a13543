"""A bulkhead (resilience4j's word): so many calls at a time and no more, those past their time limit among them.

The worker decides in one thread, so calls meet only where one was left behind: a model that hangs holds its own place
and nobody else's. resilience4j.readme.io/docs/bulkhead (maxConcurrentCalls, maxWaitDuration).
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias

import msgspec

from scorer.time_limit import Argument, Failed, Late, Overdue, Result, TimeLimited, Value
from scorer.watchdog import Watched

LimitKind = Literal["soft", "hard"]
Place: TypeAlias = TimeLimited[Argument, Value] | Watched[Argument, Value]


class Full(msgspec.Struct, frozen=True):
    """Every place is taken, `overdue` of them by calls past their limit: the call was not made."""

    places: int
    overdue: int


class Callee(msgspec.Struct, Generic[Argument, Value], frozen=True):
    """What one place calls. `abort` stops the call under way in this place, and in no other."""

    function: Callable[[Argument], Value]
    abort: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """`time_limit_s` holds for a call and the wait for its place together; `max_wait_s` of it may go to the wait. A
    hard limit is kept whatever the call does, which is told to stop when it has gone on for `late_wait_s` more; at a
    soft one it is told to stop at once, and waited for."""

    time_limit_s: float
    max_concurrent_calls: int = 1
    max_wait_s: float = 0.0
    late_wait_s: float = 0.0
    kind: LimitKind = "hard"


class Bulkhead(Generic[Argument, Value]):
    """Calls what `make` makes, one for each place, under a time limit: each on a thread of its own where that is hard.

    Places are made when they are first needed. `on_late` as in `TimeLimited`.
    """

    def __init__(
        self,
        make: Callable[[], Callee[Argument, Value]],
        limits: Limits,
        clock: Callable[[], int],
        on_late: Callable[[Late[Argument, Value]], None],
    ) -> None:
        self._make = make
        self._limits = limits
        self._clock = clock
        self._on_late = on_late
        self._places: list[Place[Argument, Value]] = []
        self._free: queue.SimpleQueue[Place[Argument, Value]] = queue.SimpleQueue()
        self._overdue = 0
        self._counting = threading.Lock()
        self.rejected = 0
        self._add_place()

    def call(self, argument: Argument) -> Result[Value] | Failed | Overdue | Full:
        """Make one call, or say that there is no place for it. Called by one thread."""
        try:
            place, spent_ns = self._free.get_nowait(), 0
        except queue.Empty:
            begin_ns = self._clock()
            found = self._another_place()
            if found is None:
                self.rejected += 1
                return Full(len(self._places), self.overdue)
            place, spent_ns = found, self._clock() - begin_ns
        answer = place.call(argument, spent_ns)
        if isinstance(answer, Overdue):
            self._count_overdue(1)
        else:
            self._free.put(place)
        return answer

    @property
    def overdue(self) -> int:
        """How many calls past their limit are still under way."""
        return max(self._overdue, 0)  # below zero for the moment in which a call ends just as it is given up

    @property
    def available(self) -> int:
        """How many calls could begin now."""
        return self._limits.max_concurrent_calls - len(self._places) + self._free.qsize()

    def close(self) -> bool:
        """End every thread; False when a call still hangs."""
        ended = [place.close() for place in self._places]
        return all(ended)

    def _another_place(self) -> Place[Argument, Value] | None:
        if len(self._places) < self._limits.max_concurrent_calls:
            self._add_place()
        try:
            return self._free.get(timeout=self._limits.max_wait_s)
        except queue.Empty:
            return None

    def _add_place(self) -> None:
        callee, limits = self._make(), self._limits
        place: Place[Argument, Value]
        if limits.kind == "soft":
            place = Watched(
                callee.function,
                limits.time_limit_s,
                self._clock,
                abort=callee.abort,
                on_late=self._on_late,
                on_free=lambda: self._leave(place),
            )
        else:
            place = TimeLimited(
                callee.function,
                limits.time_limit_s,
                self._clock,
                abort=callee.abort,
                late_wait_s=limits.late_wait_s,
                on_late=self._on_late,
                on_free=lambda: self._leave(place),
            )
        self._places.append(place)
        self._free.put(place)

    def _leave(self, place: Place[Argument, Value]) -> None:
        self._count_overdue(-1)
        self._free.put(place)

    def _count_overdue(self, change: int) -> None:
        with self._counting:
            self._overdue += change
