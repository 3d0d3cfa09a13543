"""What bad events look like, once their labels arrive: criminals do otherwise than they did."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from harness.drift.alarm import ALL, Alarm
from harness.drift.bad_looks import BadLooks
from harness.drift.batch import BlockEnd, Part
from harness.drift.cases import Cases
from harness.drift.monitor import ArrivedLabels, Watched
from harness.drift.season import CALENDAR
from harness.drift.settings import BLOCKS_PER_DAY
from streams.labels import NS_PER_DAY

NAME = "bad_features"
SIZE = "(events a case)"
WINDOW_DAYS = (7, 14, 21)
CASES_MIN = 20
SHIFT_MIN = 0.12
"""Of the mean rank: two fifths of a spread; crimes are few and of many kinds."""


class BadFeatures:
    """All groups together: bad ones are few. Once a day the cases of the last weeks are held against those of the label
    burn-in, which lasts until it has cases enough. Not judged is when they happened: a crime has its day and its hour,
    and a few crimes make no week."""

    def __init__(self, watched: Watched) -> None:
        self._settings = watched.settings
        self._names = (*watched.names.features, SIZE)
        self._is_judged = np.array([name not in CALENDAR for name in self._names])
        # there is one look a day, not one a block
        self._z = -float(ndtri(BLOCKS_PER_DAY * watched.settings.chance(len(self._names) * len(WINDOW_DAYS))))
        self._first: list[ArrivedLabels] = []
        self._began_ns: int | None = None
        self._cases = Cases()
        self._looks: BadLooks | None = None

    def take(self, part: Part) -> None:
        """Events without labels are nothing to it."""

    def labels(self, arrived: ArrivedLabels) -> None:
        """Add the bad ones to their cases."""
        if self._began_ns is None and len(arrived.at_ns):
            self._began_ns = int(arrived.at_ns[0])
        if not arrived.is_bad.any():
            return
        if self._looks is None:
            self._first.append(arrived)
        else:
            self._looks.add(self._cases, arrived)

    def close(self, end: BlockEnd) -> Sequence[Alarm]:
        """Once a day: every feature of bad events that left its bounds, of the shortest window that shows it."""
        if self._began_ns is None or (end.block + 1) % BLOCKS_PER_DAY:
            return ()
        if self._looks is None:
            is_over = end.event_time_ns - self._began_ns >= self._settings.burn_in_ns
            if is_over and self._cases_so_far() >= 2 * CASES_MIN:
                self._looks = BadLooks.learned(self._first, self._cases)
                self._first = []
            return ()
        found: dict[str, Alarm] = {}
        for days in WINDOW_DAYS:
            for alarm in self._judge(self._looks, days, end):
                found.setdefault(alarm.name, alarm)
        return tuple(found.values())

    def _cases_so_far(self) -> int:
        keys = [arrived.key[arrived.is_bad] for arrived in self._first]
        return len(np.unique(np.concatenate(keys))) if keys else 0

    def _judge(self, looks: BadLooks, days: int, end: BlockEnd) -> list[Alarm]:
        cases = self._cases.since(max(looks.last_ns, end.event_time_ns - days * NS_PER_DAY))
        if len(cases) < CASES_MIN:
            return []
        shifts, bounds = looks.shifts(cases), looks.bounds(cases, self._z, SHIFT_MIN)
        return [
            Alarm(
                monitor=NAME,
                name=self._names[place],
                group=ALL,
                ordinal=end.ordinal,
                event_time_ns=end.event_time_ns,
                value=float(abs(shifts[place])),
                threshold=float(bounds[place]),
                why=f"{self._names[place]} of bad events: mean rank goes from {looks.usual[place]:.2f} to "
                f"{looks.usual[place] + shifts[place]:.2f} in {len(cases)} cases of {days} d",
                window_days=float(days),
            )
            for place in np.flatnonzero((np.abs(shifts) > bounds) & self._is_judged).tolist()
        ]
