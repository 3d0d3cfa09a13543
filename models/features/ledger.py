"""The risk ledger: what the nightly job knows of terminals and merchants, and the day tables it closes."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.features.batch import Int32s, Int64s, UInt64s
from models.features.catalog import RISK_WINDOWS_DAYS
from models.features.day_table import DayTable
from models.features.event_hash import hash_ids
from models.features.place_ledger import PlaceLedger
from models.features.snapshot import Layout, read_snapshot, write_snapshot
from streams.errors import BadInputError
from streams.labels import Disposition, business_days

SNAPSHOT_KIND = "risk ledger"


class _Settings(msgspec.Struct, frozen=True):
    label_delay_days: int
    last_closed: int
    too_old: int


SNAPSHOT_LAYOUT = Layout(
    _Settings,
    {
        **PlaceLedger.layout("terminal"),
        **PlaceLedger.layout("merchant"),
        "reports_reported_day": (np.int64, (None,)),
        "reports_day": (np.int64, (None,)),
        "reports_terminal": (np.int32, (None,)),
        "reports_merchant": (np.int32, (None,)),
        **{f"{name}_day": (np.int64, (None,)) for name in ("events", "frauds")},
        **{f"{name}_hash": (np.uint64, (None,)) for name in ("events", "frauds")},
    },
)
NEVER_CLOSED = -(2**62)
REPEATS_KNOWN_DAYS = 2
"""How many business days behind the last closed one repeated event ids are still recognised."""

EventsOfDays = dict[int, set[int]]


class Reports(NamedTuple):
    """Frauds reported but not yet booked: business days of report and transaction, codes of the places."""

    reported_day: Int64s
    day: Int64s
    terminal: Int32s
    merchant: Int32s

    def where(self, rows: npt.NDArray[np.bool_]) -> "Reports":
        """The reports of these rows."""
        return Reports(self.reported_day[rows], self.day[rows], self.terminal[rows], self.merchant[rows])

    def followed_by(self, more: "Reports") -> "Reports":
        """These reports and then those."""
        joined: list[npt.NDArray[Any]] = [np.concatenate((self[place], more[place])) for place in range(4)]
        return Reports(*joined)


NO_REPORTS = Reports(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))


class RiskLedger:
    """Transactions and reported frauds a business day and place, with the label delay respected when a day is closed.

    The order in which transactions and dispositions come does not matter as long as they come before the close that
    needs them; what comes later counts from the next close on.
    """

    __slots__ = (
        "_events",
        "_frauds",
        "_reports",
        "label_delay_days",
        "last_closed",
        "merchants",
        "terminals",
        "too_old",
    )

    def __init__(self, label_delay_days: int, terminals: PlaceLedger, merchants: PlaceLedger) -> None:
        self.label_delay_days = label_delay_days
        self.terminals = terminals
        self.merchants = merchants
        self.last_closed = NEVER_CLOSED
        self.too_old = 0
        """Transactions and reports left out because no table to come can hold their business day."""
        self._reports = NO_REPORTS
        self._events: EventsOfDays = {}
        self._frauds: EventsOfDays = {}

    @classmethod
    def empty(cls, label_delay_days: int) -> "RiskLedger":
        """A ledger that knows nothing; raises `BadInputError` for a negative delay."""
        if label_delay_days < 0:
            raise BadInputError(f"label_delay_days is {label_delay_days}; it must be 0 or more")
        return cls(label_delay_days, PlaceLedger.empty(), PlaceLedger.empty())

    def add_transactions(
        self,
        time_ns: Int64s | Sequence[int],
        terminal_ids: Sequence[str | None],
        merchant_ids: Sequence[str | None],
        event_ids: Sequence[str] | None = None,
    ) -> int:
        """Book transactions (columns of one length); the number booked or too old, repeated ones left out.

        With `event_ids`, an event that comes again within two business days of the last close is counted once; without
        them the caller answers for each coming once.
        """
        days = business_days(np.asarray(time_ns, np.int64))
        terminal, merchant = self.terminals.places.encode(terminal_ids), self.merchants.places.encode(merchant_ids)
        if event_ids is not None:
            fresh = _fresh(self._events, days, hash_ids(pa.array(event_ids, pa.string())), self._repeats_known_from())
            days, terminal, merchant = days[fresh], terminal[fresh], merchant[fresh]
        self.add_coded(days, terminal, merchant)
        return len(days)

    def add_coded(self, days: Int64s, terminal: Int32s, merchant: Int32s) -> None:
        """Book transactions by business day and codes of the ledger's own places (-1 none)."""
        useful = days > self._forgotten()
        self.too_old += int((~useful).sum())
        self.terminals.add_transactions(days[useful], terminal[useful])
        self.merchants.add_transactions(days[useful], merchant[useful])

    def add_dispositions(self, dispositions: Sequence[Disposition]) -> int:
        """Take investigators' findings; the number of frauds new to the ledger (repeated ones are left out)."""
        frauds = [found for found in dispositions if found.is_fraud]
        return self.add_reports(
            event_hash=hash_ids(pa.array([found.event_id for found in frauds], pa.string())),
            time_ns=np.array([found.event_time_ns for found in frauds], np.int64),
            reported_at_ns=np.array([found.reported_at_ns for found in frauds], np.int64),
            terminal=self.terminals.places.encode([found.terminal_id for found in frauds]),
            merchant=self.merchants.places.encode([found.merchant_id for found in frauds]),
        )

    def add_reports(
        self, event_hash: UInt64s, time_ns: Int64s, reported_at_ns: Int64s, terminal: Int32s, merchant: Int32s
    ) -> int:
        """As `add_dispositions`, as columns, the places by the ledger's own codes."""
        days = business_days(time_ns)
        useful = days > self._forgotten()
        self.too_old += int((~useful).sum())
        fresh = _fresh(self._frauds, days, event_hash, self._forgotten()) & useful
        found = Reports(business_days(reported_at_ns), days, terminal, merchant).where(fresh)
        self._reports = self._reports.followed_by(found)
        return int(fresh.sum())

    def close(self, business_day: int) -> DayTable:
        """Table of a business day b: for each place and window of w = 1, 7, 30 days, the transactions with business day
        in (b - delay - w, b - delay], and the share of them reported as fraud in business days up to b (NaN of none).

        The Fraud Detection Handbook's terminal risk (chapter 3, "Baseline feature transformation"), with whole
        business days in place of a sliding window. Raises `BadInputError` when a later day has been closed.
        """
        if business_day < self.last_closed:
            raise BadInputError(f"business day {business_day} cannot be closed: {self.last_closed} is closed already")
        due = self._reports.reported_day <= business_day
        booked = self._reports.where(due)
        self._reports = self._reports.where(~due)
        self.terminals.add_frauds(booked.day, booked.terminal)
        self.merchants.add_frauds(booked.day, booked.merchant)
        self.last_closed = business_day
        self._forget()
        last_day = business_day - self.label_delay_days
        return DayTable(business_day, *self.terminals.rows(last_day), *self.merchants.rows(last_day))

    def _forgotten(self) -> int:
        """The last business day that no table to come reaches back to."""
        return self.last_closed - self.label_delay_days - max(RISK_WINDOWS_DAYS)

    def _repeats_known_from(self) -> int:
        return self.last_closed - REPEATS_KNOWN_DAYS

    def _forget(self) -> None:
        self.terminals.forget(self._forgotten())
        self.merchants.forget(self._forgotten())
        for events, last_day in ((self._frauds, self._forgotten()), (self._events, self._repeats_known_from())):
            for day in [day for day in events if day <= last_day]:
                del events[day]

    def save(self, path: Path, offsets: Mapping[str, int]) -> None:
        """Write a snapshot together with the input offsets it contains (see `write_snapshot`)."""
        arrays = self.terminals.to_arrays("terminal") | self.merchants.to_arrays("merchant")
        arrays |= {f"reports_{name}": column for name, column in self._reports._asdict().items()}
        arrays |= _event_arrays("events", self._events) | _event_arrays("frauds", self._frauds)
        settings = {
            "label_delay_days": self.label_delay_days,
            "last_closed": self.last_closed,
            "too_old": self.too_old,
        }
        write_snapshot(path, SNAPSHOT_KIND, settings, offsets, arrays)

    @classmethod
    def load(cls, path: Path) -> "tuple[RiskLedger, dict[str, int]]":
        """A saved ledger and the offsets saved with it; `SnapshotError` when it is missing, damaged or of another
        version."""
        snapshot = read_snapshot(path, SNAPSHOT_KIND, SNAPSHOT_LAYOUT)
        arrays, settings = snapshot.arrays, snapshot.settings
        places = (PlaceLedger.from_arrays(name, arrays) for name in ("terminal", "merchant"))
        ledger = cls(int(settings["label_delay_days"]), *places)
        ledger.last_closed, ledger.too_old = int(settings["last_closed"]), int(settings["too_old"])
        ledger._reports = Reports(*(arrays[f"reports_{name}"] for name in Reports._fields))
        ledger._events, ledger._frauds = _events_of("events", arrays), _events_of("frauds", arrays)
        return ledger, snapshot.offsets


def _fresh(known: EventsOfDays, days: Int64s, hashes: UInt64s, forgotten: int) -> npt.NDArray[np.bool_]:
    """Which events are not among the known ones of their business day; those of days after `forgotten` become known."""
    fresh = np.ones(len(days), np.bool_)
    for row, (day, event) in enumerate(zip(days.tolist(), hashes.tolist(), strict=True)):
        if day <= forgotten:
            continue
        of_day = known.setdefault(day, set())
        fresh[row] = event not in of_day
        of_day.add(event)
    return fresh


def _event_arrays(name: str, events: EventsOfDays) -> dict[str, npt.NDArray[Any]]:
    pairs: Iterable[tuple[int, int]] = sorted((day, event) for day, of_day in events.items() for event in of_day)
    days, hashes = zip(*pairs, strict=True) if pairs else ((), ())
    return {f"{name}_day": np.array(days, np.int64), f"{name}_hash": np.array(hashes, np.uint64)}


def _events_of(name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> EventsOfDays:
    events: EventsOfDays = {}
    for day, event in zip(arrays[f"{name}_day"].tolist(), arrays[f"{name}_hash"].tolist(), strict=True):
        events.setdefault(day, set()).add(event)
    return events
