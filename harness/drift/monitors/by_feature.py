"""What `csi` and `feature_means` share: every feature, all events and each group."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from harness.drift.alarm import Alarm
from harness.drift.batch import BlockEnd, Part
from harness.drift.counts import CountsWatch
from harness.drift.monitor import NoLabels, Watched
from harness.drift.monitors.index_alarm import index_alarm


class ByFeature(NoLabels):
    """Of the events of settled keys, whoever decided them; a subclass says by `WATCH` what of them is watched."""

    NAME: ClassVar[str] = ""
    WATCH: ClassVar[type[CountsWatch]] = CountsWatch
    QUANTITY: ClassVar[str] = ""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        names = watched.names
        given: Mapping[str, Mapping[str, Any]] = watched.reference.get("features") or {}
        self._counted = self.WATCH(names.features, len(names.groups), given, watched.settings)

    def take(self, part: Part) -> None:
        """Count the features."""
        features = part.batch.features
        if features.shape[1]:
            # an answer without features is no missing value
            lacking = np.flatnonzero(np.isnan(features[:, 0]))
            kept = part.is_settled.copy()
            kept[lacking[np.isnan(features[lacking]).all(axis=1)]] = False
            self._counted.take(features[kept], part.batch.group[kept])

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """Every feature above its threshold."""
        names = self._watched.names.features
        if not names:
            return []
        return [
            index_alarm(self.NAME, names[excess.column], self._watched, excess, end, self.QUANTITY)
            for excess in self._counted.close(end)
        ]
