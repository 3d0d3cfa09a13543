"""The risk ledger: what the nightly job knows of places across cards, and the day tables it closes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.features.batch import Int32s, Int64s, UInt64s, Vocabulary
from models.features.bookings import Bookings
from models.features.by_day import OfDay, by_day, chosen_rows
from models.features.day_table import DayTable, PlaceRows, known_rows
from models.features.event_hash import hash_ids, hash_texts
from models.features.id_text import chosen_ids
from models.features.interner import Interner
from models.features.known_events import KnownEvents
from models.features.place_kinds import DEVICE, KINDS, MERCHANT, NETWORK_DAYS_MAX, NETWORK_LAG_DAYS, TERMINAL, PlaceKind
from models.features.place_ledger import DAYS, Columns, PlaceLedger, share
from models.features.reports import NO_REPORTS, REPORT_LAYOUT, Reports, report_arrays, reports_of
from models.features.snapshot import Layout, read_snapshot, write_snapshot
from models.features.visitor_ledger import VisitorLedger
from models.features.wire.reader import Plain, WireReader
from streams.errors import BadInputError
from streams.labels import Disposition, business_days

SNAPSHOT_KIND = "risk ledger"
CODED = ("card", *(kind.name for kind in KINDS))
"""Ids that the ledger codes: an event's `<name>_id`."""
VISITED = (MERCHANT.name, DEVICE.name)
"""Kinds whose visitors are counted."""
NEVER_CLOSED = -(2**62)
NEVER_REPORTED = -(2**62)
REPEATS_KNOWN_DAYS = 2
"""How many business days behind the last closed one repeated event ids are still recognised."""

Codes = Mapping[str, Int32s]


class _Settings(msgspec.Struct, frozen=True):
    label_delay_days: int
    last_closed: int
    too_old: int


SNAPSHOT_LAYOUT = Layout(
    _Settings,
    {
        **{name: form for kind in CODED for name, form in Interner.layout(kind).items()},
        **{name: form for kind in KINDS for name, form in PlaceLedger.layout(kind.name).items()},
        **{name: form for kind in VISITED for name, form in VisitorLedger.layout(kind).items()},
        **REPORT_LAYOUT,
        "card_reported_day": (np.int64, (None,)),
        **{f"{name}_day": (np.int64, (None,)) for name in ("events", "frauds")},
        **{f"{name}_hash": (np.uint64, (None,)) for name in ("events", "frauds")},
    },
)


