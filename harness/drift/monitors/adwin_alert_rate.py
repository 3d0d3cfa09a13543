"""ADWIN on the alert rate: of all events, the share that is a key's first alert (review or block) in a week."""

from collections.abc import Sequence

import numpy as np

from harness.drift.adaptive import AdaptiveMean
from harness.drift.alarm import ALL, Alarm
from harness.drift.batch import BlockEnd, Part
from harness.drift.monitor import NoLabels, Watched
from harness.drift.once import Once

NAME = "adwin_alert_rate"
SHIFT_MIN = 0.003
FACTOR = 1.5
"""The rate must be this many times the usual, or that part of it: among few alerts a campaign is much."""


class AlertRate(NoLabels):
    """Of settled keys' events, all groups together."""

    def __init__(self, watched: Watched) -> None:
        self._once = Once()
        self._mean = AdaptiveMean(SHIFT_MIN, watched.settings)

    def take(self, part: Part) -> None:
        """One for the first alert of a key in a week, nought for all else."""
        batch, settled = part.batch, part.is_settled
        alerts = np.flatnonzero(batch.is_alert & settled)
        values = np.zeros(len(settled))
        values[alerts[self._once.first(batch.key[alerts].astype(np.int64), batch.event_time_ns[alerts])]] = 1
        self._mean.take(batch.event_time_ns[settled], values[settled])

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """The alert rate, where its window was cut and it is another."""
        shift = self._mean.close(end.event_time_ns, end.surge)
        if shift is None or 1 / FACTOR < shift.mean / max(shift.usual, 1e-9) < FACTOR:
            return []
        return [
            Alarm(
                monitor=NAME,
                name="alert_rate",
                group=ALL,
                ordinal=end.ordinal,
                event_time_ns=end.event_time_ns,
                value=abs(shift.mean - shift.usual),
                threshold=shift.allowed,
                why=f"the alert rate goes from {shift.usual:.4f} to {shift.mean:.4f}",
            )
        ]
