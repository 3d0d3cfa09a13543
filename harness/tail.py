"""The tail of the response time: P99 with its interval, and whether its limit is shown to be kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.confidence import CONFIDENCE, Finding, limit_kept, quantile_ranks, samples_needed
from harness.decision_rows import ordered_responses

QUANTILE = 0.99
EXAMPLES = (0, 10, 100)
"""Numbers of slow responses for which the samples needed are told beforehand."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Quantile `quantile` of `samples` response times in ms, between `low_ms` and `high_ms` at `confidence` (None: the
    samples do not reach so far); `over` of them exceed `limit_ms`, and what that shows. `needed`: the fewest samples of
    which so many may be over."""

    quantile: float
    confidence: float
    samples: int
    low_ms: float | None
    high_ms: float | None
    limit_ms: float
    over: int
    finding: Finding
    needed: int


def measure_tail(decisions: Path, limit_ms: float, q: float = QUANTILE) -> Tail:
    """The tail of the measured rows of a decisions.parquet; a lost event counts with the time-out."""
    return _tail_of(ordered_responses(decisions), limit_ms, q)


def tail_of(response_ns: npt.NDArray[np.int64], limit_ms: float, q: float = QUANTILE) -> Tail:
    """The tail of response times in ns, in any order."""
    return _tail_of(np.sort(response_ns), limit_ms, q)


def _tail_of(ordered: npt.NDArray[np.int64], limit_ms: float, q: float) -> Tail:
    ranks = quantile_ranks(len(ordered), q)
    over = int(len(ordered) - np.searchsorted(ordered, round(limit_ms * 1e6), side="right"))

    def at(rank: int | None) -> float | None:
        return None if rank is None else round(float(ordered[rank - 1]) / 1e6, 6)

    return Tail(
        quantile=q,
        confidence=CONFIDENCE,
        samples=len(ordered),
        low_ms=at(ranks.low),
        high_ms=at(ranks.high),
        limit_ms=limit_ms,
        over=over,
        finding=limit_kept(len(ordered), over, q),
        needed=samples_needed(q, over),
    )


def samples_told(planned: int, limit_ms: float, q: float = QUANTILE) -> str:
    """Before a run: how many samples its limit needs, beside how many it will have."""
    needed = ", ".join(f"{samples_needed(q, over):,} with {over}" for over in EXAMPLES)
    limit = f"P{100 * q:g} ≤ {limit_ms:,g} ms"
    words = f"{limit} needs {needed} slower responses to be shown at {CONFIDENCE:.0%} confidence"
    if planned < samples_needed(q):
        return f"{words}; this run measures only {planned:,}: too short to show it"
    return f"{words}; this run measures {planned:,}"
