"""The graph kernel by itself: sparse transfers with cycles, one at a time and in micro-batches, and that its memory
ends with the window."""

import time
from typing import Any

import numpy as np

from models.features.batch import UInt8s
from models.freezing import freeze
from models.graph.batch import TransferBatch
from models.graph.catalog import AML_FEATURES
from models.graph.state import EVERY_ROW, GraphState
from models.kernels.sparse_graph import graph_state, sparse_transfers
from models.kernels.timing import ClockNs

TRANSFERS, ACCOUNTS, DAYS = 111_000, 20_000, 20.0
MICRO_BATCH = 256
LONG_DAYS, LONG_ACCOUNTS = 400.0, 5_000
"""A stream of many windows, over which what is kept must not grow."""


class Run:
    """A stream taken in bit by bit into one state."""

    def __init__(self, accounts: int, batch: TransferBatch, wanted: UInt8s = EVERY_ROW) -> None:
        self.state: GraphState = graph_state(accounts)
        self.wanted = wanted
        self.batch = batch
        self.values = np.zeros((2 * len(batch), len(AML_FEATURES)), np.float32)
        self.status = np.zeros(len(batch), np.uint8)

    def advance(self, first: int, end: int) -> None:
        """Take in transfers [first, end)."""
        self.state.compute_into(self.batch, self.values, self.status, first, end, self.wanted)


def graph_speed(transfers: int = TRANSFERS, clock_ns: ClockNs = time.perf_counter_ns) -> dict[str, Any]:
    """Transfers a second and percentiles by the clock on the wall, on one thread; entries kept early and late."""
    batch = sparse_transfers(transfers, ACCOUNTS, DAYS)
    freeze()
    one, run = _timed(batch, 1, clock_ns)
    many, _ = _timed(batch, MICRO_BATCH, clock_ns)
    return {
        "transfers": transfers,
        "accounts": ACCOUNTS,
        "days": DAYS,
        "in_cycles": int(cycles_closed(run)),
        "one": _told(one, transfers),
        "batch": {"size": MICRO_BATCH, **_told(many, transfers)},
        "window": _window(transfers),
    }


def cycles_closed(run: Run) -> int:
    """Transfers that closed a cycle in time."""
    column = [feature.name for feature in AML_FEATURES].index("cycle_hours")
    return int(np.isfinite(run.values[::2, column]).sum())


def _timed(batch: TransferBatch, size: int, clock_ns: ClockNs) -> tuple[Any, Run]:
    run = Run(ACCOUNTS, batch)
    starts = range(0, len(batch), size)
    taken = np.empty(len(starts), np.int64)
    for place, first in enumerate(starts):
        begun = clock_ns()
        run.advance(first, min(first + size, len(batch)))
        taken[place] = clock_ns() - begun
    return taken, run


def _told(taken: Any, transfers: int) -> dict[str, float]:
    p50, p99 = np.percentile(taken, (50, 99))
    return {
        "per_s": transfers * 1e9 / float(taken.sum()),
        "p50_ns": float(p50),
        "p99_ns": float(p99),
        "max_ns": float(taken.max()),
    }


def _window(transfers: int) -> dict[str, float]:
    """Transfers for which memory was given out after a quarter of a long stream and at its end."""
    batch = sparse_transfers(transfers, LONG_ACCOUNTS, LONG_DAYS)
    run, quarter = Run(LONG_ACCOUNTS, batch, np.zeros(len(batch), np.uint8)), len(batch) // 4
    run.advance(0, quarter)
    early = run.state.entries_used
    run.advance(quarter, len(batch))
    return {"days": LONG_DAYS, "entries_at_a_quarter": early, "entries_at_the_end": run.state.entries_used}
