"""A kernel filled with so many cards or accounts, then measured: time an event, memory an entity, the longest pause."""

import gc
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

from models.freezing import freeze
from models.kernels.timing import time_calls
from models.kernels.traffic import CHOICES, FILL_ROWS, Traffic

MICRO_BATCH = 256
ONE_BY_ONE, BATCHES = 20_000, 100
"""Events measured one at a time, and micro-batches."""
REHEARSED = 1_000
"""Events before the measured ones."""


def grow(make: Callable[[], Traffic], seed: int) -> dict[str, Any]:
    """Fill a state and measure it; the garbage collector is as in a scorer's worker that began without history."""
    process = psutil.Process()
    before_bytes = _resident(process)
    begun = time.monotonic()
    traffic = make()
    freeze()
    growing = _fill(traffic)
    took_s = time.monotonic() - begun
    resident = _resident(process) - before_bytes
    found: dict[str, Any] = {
        "entities": traffic.entities,
        "history_events": traffic.history_events,
        "fill_s": took_s,
        "growing": growing,
        "resident_bytes": resident,
        "array_bytes": traffic.memory_bytes,
        "mixes": {},
    }
    rng, number = np.random.default_rng(seed), 0
    for name, choose in CHOICES.items():
        count = REHEARSED + ONE_BY_ONE + BATCHES * MICRO_BATCH
        messages = traffic.messages(choose(traffic.entities, count, rng), number)
        number += count
        found["mixes"][name] = _measure(traffic, messages)
    return found


def _resident(process: psutil.Process) -> int:
    """Memory that is really there, what arrow keeps for later given back."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    return int(process.memory_info().rss)


def _fill(traffic: Traffic) -> dict[str, float]:
    """Take the history in; how long a part took at the median, and the longest, in ns: the kernel's growth is in it."""
    taken = []
    for table in traffic.history():
        begun = time.perf_counter_ns()
        traffic.enter(table)
        taken.append(time.perf_counter_ns() - begun)
    return {"rows": FILL_ROWS, "p50_ns": float(np.median(taken)), "max_ns": float(max(taken))}


def _measure(traffic: Traffic, messages: list[Any]) -> dict[str, Any]:
    for message in messages[:REHEARSED]:
        traffic.compute(traffic.code([message]))
    rest = messages[REHEARSED:]
    one = time_calls(traffic.code, traffic.compute, [[message] for message in rest[:ONE_BY_ONE]])
    rest = rest[ONE_BY_ONE:]
    parts = [rest[at : at + MICRO_BATCH] for at in range(0, len(rest), MICRO_BATCH)]
    many = time_calls(traffic.code, traffic.compute, parts)
    return {"one": one.told(ONE_BY_ONE), "batch": many.told(len(rest))}
