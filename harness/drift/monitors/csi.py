"""CSI: does a feature still come in the shares it came in? Every feature, all events and each group."""

from collections.abc import Sequence

import numpy as np

from harness.drift.alarm import Alarm
from harness.drift.batch import BlockEnd, Part
from harness.drift.monitor import NoLabels, Watched
from harness.drift.monitors.index_alarm import index_alarm
from harness.drift.shares import SharesWatch

NAME = "csi"


class FeatureShares(NoLabels):
    """Of the events of settled keys, whoever decided them."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        names = watched.names
        given = watched.reference.get("features") or {}
        self._shares = SharesWatch(names.features, len(names.groups), given, watched.settings)

    def take(self, part: Part) -> None:
        """Count the features."""
        features = part.batch.features
        if features.shape[1]:
            # an answer without features is no missing value
            lacking = np.flatnonzero(np.isnan(features[:, 0]))
            kept = part.is_settled.copy()
            kept[lacking[np.isnan(features[lacking]).all(axis=1)]] = False
            self._shares.take(features[kept], part.batch.group[kept])

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """Every feature above its threshold."""
        if not self._watched.names.features:
            return []
        names = self._watched.names.features
        return [
            index_alarm(NAME, names[excess.column], self._watched, excess, end) for excess in self._shares.close(end)
        ]
