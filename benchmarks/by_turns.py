"""Two calls measured by turns, and their ratio: what neighbours on the machine add falls on both.

Processor time of the whole process, so that being preempted is no cost, while work in another thread of it
is. The suites' limits, `…_MAX`, are of the least ratio and of the P99's, in this order.
"""

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 100


@dataclass(frozen=True)
class Turns:
    """Processor seconds of either call, float64 [rounds]."""

    ours: NDArray[np.float64]
    floor: NDArray[np.float64]

    @property
    def least(self) -> float:
        """The least time of ours over the floor's least."""
        return float(self.ours.min() / self.floor.min())

    @property
    def p99(self) -> float:
        """P99 of ours over the floor's, in blocks of 100 turns; the median block's: one bad moment is one block's."""
        ours, floor = (np.percentile(taken.reshape(-1, BLOCK), 99, axis=1) for taken in (self.ours, self.floor))
        return float(np.median(ours / floor))

    def hold(self, of: str, most: float, p99_most: float | None = None) -> None:
        """Fail when the least time of ours is `most` times that of `of` or more, or its P99 `p99_most` times."""
        assert self.least < most, f"{self.least:.3f} times {of}; allowed: {most}"
        if p99_most is not None:
            assert self.p99 < p99_most, f"P99: {self.p99:.3f} times that of {of}; allowed: {p99_most}"


def nothing() -> None:
    """For calls that need nothing prepared."""


def by_turns(
    ours: Callable[[Any], object],
    floor: Callable[[Any], object],
    rounds: int,
    prepare: Callable[[], Any] = nothing,
) -> Turns:
    """Call both in turns, each with what `prepare` made just before it (not timed): neither finds its data warmer than
    the other. The garbage collector rests: what it would trace is mostly the test runner's."""
    taken = np.empty((rounds, 2))
    for call in (ours, floor):
        call(prepare())
    gc.collect()
    gc.disable()
    try:
        for turn in range(rounds):
            for column, call in enumerate((ours, floor)):
                given = prepare()
                begin = time.process_time()
                call(given)
                taken[turn, column] = time.process_time() - begin
    finally:
        gc.enable()
    return Turns(taken[:, 0], taken[:, 1])


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this thread, and those that it starts, on one core, where the system can: what handing over to a thread
    costs depends most of all on whether it was on another core, which is luck."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def repeated(times: int, call: Callable[[], object]) -> Callable[[None], object]:
    """Several calls as one: a short one takes no longer than reading the clock."""
    return lambda _: [call() for _ in range(times)]


def note_rate(benchmark: Any, each: str, count: int) -> None:
    """Write down how many a second were measured, and the P99 of a call (wall clock, not asserted)."""
    benchmark.extra_info[each] = count
    if benchmark.stats:
        seconds = benchmark.stats.stats.data
        benchmark.extra_info[f"{each}_per_s"] = count / float(np.median(seconds))
        benchmark.extra_info["p99_us"] = 1e6 * float(np.percentile(seconds, 99))
