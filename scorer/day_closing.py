"""When a business day's table may be closed: control totals, as in a bank's batch files."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

import msgspec
import numpy as np

from models.features.by_day import OfDay, by_day
from models.features.day_table import DayTable
from models.features.ledger import CODED, RiskLedger
from models.features.wire.reader import Plain
from streams.labels import DayEnd, Disposition, business_day, business_days
from streams.transaction import CardTransaction, EventTime, Identifier

_fields_of = attrgetter("event_id", "event_time_ns", *(f"{name}_id" for name in CODED))


class PlaceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The little of a transaction that the ledger needs."""

    event_id: Identifier
    event_time_ns: EventTime
    card_id: Identifier
    terminal_id: Identifier | None = None
    merchant_id: Identifier | None = None
    device_id: Identifier | None = None


class DayCloser:
    """Feeds the ledger and closes business days in order, each as soon as its control totals are reached.

    The table of day b needs the transactions of business days ≤ b − 1 (visitors; the label delay reaches further back)
    and the dispositions reported in business days ≤ b. An event may come a day late, so the trailer asked for is that
    of day b. What history held (business days before `first_day`) needs no trailer.

    A repeated event counts towards the totals, as its sending did, and not towards the ledger. So does a message that
    is refused: its day is unknown, but it will not come again, and no day shall wait for it. An event sent so late
    that its table was closed without it is in the later tables only.
    """

    def __init__(self, ledger: RiskLedger, first_day: int) -> None:
        self._ledger = ledger
        self.next_day = first_day
        self._events: Counter[int] = Counter()
        self._dispositions: Counter[int] = Counter()
        self._new_dispositions: list[Disposition] = []
        self._ends: dict[int, DayEnd] = {}
        self._end_days: list[int] = []
        self._unreadable = 0
        self.repeated = 0
        """Events that came again: the ledger recognises them by id within two business days of the last close."""

    @property
    def events(self) -> int:
        """Events received so far, repeated ones included."""
        return self._events.total()

    @property
    def dispositions(self) -> int:
        """Dispositions received so far."""
        return self._dispositions.total()

    def add_events(self, events: Sequence[PlaceEvent | CardTransaction]) -> None:
        """Take events in the order they came."""
        if not events:
            return
        event_ids, event_times_ns, *places = zip(*map(_fields_of, events), strict=True)
        times_ns = np.array(event_times_ns, np.int64)
        self._count(by_day(business_days(times_ns)))
        booked = self._ledger.add_transactions(times_ns, dict(zip(CODED, places, strict=True)), event_ids)
        self.repeated += len(events) - booked

    def read(self, values: Sequence[bytes]) -> Plain | None:
        """Events as messages; see `WireReader.read`."""
        return self._ledger.read(values)

    def add_read(self, plain: Plain) -> None:
        """As `add_events`, of what `read` gave."""
        days = by_day(business_days(plain.time_ns))
        self._count(days)
        self.repeated += len(plain) - self._ledger.add_read(plain, days)

    def _count(self, days: Sequence[OfDay]) -> None:
        for day, _, count in days:
            self._events[day] += count

    def add_unreadable(self, messages: int) -> None:
        """Take note of messages of the events topic that are refused."""
        self._unreadable += messages

    def add_dispositions(self, dispositions: Sequence[Disposition]) -> None:
        """Take dispositions in the order they came. The ledger gets them when a day is closed, and leaves out repeated
        ones."""
        for disposition in dispositions:
            self._dispositions[business_day(disposition.reported_at_ns)] += 1
        self._new_dispositions += dispositions

    def add_day_end(self, end: DayEnd) -> None:
        """Take a trailer; a later one for the same day replaces it."""
        if end.day not in self._ends:
            insort(self._end_days, end.day)
        self._ends[end.day] = end

    def close_ready(self) -> list[DayTable]:
        """Close every day that has all it needs, in order."""
        closed: list[DayTable] = []
        while self._is_complete(self.next_day):
            self._book_dispositions()
            closed.append(self._ledger.close(self.next_day))
            self.next_day += 1
        return closed

    def _book_dispositions(self) -> None:
        """Nothing but a table asks for them: booked all at once they cost little more than one by itself."""
        if self._new_dispositions:
            self._ledger.add_dispositions(self._new_dispositions)
            self._new_dispositions = []

    def _is_complete(self, day: int) -> bool:
        end = self._end_from(day)
        if end is None or _up_to(self._dispositions, end.day) < end.dispositions:
            return False
        return _up_to(self._events, end.day) + self._unreadable >= end.events

    def _end_from(self, day: int) -> DayEnd | None:
        """The trailer of a day, or of the next day that has one (a day without events may have none)."""
        at = bisect_left(self._end_days, day)
        return self._ends[self._end_days[at]] if at < len(self._end_days) else None


def _up_to(counts: Counter[int], day: int) -> int:
    return sum(count for counted, count in counts.items() if counted <= day)
