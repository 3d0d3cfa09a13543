"""Community tables: communities and centrality of the week's graph, closed once a business day, and those held."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Float32s, Int32s, Int64s
from models.features.interner import Interner
from models.graph.kernel.layout import COMMUNITY_COLUMNS, NO_DAY, CommunityTables
from streams.labels import NS_PER_DAY

TABLES_KEPT = 8
"""Tables held at most: of more, the oldest goes. A transfer up to a day late looks back one."""
ABSENT = np.array([1, np.nan, np.nan, np.nan, 0, 1], np.float32)
"""The row of an account that the week's graph does not hold: alone."""


@dataclass(frozen=True, slots=True, eq=False)
class CommunityTable:
    """Table of business day `day`, used by the transfers of calendar day `day` + 1: `values` float32 [m, 6], a row for
    each account id, in the order of `catalog.COMMUNITY_FEATURES`. Accounts without links are left out."""

    day: int
    ids: tuple[str, ...]
    values: Float32s
    codes: Int32s | None = None
    """Of the ids, in the state they were taken from, for that state alone: it is spared looking each of them up."""


class HeldCommunities:
    """The newest tables, laid out for the kernel by the codes of accounts."""

    __slots__ = ("tables",)

    def __init__(self, tables: CommunityTables) -> None:
        self.tables = tables

    @classmethod
    def empty(cls) -> "HeldCommunities":
        """No table held."""
        rows = np.zeros((0, 0, COMMUNITY_COLUMNS), np.float32)
        return cls(CommunityTables(np.zeros(0, np.int64), rows, ABSENT.copy()))

    def days(self) -> list[int]:
        """Business days of the tables held, ascending."""
        return sorted(day for day in self.tables.days.tolist() if day != NO_DAY)

    def missing_days(self, time_ns: Int64s) -> list[int]:
        """Business days, ascending, of tables that these event times need and that may still come."""
        newest = int(self.tables.days.max(initial=NO_DAY))
        return [int(day) for day in np.unique(time_ns // NS_PER_DAY - 1) if day > newest]

    def install(self, table: CommunityTable, accounts: Interner) -> None:
        """Take a table in; one of the same day is replaced, one older than all of a full store is left out."""
        codes = accounts.encode(table.ids) if table.codes is None else table.codes
        self.tables = _with_room(self.tables, len(accounts))
        days, rows, absent = self.tables
        same = np.flatnonzero(days == table.day)
        place = int(same[0]) if len(same) else int(days.argmin())
        if table.day < days[place]:
            return
        days[place] = table.day
        rows[place] = absent
        rows[place, codes] = table.values

    @staticmethod
    def layout() -> dict[str, tuple[Any, tuple[int | None, ...]]]:
        """Type and shape of what `arrays` gives."""
        return {"table_days": (np.int64, (None,)), "table_rows": (np.float32, (None, None, COMMUNITY_COLUMNS))}

    def arrays(self, accounts: int) -> dict[str, npt.NDArray[Any]]:
        """The tables held, by day and without slack, for a snapshot of a state that knows so many accounts."""
        days, rows, absent = self.tables
        order = np.argsort(days)[np.sort(days) != NO_DAY]
        width = min(accounts, rows.shape[1])
        told = np.empty((len(order), accounts, COMMUNITY_COLUMNS), np.float32)
        told[:, :width] = rows[order, :width]
        told[:, width:] = absent
        return {"table_days": days[order], "table_rows": told}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "HeldCommunities":
        """The tables that `arrays` gave."""
        return cls(CommunityTables(arrays["table_days"], arrays["table_rows"], ABSENT.copy()))


def _with_room(tables: CommunityTables, accounts: int) -> CommunityTables:
    """The tables with every place there may be, an empty one's day is NO_DAY, and with room for more accounts than
    these: laying them out anew takes long, and is not to be done every day."""
    held, width = tables.rows.shape[:2]
    if held == TABLES_KEPT and width >= accounts:
        return tables
    width = max(width, accounts + accounts // 2)
    days = np.full(TABLES_KEPT, NO_DAY, np.int64)
    days[:held] = tables.days
    rows = np.empty((TABLES_KEPT, width, COMMUNITY_COLUMNS), np.float32)
    for place in range(held):
        rows[place, : tables.rows.shape[1]] = tables.rows[place]
        rows[place, tables.rows.shape[1] :] = tables.absent
    rows[held:] = tables.absent
    return CommunityTables(days, rows, tables.absent)
