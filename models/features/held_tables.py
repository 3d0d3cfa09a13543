"""The day tables a state holds, laid out for the kernel: rows by the codes of terminals and merchants."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Float32s, Int32s, Int64s
from models.features.day_table import COLUMNS, DayTable
from models.features.interner import Interner
from models.features.kernel import NO_DAY, RiskTables
from streams.labels import NS_PER_DAY

DAYS_KEPT = 8
"""A table is kept until events need one this many days newer: late events look back."""
TABLES_MAX = 64
"""Tables held at most, however far they run ahead of the events (a micro-batch of a sparse stream spans many days)."""
FIRST_PLACES = 1_024
ABSENT_ROW = np.array([0, 0, 0, np.nan, np.nan, np.nan], np.float32)
"""Row of a place that a table does not name: no transactions, risk unknown."""


class HeldTables:
    """Day tables by day; room is made for a new one by dropping the oldest that events have left behind."""

    __slots__ = ("newest_needed", "stale_lookups", "tables")

    def __init__(self, tables: RiskTables, newest_needed: int = NO_DAY, stale_lookups: int = 0) -> None:
        self.tables = tables
        self.newest_needed = newest_needed
        self.stale_lookups = np.array([stale_lookups], np.int64)

    @classmethod
    def empty(cls) -> "HeldTables":
        """No table held."""
        none = np.zeros((0, 0, COLUMNS), np.float32)
        return cls(RiskTables(np.zeros(0, np.int64), none, none.copy()))

    def days(self) -> list[int]:
        """Business days of the tables held, ascending."""
        return sorted(int(day) for day in self.tables.days if day != NO_DAY)

    def missing_days(self, time_ns: Int64s) -> list[int]:
        """Business days, ascending, of tables that these event times need and that may still come."""
        held = self.days()
        newest = held[-1] if held else NO_DAY
        return [int(day) for day in np.unique(time_ns // NS_PER_DAY - 1) if day > newest]

    def need(self, time_ns: Int64s) -> None:
        """Note how far events have come; tables well behind them may go."""
        if len(time_ns):
            self.newest_needed = max(self.newest_needed, int(time_ns.max()) // NS_PER_DAY - 1)

    def install(self, table: DayTable, terminals: Interner, merchants: Interner) -> None:
        """Take a table in; one of the same day is replaced, one that events have left behind is left out."""
        terminal_codes, merchant_codes = terminals.encode(table.terminal_ids), merchants.encode(table.merchant_ids)
        place = self._place_for(table.day)
        if place is None:
            return
        slots = max(len(self.tables.days), place + 1)
        days = np.full(slots, NO_DAY, np.int64)
        days[: len(self.tables.days)] = self.tables.days
        days[place] = table.day
        self.tables = RiskTables(
            days,
            _with_room(self.tables.terminals, slots, len(terminals)),
            _with_room(self.tables.merchants, slots, len(merchants)),
        )
        _fill(self.tables.terminals[place], terminal_codes, table.terminal_values)
        _fill(self.tables.merchants[place], merchant_codes, table.merchant_values)

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

    def arrays(self, terminals: int, merchants: int) -> dict[str, npt.NDArray[Any]]:
        """The tables by day and without slack, for a snapshot; as many places as there are codes."""
        order = np.argsort(self.tables.days)
        return {
            "table_days": self.tables.days[order],
            "table_terminals": self.tables.terminals[order, :terminals],
            "table_merchants": self.tables.merchants[order, :merchants],
        }


def _fill(rows: Float32s, codes: Int32s, values: Float32s) -> None:
    rows[:] = ABSENT_ROW
    rows[codes] = values


def _with_room(tables: Float32s, slots: int, places: int) -> Float32s:
    if slots <= tables.shape[0] and places <= tables.shape[1]:
        return tables
    room = tables.shape[1] if places <= tables.shape[1] else max(FIRST_PLACES, places, 2 * tables.shape[1])
    grown = np.empty((slots, room, COLUMNS), np.float32)
    grown[:] = ABSENT_ROW
    grown[: tables.shape[0], : tables.shape[1]] = tables
    return grown
