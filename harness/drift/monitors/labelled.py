"""Monitors of labels, once their delay is over: the share of bad ones, the alerts' precision, and recall."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.drift.alarm import Alarm
from harness.drift.batch import BlockEnd, Part
from harness.drift.monitor import ArrivedLabels, Watched, departure_alarm
from harness.drift.once import Once
from harness.drift.rates import WINDOWS, Bounds, RatesWatch
from harness.drift.settings import BLOCKS_PER_DAY, BLOCKS_PER_WEEK

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Counted:
    """What of arrived labels could be a hit, and what is one."""

    exposed: Bools
    hits: Bools


class LabelledRate:
    """A rate among arrived labels; a subclass says which, by `NAME` and `counted`."""

    NAME = ""
    BOUNDS = Bounds(
        factor=1.5,
        hits_min=10,
        windows=(*WINDOWS, 2 * BLOCKS_PER_WEEK),
        dispersion_min=1.5,
        blocks_a_look=BLOCKS_PER_DAY,
    )

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._once = Once()
        self._rates = RatesWatch(1, len(watched.names.groups), self.BOUNDS, watched.settings)

    def counted(self, arrived: ArrivedLabels) -> Counted:
        """Which labels count."""
        raise NotImplementedError

    def take(self, part: Part) -> None:
        """Events without labels are nothing to it."""

    def labels(self, arrived: ArrivedLabels) -> None:
        """Count arrived labels; a key that is hit counts once a week."""
        counted = self.counted(arrived)
        hits = np.flatnonzero(counted.hits)
        hits = hits[self._once.first(arrived.key[hits].astype(np.int64), arrived.at_ns[hits])]
        self._rates.hit(np.zeros(len(hits), np.int32), arrived.group[hits])
        self._rates.expose(arrived.group[counted.exposed])

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """The rate, where it is out of its bounds. A surge of volume came a label delay ago: it is no excuse now."""
        now = BlockEnd(end.block, end.ordinal, end.event_time_ns)
        return [departure_alarm(self.NAME, self.NAME, self._watched, found, now) for found in self._rates.close(now)]
