"""The monitors fed while the stream is held: what was decided since the last barrier, and the labels that came."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from harness.drift.alarm import Alarm
from harness.drift.batch import Batch, Names
from harness.drift.detector import Detector
from harness.drift.feed import Arrivals, Sides, batch_of
from harness.drift.settings import Settings

WAKEFUL = Settings(false_alarms=0.05, looks=10)
"""A false alarm costs a training, for the gates stand behind it: an answer may be asked for sooner than a person."""
MICRO_BATCH = 512


class LiveWatch:
    """Watches a stream barrier by barrier. `events` are all of the stream by ordinal; `rules` the codes that decisions
    may name; `arrivals` when labels become known: none is looked at before its time."""

    def __init__(
        self,
        events: pa.Table,
        sides: Sides,
        arrivals: Arrivals,
        names: tuple[Sequence[str], Sequence[str]],
        settings: Settings = WAKEFUL,
    ) -> None:
        self._events, self._sides, self._arrivals, self._settings = events, sides, arrivals, settings
        self._features, rules = names
        self._names = Names(tuple(self._features), tuple(rules), sides.groups)
        self._until_ns = -1
        self._detector = Detector(self._names, settings)

    def begin_anew(self) -> None:
        """Another model decides from here on: what its windows look like is to be learnt by a burn-in of its own."""
        self._detector = Detector(self._names, self._settings)

    def take(self, rows: pa.Table, now_ns: int) -> list[Alarm]:
        """What was decided up to `now_ns`, as rows of decisions.parquet; the alarms it raises."""
        raised: list[Alarm] = []
        if len(rows):
            batch, found = batch_of(rows, self._events, self._sides, self._features)
            for piece in self._renamed(batch, found).micro_batches(MICRO_BATCH):
                raised += self._detector.feed(piece)
                raised += self._labels(min(now_ns, max(self._until_ns, int(piece.event_time_ns.max()))))
        return raised + self._labels(now_ns)

    def _labels(self, now_ns: int) -> list[Alarm]:
        arrived = self._arrivals.until(self._until_ns, now_ns)
        self._until_ns = max(self._until_ns, now_ns)
        if not len(arrived.ordinal):
            return []
        return self._detector.labels_arrived(arrived.ordinal, arrived.is_bad, now_ns)

    def _renamed(self, batch: Batch, found: Names) -> Batch:
        """With the codes of all rules, in place of those of this batch."""
        places = {code: place for place, code in enumerate(self._names.rules)}
        codes = np.array([places.get(code, -1) for code in found.rules] or [-1], np.int32)
        of_hits = codes[batch.hit_rule]
        known = of_hits >= 0
        return replace(batch, hit_row=batch.hit_row[known], hit_rule=of_hits[known])
