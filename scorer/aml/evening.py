"""The evening's job: when a business day has ended, its community table is drawn beside the stream, and is there by
midnight."""

from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.graph.community_table import CommunityTable
from models.graph.link_ledger import Closing, LinkLedger
from models.graph.state import GraphState
from scorer.clock import ClockNs
from scorer.giving_way import give_way
from streams.labels import NS_PER_DAY, business_day, business_days


def stretches(time_ns: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Cuts transfers (event times int64 [n ≥ 1], in their order) where the newest of them passes into another calendar
    or business day: first and end of each stretch, and the newest event time at its first."""
    times = time_ns.tolist()
    low, high = min(times), max(times)
    if low // NS_PER_DAY == high // NS_PER_DAY and business_day(low) == business_day(high):
        return [(0, len(times), times[0])]
    newest = np.maximum.accumulate(time_ns)
    turns = np.flatnonzero(np.diff(newest // NS_PER_DAY) | np.diff(business_days(newest))) + 1
    return [(first, end, int(newest[first])) for first, end in pairwise([0, *turns.tolist(), len(time_ns)])]


class EveningJob:
    """Closes community tables of one graph state, and installs each before the first transfer that needs it.

    `advance` is called by the thread that decides; the tables are drawn by another. A table holds what had arrived when
    the first transfer of the next business day came: the same for any cut into batches.
    """

    def __init__(self, state: GraphState, ledger: LinkLedger, clock_ns: ClockNs) -> None:
        self._state, self._ledger, self._clock_ns = state, ledger, clock_ns
        self._installed = max(state.table_days, default=ledger.last_closed)
        self._drawing: dict[int, tuple[Closing, Future[CommunityTable]]] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="evening", initializer=give_way)
        self.installed = 0

    def advance(self, time_ns: int) -> int:
        """Before a transfer of this event time: begin what has to be drawn, wait for what is needed now. Returns how
        long it waited (ns). A time before another's asks for nothing."""
        needed = time_ns // NS_PER_DAY - 1
        self._begin(needed)
        self._begin(business_day(time_ns) - 1)
        if needed <= self._installed:
            return 0
        begin_ns = self._clock_ns()
        for day in sorted(day for day in self._drawing if day <= needed):
            self._install(day)
        self._installed = needed
        return self._clock_ns() - begin_ns

    def _begin(self, day: int) -> None:
        """Draw the table of a business day that is complete; of days that nobody moved money on there is none."""
        if day <= self._ledger.last_closed:
            return
        closing = self._ledger.begin_closing(day)
        self._drawing[day] = closing, self._pool.submit(closing.draw, self._state.names_of)

    def _install(self, day: int) -> None:
        closing, drawn = self._drawing.pop(day)
        self._state.install(drawn.result())
        self._ledger.end_closing(closing)
        self.installed += 1

    @property
    def drawing(self) -> bool:
        """Whether a table is being drawn at this instant: `settle` would wait."""
        return not all(drawn.done() for _, drawn in self._drawing.values())

    def settle(self) -> None:
        """Wait for what is being drawn, so that a snapshot can hold it: it is installed at once. No row changes by it:
        a transfer looks at the table of its own day."""
        for day in sorted(self._drawing):
            self._install(day)

    def close(self) -> None:
        """End the other thread."""
        self._pool.shutdown(wait=True, cancel_futures=True)
