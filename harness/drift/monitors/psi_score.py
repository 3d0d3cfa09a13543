"""PSI of the score: does the model still give scores in the shares it gave?"""

from collections.abc import Sequence

import numpy as np

from harness.drift.alarm import Alarm
from harness.drift.batch import BlockEnd, Part
from harness.drift.monitor import NoLabels, Watched
from harness.drift.monitors.index_alarm import index_alarm
from harness.drift.shares import SharesWatch

NAME = "psi_score"


class ScoreShares(NoLabels):
    """Of the events that the model decided."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        score = watched.reference.get("score")
        given = {"score": score} if score else {}
        self._shares = SharesWatch(("score",), len(watched.names.groups), given, watched.settings)

    def take(self, part: Part) -> None:
        """Count the scores."""
        kept = part.is_settled & part.batch.is_model & ~np.isnan(part.batch.score)
        self._shares.take(part.batch.score[kept, np.newaxis], part.batch.group[kept])

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """The score, where it is above its threshold."""
        return [index_alarm(NAME, "score", self._watched, excess, end) for excess in self._shares.close(end)]
