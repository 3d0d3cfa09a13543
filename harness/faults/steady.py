"""The steady-state hypothesis: what the stream looks like when all is well, and since when it does so again."""

from dataclasses import dataclass

import numpy as np

from harness.faults.rows import Int64s, Rows
from harness.results import SteadyResults

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
SLOW_SHARE_MAX = 0.01
"""Of a second's events, so many may take longer than the limit: it is a P99's."""
STEP_NS = 100_000_000
SECOND_NS = NS_PER_S


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Thresholds of a second: its P99, the share decided by the fallback, nothing lost; steady for `hold_s` in a row
    counts as recovered."""

    limit_ms: float
    fallback_share_max: float
    hold_s: float

    def judge(self, rows: Rows, from_ns: int, until_ns: int, start_ns: int) -> SteadyResults:
        """The hypothesis over the events due in [from_ns, until_ns)."""
        due = rows.due(from_ns, until_ns)
        response = rows.response_ns[due]
        count = len(response)
        p99 = None if count == 0 else float(np.quantile(response, 0.99, method="higher")) / NS_PER_MS
        fallback = float(rows.fallback[due].mean()) if count else None
        lost = int(rows.lost[due].sum())
        held = count > 0 and (p99 or 0.0) <= self.limit_ms and (fallback or 0.0) <= self.fallback_share_max and not lost
        return SteadyResults(
            from_s=round((from_ns - start_ns) / NS_PER_S, 3),
            until_s=round((until_ns - start_ns) / NS_PER_S, 3),
            held=held,
            events=count,
            p99_ms=None if p99 is None else round(p99, 6),
            limit_ms=self.limit_ms,
            fallback_share=None if fallback is None else round(fallback, 6),
            fallback_share_max=self.fallback_share_max,
            lost=lost,
        )

    def back(self, rows: Rows, from_ns: int, until_ns: int) -> int | None:
        """The first instant from `from_ns` on (in steps of 100 ms) from which every second is steady for `hold_s`,
        or to the end at `until_ns` where that is nearer but at least a second away; None when there is none."""
        begins = np.arange(from_ns, until_ns - SECOND_NS + 1, STEP_NS)
        if len(begins) == 0:
            return None
        steady = self._steady(rows, begins)
        # seconds that begin up to hold_s - 1 s later: the last of them ends hold_s after the first began
        ahead = max(0, round((self.hold_s * NS_PER_S - SECOND_NS) / STEP_NS))
        unsteady = np.concatenate(([0], np.cumsum(~steady)))
        last = np.minimum(np.arange(len(begins)) + ahead + 1, len(begins))
        found = np.flatnonzero(unsteady[last] == unsteady[:-1])
        return int(begins[found[0]]) if len(found) else None

    def _steady(self, rows: Rows, begins: Int64s) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Of each second from `begins` on, whether it is steady; one in which nothing was due is."""
        low = np.searchsorted(rows.intended_ns, begins)
        high = np.searchsorted(rows.intended_ns, begins + SECOND_NS)
        due = np.maximum(high - low, 1)

        def within(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Int64s:
            added = np.concatenate(([0], np.cumsum(flags)))
            return np.asarray(added[high] - added[low], np.int64)

        slow = within(rows.response_ns > self.limit_ms * NS_PER_MS)
        fallback = within(rows.fallback)
        found = (slow <= SLOW_SHARE_MAX * due) & (fallback <= self.fallback_share_max * due) & (within(rows.lost) == 0)
        return np.asarray(found)
