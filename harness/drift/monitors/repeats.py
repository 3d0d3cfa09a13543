"""Events that say what one of the last said already: a feed that is delivered twice under new ids."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.drift.alarm import Alarm
from harness.drift.batch import BlockEnd, Part
from harness.drift.monitor import NoLabels, Watched, departure_alarm
from harness.drift.rates import Bounds, RatesWatch
from streams.kernels.compiled import compiled
from streams.labels import NS_PER_DAY

NAME = "repeats"
RATE_MIN = 0.1
"""On busy days customers themselves do the same thing twice: a feed that comes again is more than that."""
SLOTS = 1 << 16
"""Contents remembered, at most; a later one takes the slot of an earlier one."""
WITHIN_NS = NS_PER_DAY
"""Rents and salaries say the same every month."""


class Repeats(NoLabels):
    """Of all events whose content is known, all groups together: a feed knows none."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._remembered = np.zeros(SLOTS, np.uint64)
        self._at_ns = np.zeros(SLOTS, np.int64)
        self._rates = RatesWatch(1, 0, Bounds(factor=3.0, rate_min=RATE_MIN), watched.settings)

    def take(self, part: Part) -> None:
        """Look every content up, and remember it."""
        batch = part.batch
        known = batch.content != 0
        hits = _repeated(batch.content[known], batch.event_time_ns[known], self._remembered, self._at_ns)
        ungrouped = np.full(len(hits), -1, np.int16)
        self._rates.hit(np.zeros(int(hits.sum()), np.int32), ungrouped[hits])
        self._rates.expose(ungrouped)

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """Repeats out of their bounds; fewer are no harm."""
        found = [found for found in self._rates.close(end) if not found.is_fall]
        return [departure_alarm(NAME, NAME, self._watched, each, end) for each in found]


@compiled
def _repeated(content: Any, event_time_ns: Any, remembered: Any, at_ns: Any) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(content), np.bool_)
    slots = np.uint64(len(remembered) - 1)
    for line in range(len(content)):
        slot = content[line] & slots
        found[line] = remembered[slot] == content[line] and event_time_ns[line] - at_ns[slot] <= WITHIN_NS
        remembered[slot] = content[line]
        at_ns[slot] = event_time_ns[line]
    return found
