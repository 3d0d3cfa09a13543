"""What drifts are applied to: history and stream with their truth, and by which drift each event was touched."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streams.drift.columns import BAD, coded, flags
from streams.topics import Domain
from streams.worlds.arrays import Flags, Floats, Ints
from streams.worlds.world import WorldTables


@dataclass(frozen=True, slots=True)
class Rows:
    """Events and their labels, row by row, by `time_ns`: when they really happened, whatever a drift made of
    `event_time_ns`. `marks` has the bit of each drift that touched an event (int64 [n]), `pace` how many times faster
    than scheduled each comes.
    """

    events: pa.Table
    labels: pa.Table
    time_ns: Ints
    marks: Ints
    pace: Floats

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, places: Ints) -> "Rows":
        """These rows, in this order."""
        return Rows(
            self.events.take(places),
            self.labels.take(places),
            self.time_ns[places],
            self.marks[places],
            self.pace[places],
        )

    def keep(self, kept: Flags) -> "Rows":
        """The rows that are kept; the same object where all are."""
        return self if kept.all() else self.take(np.flatnonzero(kept))

    def with_columns(self, **columns: Any) -> "Rows":
        """Events with these columns in the place of theirs, of the same types."""
        events = self.events
        for name, column in columns.items():
            place = events.schema.get_field_index(name)
            events = events.set_column(place, events.schema.field(place), column)
        return replace(self, events=events)

    def marked(self, touched: Flags, place: int) -> "Rows":
        """Say that drift number `place` touched these."""
        return replace(self, marks=self.marks | np.where(touched, np.int64(1) << place, 0))

    def touched(self, place: int) -> Flags:
        """Which events drift number `place` touched, bool [n]."""
        return (self.marks >> place & 1).astype(np.bool_)

    def with_added(self, added: "Rows") -> "Rows":
        """These and those, by the time at which they happened; at one time, what was there comes first."""
        if len(added) == 0:
            return self
        events = pa.concat_tables([self.events, added.events]).unify_dictionaries().combine_chunks()
        labels = pa.concat_tables([self.labels, added.labels]).unify_dictionaries().combine_chunks()
        both = Rows(
            events,
            labels,
            np.concatenate([self.time_ns, added.time_ns]),
            np.concatenate([self.marks, added.marks]),
            np.concatenate([self.pace, added.pace]),
        )
        return both.take(np.argsort(both.time_ns, kind="stable"))

    def copies(self, places: Ints, times_ns: Ints, suffix: str) -> "Rows":
        """These rows once more, as events of their own at these times; copies of one event need suffixes of their own,
        and get its number behind it."""
        again = self.take(places)
        nth = _occurrence(places)
        ids = pc.binary_join_element_wise(
            again.events["event_id"].combine_chunks(), pa.array([f"{suffix}{n}" for n in nth.tolist()], pa.string()), ""
        )
        moved = times_ns - again.time_ns
        events = again.with_columns(
            event_id=ids, event_time_ns=pa.array(again.events["event_time_ns"].to_numpy() + moved)
        )
        labels = {"event_id": ids}
        if "reported_at_ns" in again.labels.column_names:
            labels["reported_at_ns"] = pc.add(again.labels["reported_at_ns"], pa.array(moved))
        told = again.labels
        for name, column in labels.items():
            place = told.schema.get_field_index(name)
            told = told.set_column(place, told.schema.field(place), column)
        return replace(events, labels=told, time_ns=times_ns)


def _occurrence(places: Ints) -> Ints:
    """How many times a place was there before, int64 [n]."""
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    first = np.searchsorted(ordered, ordered, side="left")
    nth = np.empty(len(places), np.int64)
    nth[order] = np.arange(len(places)) - first
    return nth


def rows_of(events: pa.Table, labels: pa.Table) -> Rows:
    """Events that no drift has touched yet."""
    times = events["event_time_ns"].to_numpy().astype(np.int64)
    return Rows(events, labels, times, np.zeros(len(times), np.int64), np.ones(len(times)))


@dataclass(frozen=True, slots=True)
class Material:
    """History and stream of a domain; of transfers also the members of patterns and the accounts. `place` is the number
    of the drift being applied.
    """

    domain: Domain
    start_ns: int
    history: Rows
    stream: Rows
    members: pa.Table | None = None
    accounts: pa.Table | None = None
    place: int = 0

    @property
    def suffix(self) -> str:
        """What the drift being applied puts behind the ids of events it adds; no other drift's."""
        return f"~{self.place}."

    def bad(self, rows: Rows) -> Flags:
        """Which events are fraud or laundering, bool [n]."""
        return flags(rows.labels[BAD[self.domain]])

    def owners(self) -> tuple[Ints, Ints, int]:
        """Whose each event is, as numbers, of history and of stream, and how many there are: the card's, or the
        account's that pays (or, where that is not known, is paid)."""
        both = pa.concat_tables([self.history.events, self.stream.events]).unify_dictionaries()
        if self.domain == "fraud":
            owners = both["card_id"].cast(pa.string())
        else:
            payer, payee = (both[side].cast(pa.string()) for side in ("from_account", "to_account"))
            owners = pc.coalesce(payer, payee, pa.scalar(""))
        codes, names = coded(owners)
        numbers = codes.astype(np.int64)
        return numbers[: len(self.history)], numbers[len(self.history) :], len(names)

    def kept(self, of_history: Flags, of_stream: Flags) -> "Material":
        """Only these events."""
        return replace(self, history=self.history.keep(of_history), stream=self.stream.keep(of_stream))

    def with_stream(self, stream: Rows) -> "Material":
        """Another stream."""
        return replace(self, stream=stream)


def material_of(
    domain: Domain, tables: WorldTables, members: pa.Table | None = None, accounts: pa.Table | None = None
) -> Material:
    """The material of a world or of somebody's own data."""
    return Material(
        domain,
        tables.stream_start_ns,
        rows_of(tables.history_events, tables.history_labels),
        rows_of(tables.stream_events, tables.stream_labels),
        members,
        accounts,
    )


def tables_of(material: Material) -> WorldTables:
    """The material's events and labels, as tables."""
    history, stream = material.history, material.stream
    return WorldTables(history.events, history.labels, stream.events, stream.labels, material.start_ns)
