"""Whether an event's time can be true, against the event time that the stream has come to.

One event from the year 2099 must not move the day tables on, and one from 1971 has no history to be judged by. Days are
the state's own measure, so a worker that takes over or starts again judges as the one before.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from models.features.batch import Int64s
from streams.labels import NS_PER_DAY
from streams.transaction import CardTransaction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plausible:
    """How many calendar days an event may lie ahead of the newest one so far, and behind it."""

    ahead_days: int = 31
    behind_days: int = 366


class EventClock:
    """The newest calendar day (UTC) among the events taken. `known` gives the day that the state has come to, None for
    a state that has seen nothing: then the first event is believed."""

    def __init__(self, plausible: Plausible, known: Callable[[], int | None]) -> None:
        self._plausible, self._known = plausible, known
        self._newest: int | None = None

    def doubts(self, events: Sequence[CardTransaction]) -> dict[int, str]:
        """Why events cannot be taken, by their index; the others move the clock on, one after the other."""
        if not events or self.believes(np.array([event.event_time_ns for event in events], np.int64)):
            return {}
        found = ((index, self._doubt(event.event_time_ns)) for index, event in enumerate(events))
        return {index: doubt for index, doubt in found if doubt is not None}

    def believes(self, times_ns: Int64s) -> bool:
        """Whether none of these event times (at least one) is in doubt however they are ordered, as nearly always: then
        they move the clock on. Else nothing is moved, and `doubts` has to say."""
        self._catch_up()
        newest, limits = self._newest, self._plausible
        if newest is None:
            return False
        first, last = _first_and_last(times_ns)
        ahead = max(newest, last)
        if last > newest + limits.ahead_days or first < ahead - limits.behind_days:
            return False
        self._newest = ahead
        return True

    def _catch_up(self) -> None:
        known = self._known()
        if known is not None:
            self._newest = known if self._newest is None else max(self._newest, known)

    def _doubt(self, time_ns: int) -> str | None:
        day, newest, limits = time_ns // NS_PER_DAY, self._newest, self._plausible
        if newest is None or newest - limits.behind_days <= day <= newest + limits.ahead_days:
            self._newest = day if newest is None else max(newest, day)
            return None
        apart, most, where = day - newest, limits.ahead_days, "ahead of"
        if apart < 0:
            apart, most, where = -apart, limits.behind_days, "behind"
        return (
            f"event time {_date(day)} is {apart:,} days {where} the stream ({_date(newest)}), at most {most:,} are "
            "believed - at `$.event_time_ns`"
        )


def _first_and_last(times_ns: Int64s) -> tuple[int, int]:
    """Their first and last day; of the one event that a micro-batch mostly is without two calls of numpy."""
    if len(times_ns) == 1:
        day = times_ns.item() // NS_PER_DAY
        return day, day
    return int(times_ns.min()) // NS_PER_DAY, int(times_ns.max()) // NS_PER_DAY


def _date(day: int) -> str:
    return f"{_EPOCH + timedelta(days=day):%Y-%m-%d}"
