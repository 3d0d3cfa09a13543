"""The mix of paths (rules, model, fallback) and of outcomes (approve, review, block)."""

from collections.abc import Sequence

import numpy as np

from harness.drift.alarm import Alarm
from harness.drift.batch import BlockEnd, Part
from harness.drift.monitor import NoLabels, Watched
from harness.drift.monitors.index_alarm import index_alarm
from harness.drift.shares import SharesWatch

NAME = "paths"
COLUMNS = ("path", "outcome")


class Mixes(NoLabels):
    """Of all settled keys' events."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._shares = SharesWatch(COLUMNS, len(watched.names.groups), {}, watched.settings)

    def take(self, part: Part) -> None:
        """Count both."""
        kept = part.is_settled
        mixes = np.stack([part.batch.path[kept], part.batch.outcome[kept]], axis=1)
        self._shares.take(mixes.astype(np.float32), part.batch.group[kept])

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """The mixes above their thresholds."""
        return [
            index_alarm(NAME, COLUMNS[excess.column], self._watched, excess, end) for excess in self._shares.close(end)
        ]
