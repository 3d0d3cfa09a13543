"""What is kept of every decision until its label arrives."""

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.drift.batch import Batch, Int64s
from harness.drift.monitor import ArrivedLabels
from streams.labels import NS_PER_DAY

FEATURES_KEPT_NS = 60 * NS_PER_DAY
"""Of an event whose label takes longer the features are no longer known."""


class Decided:
    """Twenty bytes an event, by ordinal, and batches' features for two months. `bad`, bool by ordinal: which of a
    stream that is over will turn out bad; features of no other are kept then, for nobody asks for them."""

    def __init__(self, bad: npt.NDArray[np.bool_] | None = None) -> None:
        events = 0 if bad is None else len(bad)
        self._bad = bad
        self._is_decided = np.zeros(events, np.bool_)
        self._is_alert = np.zeros(events, np.bool_)
        self._group = np.zeros(events, np.int16)
        self._key = np.zeros(events, np.int32)
        self._batch = np.zeros(events, np.int32)
        self._row = np.zeros(events, np.int32)
        self._surge = np.zeros(events, np.float32)
        self._kept: deque[tuple[int, npt.NDArray[np.float32]]] = deque()
        self._forgotten = 0

    def add(self, batch: Batch, surge: float) -> None:
        """Keep a batch's decisions, and how busy the stream is."""
        needed = int(batch.ordinal.max()) + 1
        if needed > len(self._key):
            size = max(needed, 2 * len(self._key))
            self._is_decided = _grown(self._is_decided, size)
            self._is_alert = _grown(self._is_alert, size)
            self._group = _grown(self._group, size)
            self._key = _grown(self._key, size)
            self._batch = _grown(self._batch, size)
            self._row = _grown(self._row, size)
            self._surge = _grown(self._surge, size)
        self._is_decided[batch.ordinal] = True
        self._is_alert[batch.ordinal] = batch.is_alert
        self._group[batch.ordinal] = batch.group
        self._key[batch.ordinal] = batch.key
        self._batch[batch.ordinal] = self._forgotten + len(self._kept)
        features = batch.features
        if self._bad is None:
            self._row[batch.ordinal] = np.arange(len(batch), dtype=np.int32)
        else:
            kept = self._bad[batch.ordinal]
            features = features[kept]
            self._row[batch.ordinal] = np.cumsum(kept) - 1
        self._surge[batch.ordinal] = surge
        now_ns = int(batch.event_time_ns.max())
        self._kept.append((now_ns, features))
        while self._kept[0][0] < now_ns - FEATURES_KEPT_NS:
            self._kept.popleft()
            self._forgotten += 1

    def labelled(self, ordinals: Int64s, is_bad: npt.NDArray[np.bool_], at_ns: int) -> ArrivedLabels:
        """Labels with what was decided; those of events that were not are left out."""
        kept = ordinals < len(self._key)
        kept[kept] = self._is_decided[ordinals[kept]]
        known = ordinals[kept]
        return ArrivedLabels(
            is_bad=is_bad[kept],
            at_ns=np.full(len(known), at_ns, np.int64),
            is_alert=self._is_alert[known],
            group=self._group[known],
            key=self._key[known],
            bad_features=self._features(known[is_bad[kept]]),
            bad_surge=self._surge[known[is_bad[kept]]],
        )

    def _features(self, ordinals: Int64s) -> npt.NDArray[np.float32]:
        """float32 [n, F]; NaN where they are no longer known."""
        width = self._kept[-1][1].shape[1] if self._kept else 0
        found = np.full((len(ordinals), width), np.nan, np.float32)
        for line, ordinal in enumerate(ordinals.tolist()):
            place = int(self._batch[ordinal]) - self._forgotten
            if place >= 0:
                found[line] = self._kept[place][1][self._row[ordinal]]
        return found


def _grown(column: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    return np.concatenate([column, np.zeros(size - len(column), column.dtype)])
