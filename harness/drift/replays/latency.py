"""Whether drift is felt in latency: the P99 of windows before the onset against that of windows after it."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.drift.replays.replayed import Latency
from harness.quality.scored import Bools

WINDOWS = 10
EVENTS_MIN = 100
"""Fewer in a window have no P99."""
NS_PER_MS = 1e6


def latency_sides(decisions: pa.Table, is_after: Bools, *, in_process: bool) -> Latency:
    """Of measured, answered events in the order of sending; `is_after` is by ordinal.

    In process there is no broker to come back from: service time counts. It is affected when the median window after
    the onset lies above the highest before it: one slow window on either side says nothing.
    """
    column = "service_ns" if in_process else "response_ns"
    kept = decisions.filter(decisions["measured"]).sort_by("ordinal").select(["ordinal", column]).drop_null()
    taken = kept[column].to_numpy() / NS_PER_MS
    after = is_after[kept["ordinal"].to_numpy()]
    before_windows, after_windows = _windows(taken[~after]), _windows(taken[after])
    known = len(before_windows) > 1 and len(after_windows) > 1
    return Latency(
        of="service" if in_process else "response",
        before_p99_ms=_p99(taken[~after]),
        after_p99_ms=_p99(taken[after]),
        spread_ms=(float(before_windows.min()), float(before_windows.max())) if known else None,
        affected=bool(np.median(after_windows) > before_windows.max()) if known else None,
    )


def _windows(taken: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """P99 of each of `WINDOWS` windows of as many events; fewer where there are too few."""
    windows = min(WINDOWS, len(taken) // EVENTS_MIN)
    return np.array([np.percentile(part, 99) for part in np.array_split(taken, windows)]) if windows else np.zeros(0)


def _p99(taken: npt.NDArray[np.float64]) -> float | None:
    return float(np.percentile(taken, 99)) if len(taken) >= EVENTS_MIN else None