class RiskLedger:
    """Transactions, visitors and reported frauds a business day and place, with the label delay respected when a day
    is closed.

    The order in which transactions and dispositions come does not matter as long as they come before the close that
    needs them; what comes later counts from the next close on.
    """

    __slots__ = (
        "_bookings",
        "_card_reported",
        "_events",
        "_frauds",
        "_reader",
        "_reports",
        "_visitors",
        "codes",
        "label_delay_days",
        "last_closed",
        "places",
        "too_old",
    )

    def __init__(self, label_delay_days: int) -> None:
        self.label_delay_days = label_delay_days
        self.codes = {name: Interner() for name in CODED}
        self.places = {kind.name: PlaceLedger.empty() for kind in KINDS}
        self.last_closed = NEVER_CLOSED
        self.too_old = 0
        """Transactions and reports left out because no table to come can hold their business day."""
        self._visitors = {name: VisitorLedger.empty() for name in VISITED}
        self._reports = NO_REPORTS
        self._card_reported = np.zeros(0, np.int64)
        self._bookings = Bookings()
        self._events = KnownEvents()
        self._frauds = KnownEvents()
        self._reader: WireReader | None = None

    @classmethod
    def empty(cls, label_delay_days: int) -> "RiskLedger":
        """A ledger that knows nothing; raises `BadInputError` for a negative delay."""
        if label_delay_days < 0:
            raise BadInputError(f"label_delay_days is {label_delay_days}; it must be 0 or more")
        return cls(label_delay_days)

    def add_transactions(
        self,
        time_ns: Int64s | Sequence[int],
        ids: Mapping[str, Sequence[str | None]],
        event_ids: Sequence[str] | None = None,
    ) -> int:
        """Book transactions; the number booked or too old, repeated ones left out.

        `ids` holds the column of each name in `CODED` (all null when it is not there; `card` is required). With
        `event_ids`, an event that comes again within two business days of the last close is counted once; without
        them the caller answers for each coming once.
        """
        days = business_days(np.asarray(time_ns, np.int64))
        codes = self._encode(ids, len(days))
        if event_ids is not None:
            return self._add_fresh(by_day(days), hash_ids(pa.array(event_ids, pa.string())), codes)
        self.add_coded(days, codes)
        return len(days)

    def read(self, values: Sequence[bytes]) -> Plain | None:
        """Transactions as messages; see `WireReader.read`."""
        return self._wire_reader().read(values)

    def add_read(self, plain: Plain, days: Sequence[OfDay] | None = None) -> int:
        """As `add_transactions` with ids of events, of what `read` gave. `days` are its rows by business day, where the
        caller knows them."""
        card, merchant, terminal, device = self._wire_reader().codes(plain)
        codes = {"card": card, "merchant": merchant, "terminal": terminal, "device": device}
        return self._add_fresh(by_day(business_days(plain.time_ns)) if days is None else days, plain.event_hash, codes)

    def _wire_reader(self) -> WireReader:
        if self._reader is None:
            self._reader = WireReader(self.codes, Vocabulary((), ()))
        return self._reader

    def _add_fresh(self, days: Sequence[OfDay], hashes: UInt64s, codes: Codes) -> int:
        fresh = self._events.fresh(days, hashes, self.last_closed - REPEATS_KNOWN_DAYS)
        self._book(days if fresh.all() else chosen_rows(days, fresh), codes)
        return int(np.count_nonzero(fresh))

    def _encode(self, ids: Mapping[str, Sequence[str | None]], rows: int) -> dict[str, Int32s]:
        null = np.full(rows, -1, np.int32)
        return {name: self.codes[name].encode(ids[name]) if name in ids else null for name in CODED}

    def add_coded(self, days: Int64s, codes: Codes) -> None:
        """Book transactions by business day and the ledger's own codes of the ids in `CODED` (-1 null)."""
        self._book(by_day(days), codes)

    def _book(self, days: Sequence[OfDay], codes: Codes) -> None:
        forgotten = self._forgotten()
        self.too_old += sum(count for day, _, count in days if day <= forgotten)
        self._bookings.add([part for part in days if part.day > forgotten], tuple(codes[name] for name in CODED))
        if self._bookings.is_full():
            self._count_bookings()

    def _count_bookings(self) -> None:
        for day, columns in self._bookings.take():
            codes = dict(zip(CODED, columns, strict=True))
            for kind in (TERMINAL, MERCHANT):
                self.places[kind.name].add_transactions(day, codes[kind.name], len(self.codes[kind.name]))
            for name, visitors in self._visitors.items():
                visitors.add(day, codes[name], codes["card"])

    def add_dispositions(self, dispositions: Sequence[Disposition]) -> int:
        """Take investigators' findings; the number of frauds new to the ledger (repeated ones are left out)."""
        frauds = [found for found in dispositions if found.is_fraud]
        ids = {name: [getattr(found, f"{name}_id") for found in frauds] for name in CODED}
        return self.add_reports(
            event_hash=hash_texts([found.event_id.encode() for found in frauds]),
            time_ns=np.array([found.event_time_ns for found in frauds], np.int64),
            reported_at_ns=np.array([found.reported_at_ns for found in frauds], np.int64),
            codes=self._encode(ids, len(frauds)),
        )

    def add_reports(self, event_hash: UInt64s, time_ns: Int64s, reported_at_ns: Int64s, codes: Codes) -> int:
        """As `add_dispositions`, as columns, the ids by the ledger's own codes."""
        days = business_days(time_ns)
        useful = days > self._forgotten()
        self.too_old += int((~useful).sum())
        fresh = self._frauds.fresh(by_day(days), event_hash, self._forgotten()) & useful
        columns = [codes[name] for name in CODED]
        found = Reports(business_days(reported_at_ns), days, *columns).where(fresh)
        self._reports = self._reports.followed_by(found)
        return int(fresh.sum())

    def close(self, business_day: int) -> DayTable:
        """Table of a business day b, for events of calendar day b + 1, with a label delay of D days.

        Risk of terminals and merchants, and frauds of devices: over windows of w days, transactions with business day
        in (b - D - w, b - D], and those of them reported as fraud in business days up to b. Visitors: distinct cards of
        business days in (b - 1 - w, b - 1]; they need no labels. Compromised: of the cards at a merchant in (b - D -
        30, b - D], the share of which a fraud was reported, anywhere, on the day of the visit or later, up to b. Raises
        `BadInputError` when a later day has been closed.
        """
        if business_day < self.last_closed:
            raise BadInputError(f"business day {business_day} cannot be closed: {self.last_closed} is closed already")
        self._count_bookings()
        self._book_reports(business_day)
        self.last_closed = business_day
        self._forget()
        return DayTable(business_day, {kind.name: self._rows(kind, business_day) for kind in KINDS})

    def make_ready(self) -> None:
        """Look at the month behind the last closed day once, so that the next close is no longer than later ones, and
        make what reads messages, with the ids that are known."""
        self._wire_reader().know_all()
        if self.last_closed > NEVER_CLOSED:
            for kind in KINDS:
                self._columns(kind, self.last_closed)

    def _book_reports(self, business_day: int) -> None:
        due = self._reports.reported_day <= business_day
        booked, self._reports = self._reports.where(due), self._reports.where(~due)
        for kind in KINDS:
            codes: Int32s = getattr(booked, kind.name)
            self.places[kind.name].add_frauds(booked.day, codes)
        reported = self._reported_days()
        with_card = booked.card >= 0
        np.maximum.at(reported, booked.card[with_card], booked.reported_day[with_card])
        self._card_reported = reported

    def _reported_days(self) -> Int64s:
        """Of every card known by now the business day it was reported, int64 [cards]: more than at the last close."""
        reported = np.full(len(self.codes["card"]), NEVER_REPORTED, np.int64)
        reported[: len(self._card_reported)] = self._card_reported
        return reported

    def _rows(self, kind: PlaceKind, day: int) -> PlaceRows:
        columns = self._columns(kind, day)
        values = np.stack([columns[column.name] for column in kind.columns])
        codes, rows = known_rows(values)
        return PlaceRows(chosen_ids(*self.codes[kind.name].text(), codes), rows)

    def _columns(self, kind: PlaceKind, day: int) -> Columns:
        """The kind's columns of table `day` by name, float64 [places] each."""
        places, delayed = len(self.codes[kind.name]), day - self.label_delay_days
        ledger = self.places[kind.name]
        columns = ledger.risk(delayed, day + 1, places) if kind is not DEVICE else Columns()
        if kind.name not in self._visitors:
            return columns
        visitors, last = self._visitors[kind.name], day - NETWORK_LAG_DAYS
        names = {column.name for column in kind.columns}
        asked = [days for days in (1, 7, NETWORK_DAYS_MAX) if f"cards_{days}d" in names]
        for days, found in visitors.distinct("recent", last, asked, places).items():
            columns[f"cards_{days}d"] = found.astype(np.float64)
        if kind is DEVICE:
            columns["frauds_30d"] = ledger.frauds_in(delayed, NETWORK_DAYS_MAX, places).astype(np.float64)
            return columns
        total = visitors.daily_total(last, NETWORK_DAYS_MAX, places)
        growth = np.full(places, np.nan)
        np.divide(columns["cards_1d"] * NETWORK_DAYS_MAX, total, out=growth, where=total > 0)
        compromised = visitors.distinct_marked(delayed, NETWORK_DAYS_MAX, places, self._reported_days())
        whole = visitors.distinct("delayed", delayed, [NETWORK_DAYS_MAX], places)[NETWORK_DAYS_MAX]
        return columns | {"cards_growth": growth, "compromised_share_30d": share(compromised, whole)}

    def _forgotten(self) -> int:
        """The last business day that no table to come reaches back to."""
        return self.last_closed - max(self.label_delay_days, NETWORK_LAG_DAYS) - max(DAYS, NETWORK_DAYS_MAX)

    def _forget(self) -> None:
        for ledger in self.places.values():
            ledger.forget(self._forgotten())
        for visitors in self._visitors.values():
            visitors.forget(self._forgotten())
        self._frauds.forget(self._forgotten())
        self._events.forget(self.last_closed - REPEATS_KNOWN_DAYS)

    def save(self, path: Path, offsets: Mapping[str, int]) -> None:
        """Write a snapshot together with the input offsets it contains (see `write_snapshot`)."""
        self._count_bookings()
        arrays: dict[str, npt.NDArray[Any]] = {}
        for name, interner in self.codes.items():
            arrays |= interner.to_arrays(name)
        for name, ledger in self.places.items():
            arrays |= ledger.to_arrays(name, len(self.codes[name]))
        for name, visitors in self._visitors.items():
            arrays |= visitors.to_arrays(name)
        arrays |= report_arrays(self._reports) | {"card_reported_day": self._card_reported}
        arrays |= self._events.to_arrays("events") | self._frauds.to_arrays("frauds")
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
        ledger = cls(int(settings["label_delay_days"]))
        ledger.last_closed, ledger.too_old = int(settings["last_closed"]), int(settings["too_old"])
        ledger.codes = {name: Interner.from_arrays(arrays[f"{name}_text"], arrays[f"{name}_lengths"]) for name in CODED}
        ledger.places = {kind.name: PlaceLedger.from_arrays(kind.name, arrays) for kind in KINDS}
        ledger._visitors = {name: VisitorLedger.from_arrays(name, arrays) for name in VISITED}
        ledger._reports, ledger._card_reported = reports_of(arrays), arrays["card_reported_day"]
        ledger._events = KnownEvents.from_arrays("events", arrays)
        ledger._frauds = KnownEvents.from_arrays("frauds", arrays)
        return ledger, snapshot.offsets
