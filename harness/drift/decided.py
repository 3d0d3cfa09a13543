"""What is kept of every decision until its label arrives."""

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.drift.batch import Batch, Int64s
from harness.drift.monitor import ArrivedLabels


class Decided:
    """Eight bytes an event, by ordinal."""

    def __init__(self) -> None:
        self._is_decided = np.zeros(0, np.bool_)
        self._is_alert = np.zeros(0, np.bool_)
        self._group = np.zeros(0, np.int16)
        self._key = np.zeros(0, np.int32)

    def add(self, batch: Batch) -> None:
        """Keep a batch's decisions."""
        needed = int(batch.ordinal.max()) + 1
        if needed > len(self._key):
            size = max(needed, 2 * len(self._key))
            self._is_decided = _grown(self._is_decided, size)
            self._is_alert = _grown(self._is_alert, size)
            self._group = _grown(self._group, size)
            self._key = _grown(self._key, size)
        self._is_decided[batch.ordinal] = True
        self._is_alert[batch.ordinal] = batch.is_alert
        self._group[batch.ordinal] = batch.group
        self._key[batch.ordinal] = batch.key

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
        )


def _grown(column: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    return np.concatenate([column, np.zeros(size - len(column), column.dtype)])
