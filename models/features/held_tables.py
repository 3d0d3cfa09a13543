"""The day tables a state holds, laid out for the kernel: rows by the codes of terminals, merchants and devices."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Float32s, Int32s, Int64s
from models.features.day_table import DayTable
from models.features.interner import Interner
from models.features.kernel import NO_DAY, PlaceTables
from models.features.place_kinds import KIND_OF, KINDS
from streams.kernels.compiled import compiled
from streams.labels import NS_PER_DAY

DAYS_KEPT = 8
"""A table is kept until events need one this many days newer: late events look back."""
TABLES_MAX = 64
"""Tables held at most, however far they run ahead of the events (a micro-batch of a sparse stream spans many days)."""
FIRST_PLACES = 1_024

ArrayLayout = dict[str, tuple[Any, tuple[int | None, ...]]]


class HeldTables:
    """Day tables by day; room is made for a new one by dropping the oldest that events have left behind."""

    __slots__ = ("_newest", "newest_needed", "stale_lookups", "tables")

    def __init__(self, tables: PlaceTables, newest_needed: int = NO_DAY, stale_lookups: int = 0) -> None:
        self.tables = tables
        self._newest = int(tables.days.max(initial=NO_DAY))
        self.newest_needed = newest_needed
        self.stale_lookups = np.array([stale_lookups], np.int64)

    @classmethod
    def empty(cls) -> "HeldTables":
        """No table held."""
        none = {kind.name: np.zeros((0, 0, kind.width), np.float32) for kind in KINDS}
        return cls(_tables(np.zeros(0, np.int64), none))

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, npt.NDArray[Any]], newest_needed: int, stale_lookups: int
    ) -> "HeldTables":
        """The tables that `arrays` gave."""
        rows = {kind.name: arrays[f"table_{kind.name}"] for kind in KINDS}
        return cls(_tables(arrays["table_days"], rows), newest_needed, stale_lookups)

    @staticmethod
    def layout() -> ArrayLayout:
        """Type and shape of what `arrays` gives."""
        rows: ArrayLayout = {f"table_{kind.name}": (np.float32, (None, None, kind.width)) for kind in KINDS}
        return {"table_days": (np.int64, (None,)), **rows}

    def days(self) -> list[int]:
        """Business days of the tables held, ascending."""
        return sorted(int(day) for day in self.tables.days if day != NO_DAY)

    def missing_days(self, time_ns: Int64s) -> list[int]:
        """Business days, ascending, of tables that these event times need and that may still come."""
        newest = self._newest
        if _day_needed(time_ns) <= newest:  # nearly always
            return []
        return [int(day) for day in np.unique(time_ns // NS_PER_DAY - 1) if day > newest]

    def need(self, time_ns: Int64s) -> None:
        """Note how far events have come; tables well behind them may go."""
        self.newest_needed = max(self.newest_needed, _day_needed(time_ns))

    def install(self, table: DayTable, codes: Mapping[str, Int32s], interners: Mapping[str, Interner]) -> None:
        """Take a table in; one of the same day is replaced, one that events have left behind is left out.

        `codes` are those of each kind's ids, by `interners`.
        """
        place = self._place_for(table.day)
        if place is None:
            return
        slots = max(len(self.tables.days), place + 1)
        days = np.full(slots, NO_DAY, np.int64)
        days[: len(self.tables.days)] = self.tables.days
        days[place] = table.day
        rows = {
            kind.name: _with_room(self._rows(kind.name), slots, len(interners[kind.name]), kind.absent)
            for kind in KINDS
        }
        self.tables, self._newest = _tables(days, rows), int(days.max())
        for kind in KINDS:
            _fill(rows[kind.name][place], codes[kind.name], table.places[kind.name].values, kind.absent)

    def _rows(self, kind: str) -> Float32s:
        found: Float32s = getattr(self.tables, kind)
        return found

    def _place_for(self, day: int) -> int | None:
        """The slot of this day's table: its own, the oldest when that may go, a new one, or none for an old table."""
        days = self.tables.days
        same = np.flatnonzero(days == day)
        if len(same):
            return int(same[0])
        oldest = int(days.argmin()) if len(days) >= DAYS_KEPT else None
        if oldest is None or (days[oldest] > self.newest_needed - DAYS_KEPT and len(days) < TABLES_MAX):
            return len(days)
        return oldest if days[oldest] < day else None

    def arrays(self, interners: Mapping[str, Interner]) -> dict[str, npt.NDArray[Any]]:
        """The tables by day and without slack, for a snapshot; as many places as there are codes."""
        order = np.argsort(self.tables.days)
        rows = {f"table_{kind.name}": self._rows(kind.name)[order, : len(interners[kind.name])] for kind in KINDS}
        return {"table_days": self.tables.days[order], **rows}


def _tables(days: Int64s, rows: Mapping[str, Float32s]) -> PlaceTables:
    absent = {f"no_{name}": kind.absent for name, kind in KIND_OF.items()}
    return PlaceTables(days=days, **rows, **absent)


def _fill(rows: Float32s, codes: Int32s, values: Float32s, absent: Float32s) -> None:
    """Values from a message are not to be written to: a kernel is of another type then, so that all are made so."""
    told = np.require(values, np.float32, ["C", "A"]).view()
    told.flags.writeable = False
    put_rows(rows, codes, told, absent)


@compiled
def put_rows(rows: Float32s, codes: Int32s, values: Float32s, absent: Float32s) -> None:
    """Let `rows` [places, width] hold the values of each of these codes, and of all others what is `absent`."""
    for place in range(len(rows)):
        for column in range(len(absent)):
            rows[place, column] = absent[column]
    for row in range(len(codes)):
        for column in range(len(absent)):
            rows[codes[row], column] = values[row, column]


def _with_room(tables: Float32s, slots: int, places: int, absent: Float32s) -> Float32s:
    if slots <= tables.shape[0] and places <= tables.shape[1]:
        return tables
    room = tables.shape[1] if places <= tables.shape[1] else max(FIRST_PLACES, places, 2 * tables.shape[1])
    grown = np.empty((slots, room, len(absent)), np.float32)
    grown[:] = absent
    grown[: tables.shape[0], : tables.shape[1]] = tables
    return grown


def _day_needed(time_ns: Int64s) -> int:
    """The newest business day whose table these event times need; `NO_DAY` for no event."""
    if len(time_ns) == 0:
        return NO_DAY
    newest = time_ns.item() if len(time_ns) == 1 else int(time_ns.max())
    return newest // NS_PER_DAY - 1
