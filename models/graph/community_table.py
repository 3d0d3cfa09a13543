"""Community tables: communities and centrality of the week's graph, closed once a business day, and those held."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Float32s, Int64s
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
        return sorted(self.tables.days.tolist())

    def missing_days(self, time_ns: Int64s) -> list[int]:
        """Business days, ascending, of tables that these event times need and that may still come."""
        newest = int(self.tables.days.max(initial=NO_DAY))
        return [int(day) for day in np.unique(time_ns // NS_PER_DAY - 1) if day > newest]

    def install(self, table: CommunityTable, accounts: Interner) -> None:
        """Take a table in; one of the same day is replaced, one older than all of a full store is left out."""
        codes = accounts.encode(table.ids)
        days, rows, absent = self.tables
        keep = days != table.day
        if keep.sum() == TABLES_KEPT:
            if table.day < days.min():
                return
            keep &= days != days.min()
        width = max(len(accounts), rows.shape[1])
        slots = int(keep.sum()) + 1
        grown = np.empty((slots, width, COMMUNITY_COLUMNS), np.float32)
        grown[:] = absent
        grown[:-1, : rows.shape[1]] = rows[keep]
        grown[-1, codes] = table.values
        self.tables = CommunityTables(np.append(days[keep], np.int64(table.day)), grown, absent)

    @staticmethod
    def layout() -> dict[str, tuple[Any, tuple[int | None, ...]]]:
        """Type and shape of what `arrays` gives."""
        return {"table_days": (np.int64, (None,)), "table_rows": (np.float32, (None, None, COMMUNITY_COLUMNS))}

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The tables held, for a snapshot."""
        return {"table_days": self.tables.days, "table_rows": self.tables.rows}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "HeldCommunities":
        """The tables that `arrays` gave."""
        return cls(CommunityTables(arrays["table_days"], arrays["table_rows"], ABSENT.copy()))
