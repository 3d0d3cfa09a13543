"""Feeds the monitors block by block of event time, and tells each alarm once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.drift.alarm import ALL, Alarm
from harness.drift.batch import Batch, BlockEnd, Int64s, Names, Part
from harness.drift.decided import Decided
from harness.drift.monitor import Monitor, Watched
from harness.drift.monitors import MONITORS
from harness.drift.settings import BLOCK_NS, BLOCKS_PER_WEEK, Settings
from harness.drift.settled import Settled
from harness.drift.volume import Volume
from streams.labels import NS_PER_DAY

Told = tuple[str, str, str]


class Detector:
    """Watches one stream. Micro-batches come in the order of events, of whatever size: the alarms are the same. Blocks
    are judged when a later event ends them: one that the stream's end cuts says nothing.

    An alarm is told once, and again only after a week within its bounds; what all events show is not told of a group.
    `reference`: stored bins, `score` and `features` by name. `bad`: of a stream that is over, which events turn out
    bad, bool by ordinal (see `Decided`). Raises BadInputError when bins are damaged.
    """

    def __init__(
        self,
        names: Names,
        settings: Settings | None = None,
        reference: Mapping[str, Any] | None = None,
        bad: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self._settings = settings or Settings()
        watched = Watched(names, self._settings, reference or {})
        self._monitors: tuple[Monitor, ...] = tuple(make(watched) for make in MONITORS.values())
        self._settled = Settled(self._settings)
        self._volume = Volume(self._settings)
        self._surge = 1.0
        self._began_ns: int | None = None
        self._block = 0
        self._last = (0, 0)
        self._decided = Decided(bad)
        self._active: dict[Told, int] = {}
        self._worst: dict[Told, Alarm] = {}
        self._alarms: list[Alarm] = []

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """Every alarm so far, in order."""
        return tuple(self._alarms)

    @property
    def worst(self) -> tuple[Alarm, ...]:
        """Of everything that was ever alarmed about, the moment at which it stood furthest out of its bounds."""
        return tuple(self._worst.values())

    def feed(self, batch: Batch) -> list[Alarm]:
        """Take a micro-batch; the alarms of the blocks that it ended."""
        if not len(batch):
            return []
        if self._began_ns is None:
            # whole days from midnight on, so that blocks are hours of the day
            self._began_ns = int(batch.event_time_ns[0]) // NS_PER_DAY * NS_PER_DAY
        settled = self._settled.of(batch.key, batch.event_time_ns, self._began_ns)
        # an event that comes late counts where it comes
        blocks = np.maximum.accumulate(np.maximum((batch.event_time_ns - self._began_ns) // BLOCK_NS, self._block))
        cuts = np.flatnonzero(np.diff(blocks)) + 1
        raised: list[Alarm] = []
        for start, end in zip((0, *cuts.tolist()), (*cuts.tolist(), len(batch)), strict=True):
            raised += self._advance(int(blocks[start]))
            part = batch if end - start == len(batch) else batch.between(start, end)
            self._take(Part(part, settled[start:end], self._block))
        return raised

    def labels_arrived(self, ordinals: Int64s, is_bad: npt.NDArray[np.bool_], at_ns: int) -> list[Alarm]:
        """Labels of events decided before, known at `at_ns` of event time; of events never decided they say nothing."""
        if self._began_ns is None:
            return []
        raised = self._advance(max(self._block, (at_ns - self._began_ns) // BLOCK_NS))
        arrived = self._decided.labelled(ordinals, is_bad, at_ns)
        for monitor in self._monitors:
            monitor.labels(arrived)
        return raised

    def _take(self, part: Part) -> None:
        self._volume.take(int(np.count_nonzero(part.is_settled)))
        self._decided.add(part.batch, self._surge)
        for monitor in self._monitors:
            monitor.take(part)
        self._last = (int(part.batch.ordinal[-1]), int(part.batch.event_time_ns[-1]))

    def _advance(self, block: int) -> list[Alarm]:
        raised = []
        while self._block < block:
            self._surge, lull = self._volume.close()
            end = BlockEnd(self._block, *self._last, self._surge, lull)
            raised += self._tell([alarm for monitor in self._monitors for alarm in monitor.close(end)])
            self._block += 1
        return raised

    def _tell(self, standing: list[Alarm]) -> list[Alarm]:
        """Those that are news; `standing` are all that are out of their bounds now."""
        news = []
        for alarm in sorted(standing, key=lambda alarm: alarm.group != ALL):
            told = (alarm.monitor, alarm.name, alarm.group)
            whole = (alarm.monitor, alarm.name, ALL)
            if told not in self._worst or alarm.excess > self._worst[told].excess:
                self._worst[told] = alarm
            is_new = self._is_over(told) and (alarm.group == ALL or self._is_over(whole))
            self._active[told] = self._block
            if is_new:
                news.append(alarm)
        self._alarms += news
        return news

    def _is_over(self, told: Told) -> bool:
        return told not in self._active or self._block - self._active[told] > BLOCKS_PER_WEEK
