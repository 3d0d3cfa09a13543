"""Counts a key once a week: a stolen card that sets off a rule thirty times is one thing that happened, not thirty."""

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.drift.batch import Int64s
from streams.kernels.compiled import compiled
from streams.labels import NS_PER_DAY

SLOTS = 1 << 17
"""Remembered at most; a later one takes the slot of an earlier one, which then may count again too soon."""
AGAIN_NS = 7 * NS_PER_DAY


class Once:
    """Remembers when what was last counted."""

    def __init__(self) -> None:
        self._what = np.full(SLOTS, -1, np.int64)
        self._at_ns = np.zeros(SLOTS, np.int64)

    def first(self, what: Int64s, event_time_ns: Int64s) -> npt.NDArray[np.bool_]:
        """Which of `what` [n] (≥ 0; a negative one always) were not counted in the week before."""
        return np.asarray(_first(what, event_time_ns, self._what, self._at_ns))


@compiled
def _first(what: Any, event_time_ns: Any, remembered: Any, at_ns: Any) -> npt.NDArray[np.bool_]:
    found = np.ones(len(what), np.bool_)
    for line in range(len(what)):
        each = what[line]
        if each < 0:
            continue
        mixed = np.uint64(each) * np.uint64(0x9E3779B97F4A7C15)
        slot = np.int64(mixed >> np.uint64(47))
        if remembered[slot] == each and event_time_ns[line] - at_ns[slot] < AGAIN_NS:
            found[line] = False
        else:
            remembered[slot] = each
            at_ns[slot] = event_time_ns[line]
    return found
