"""When customers were last raised, found without scoring all of history.

Whether a score raises an alert depends on when its customer was raised last, that on the time before, and so on: no
stretch of history is long enough to tell by itself. But what was raised before a stretch is of before its begin. So
the stretch is followed twice, as if nothing had been raised and as if something had been at its last instant; whatever
really was, its nth alert then lies between the two's nth alerts. Where both raise their nth alert by the same row, or
where nothing reached `alert_at` for a window, all that is possible has become one. Customers for whom it has not are
open: their own transfers, few, are scored from the beginning.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scorer.aml.raising import NEVER, ReachedScores
from streams.kernels.compiled import compiled
from streams.labels import NS_PER_DAY

LATE_NS = 31 * NS_PER_DAY
"""Transfers that are up to so late are decided as if all of history had been scored: the graph forgets after that."""
STRETCH_NS = 105 * NS_PER_DAY
"""How much of history is scored: a longer one leaves hardly fewer customers open."""


@dataclass(frozen=True, slots=True)
class LastRaised:
    """`last_ns` int64 [customers, P] (`NEVER`: not within the stretch); `is_open` bool [customers]: not known."""

    last_ns: NDArray[np.int64]
    is_open: NDArray[np.bool_]


def last_raised(
    reached: ReachedScores, window_ns: NDArray[np.int64], customers: int, begin_ns: int, end_ns: int
) -> LastRaised:
    """What is known after a stretch [begin, end) of history of which all scores that reach `alert_at` are given.

    Not known is what the stretch leaves open and an alert up to `LATE_NS` before its end could still depend on. Raises
    `ValueError` when the stretch is not longer than that and a window.
    """
    if end_ns - begin_ns <= LATE_NS + int(window_ns.max(initial=0)):
        raise ValueError(f"a stretch of {(end_ns - begin_ns) / NS_PER_DAY:.1f} days tells nothing of its end")
    found = _follow(reached, window_ns, customers, begin_ns - 1)
    matters = found.newest_ns + window_ns > end_ns - LATE_NS
    return LastRaised(found.low_ns, np.asarray((matters & ~found.is_settled).any(axis=1), dtype=np.bool_))


def raised_from_the_beginning(
    reached: ReachedScores, window_ns: NDArray[np.int64], customers: int
) -> NDArray[np.int64]:
    """When each customer was last raised, int64 [customers, P], given all its scores of all of history."""
    return _follow(reached, window_ns, customers, NEVER).low_ns


@dataclass(frozen=True, slots=True)
class _Followed:
    """By customer and typology, after a stretch: its newest score; the last alert had there been none before, and had
    there been one at `before_ns`; whether they are known to be one."""

    newest_ns: NDArray[np.int64]
    low_ns: NDArray[np.int64]
    is_settled: NDArray[np.bool_]


def _follow(reached: ReachedScores, window_ns: NDArray[np.int64], customers: int, before_ns: int) -> _Followed:
    shape = customers, len(window_ns)
    newest_ns, high_ns = (np.full(shape, before_ns, np.int64) for _ in range(2))
    low_ns, is_settled = np.full(shape, NEVER, np.int64), np.zeros(shape, np.bool_)
    ahead, goes_back = np.zeros(shape, np.int64), np.zeros(shape, np.bool_)
    _raise(
        reached.time_ns, reached.customer, reached.typology, window_ns,
        newest_ns, low_ns, high_ns, ahead, goes_back, is_settled,
    )  # fmt: skip
    return _Followed(newest_ns, low_ns, is_settled)


@compiled
def _raise(
    time_ns: Any,
    customer: Any,
    typology: Any,
    window_ns: Any,
    newest_ns: Any,
    low_ns: Any,
    high_ns: Any,
    ahead: Any,
    goes_back: Any,
    is_settled: Any,
) -> None:
    """One score after the other, as `scorer.aml.raising` does; `ahead`: how many more alerts `low` has raised.

    Nothing lies between the two once scores come out of order: from then on only a pause settles.
    """
    for row in range(time_ns.shape[0]):
        at, now, window = (customer[row], typology[row]), time_ns[row], window_ns[typology[row]]
        low, high = now - low_ns[at] >= window, now - high_ns[at] >= window
        goes_back[at] |= now < newest_ns[at]
        is_settled[at] |= now - newest_ns[at] >= window or (low and high and ahead[at] == 0 and not goes_back[at])
        newest_ns[at] = max(newest_ns[at], now)
        ahead[at] += low - high
        if low:
            low_ns[at] = now
        if high:
            high_ns[at] = now
