"""ADWIN on the score, as its rank among the first ones: the mean of ranks moves with the whole distribution."""

from collections.abc import Sequence

import numpy as np

from harness.drift.adaptive import AdaptiveMean, Floats, Int64s
from harness.drift.alarm import ALL, Alarm
from harness.drift.batch import BlockEnd, Part
from harness.drift.monitor import NoLabels, Watched

NAME = "adwin_score"
SHIFT_MIN = 0.06
"""Of the mean rank (0.5 in the burn-in)."""
RANKED = 5_000
"""Scores of the first events that ranks are taken among."""


class ScoreRank(NoLabels):
    """Of the events that the model decided, all groups together."""

    def __init__(self, watched: Watched) -> None:
        self._mean = AdaptiveMean(SHIFT_MIN, watched.settings)
        self._first: list[tuple[Int64s, Floats]] = []
        self._known = 0
        self._sorted = np.zeros(0)

    def take(self, part: Part) -> None:
        """Rank the scores."""
        batch = part.batch
        kept = part.is_settled & batch.is_model & ~np.isnan(batch.score)
        times, scores = batch.event_time_ns[kept], batch.score[kept]
        if len(self._sorted):
            self._mean.take(times, self._rank(scores))
            return
        self._first.append((times, scores))
        self._known += len(scores)
        if self._known >= RANKED:
            self._sorted = np.sort(np.concatenate([scores for _, scores in self._first]))
            for times, scores in self._first:
                self._mean.take(times, self._rank(scores))
            self._first = []

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """The score, where its window was cut and its mean rank is another."""
        shift = self._mean.close(end.event_time_ns, end.surge)
        if shift is None:
            return []
        moved = shift.mean - shift.usual
        return [
            Alarm(
                monitor=NAME,
                name="score",
                group=ALL,
                ordinal=end.ordinal,
                event_time_ns=end.event_time_ns,
                value=abs(moved),
                threshold=shift.allowed,
                why=f"the score's mean rank goes from {shift.usual:.3f} to {shift.mean:.3f}",
            )
        ]

    def _rank(self, scores: Floats) -> Floats:
        """Middle rank, so that equal scores share one."""
        low, high = (np.searchsorted(self._sorted, scores, side=side) for side in ("left", "right"))
        return np.asarray((low + high) / (2.0 * len(self._sorted)))
