"""Who paid whom, day by day: what the nightly job keeps, and the community table that it closes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from models.features.batch import Int32s, Int64s, Status, UInt8s
from models.features.snapshot import Layout, read_snapshot, write_snapshot
from models.graph.batch import TransferBatch
from models.graph.communities import describe_accounts
from models.graph.community_table import CommunityTable
from models.graph.kernel.layout import CELL_FROM, CELL_TO, COMMUNITY_COLUMNS, NO_DAY
from streams.labels import business_days

DAYS = 7
"""Business days whose transfers a table is drawn from, the one that is closed among them."""
LINK_DAY, LINK_FROM, LINK_TO, LINK_TRANSFERS = 0, 1, 2, 3
LINK_FIELDS = 4
SNAPSHOT_KIND = "link ledger"

Names = Callable[[Int32s], list[str]]


class LedgerSettings(msgspec.Struct, frozen=True):
    """What a snapshot says beside its links."""

    last_closed: int


SNAPSHOT_LAYOUT = Layout(LedgerSettings, {"links": (np.int64, (None, LINK_FIELDS))})


class LinkLedger:
    """Transfers between accounts, summed by business day and pair. Its codes are those of the `GraphState` that codes
    the batches; its memory is bounded by the pairs of a week."""

    def __init__(self, links: Int64s | None = None, last_closed: int = NO_DAY) -> None:
        """An empty ledger, or one that goes on from `links` int64 [n, 4]: day, from, to, transfers."""
        self._links = np.zeros((0, LINK_FIELDS), np.int64) if links is None else links
        self._fresh: list[Int64s] = []
        self.last_closed = last_closed

    def observe(self, batch: TransferBatch, status: UInt8s) -> None:
        """Take in transfers with their status (uint8 [n], of `GraphState.compute`); repeated ones count for nothing."""
        cells = batch.cells
        sender, receiver = cells[:, CELL_FROM], cells[:, CELL_TO]
        linked = (sender >= 0) & (receiver >= 0) & (sender != receiver) & (status != Status.REPEATED)
        rows = np.empty((int(linked.sum()), LINK_FIELDS), np.int64)
        rows[:, LINK_DAY] = business_days(batch.time_ns[linked])
        rows[:, LINK_FROM], rows[:, LINK_TO], rows[:, LINK_TRANSFERS] = sender[linked], receiver[linked], 1
        self._fresh.append(rows)

    def close(self, day: int, names: Names) -> CommunityTable:
        """The table of business day `day`, of what has arrived so far of it and the six before; older days are dropped.

        `names` gives the account ids of codes (`GraphState.names_of`).
        """
        return draw_table(day, self.week(day), names)

    def week(self, day: int) -> Int64s:
        """What `draw_table` needs for business day `day`, int64 [n, 4], one row a pair; closes the day as `close` does.
        Cheap beside drawing the table, which can be left to another thread."""
        self._links = _summed(np.concatenate([self._links, *self._fresh]))
        self._fresh = []
        self._links = self._links[self._links[:, LINK_DAY] > day - DAYS]
        self.last_closed = max(self.last_closed, day)
        week = self._links[self._links[:, LINK_DAY] <= day].copy()
        week[:, LINK_DAY] = 0
        return _summed(week)

    def pass_over(self, day: int) -> None:
        """Close business day `day` without its table: what later ones are drawn from is kept, nothing is summed."""
        self._links = self._links[self._links[:, LINK_DAY] > day - DAYS]
        self._fresh = [rows for rows in self._fresh if (rows[:, LINK_DAY] > day - DAYS).any()]
        self.last_closed = max(self.last_closed, day)

    def save(self, path: Path, offsets: Mapping[str, int]) -> None:
        """Write a snapshot together with the input offsets it contains (see `write_snapshot`)."""
        settings, arrays = self.snapshot()
        write_snapshot(path, SNAPSHOT_KIND, settings, offsets, {"links": _summed(arrays["links"])})

    @classmethod
    def load(cls, path: Path) -> "tuple[LinkLedger, dict[str, int]]":
        """A saved ledger and the offsets saved with it; `SnapshotError` when it is missing, damaged or of another
        version."""
        snapshot = read_snapshot(path, SNAPSHOT_KIND, SNAPSHOT_LAYOUT)
        return cls.restore(snapshot.settings, snapshot.arrays), snapshot.offsets

    def snapshot(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """The whole ledger as settings (JSON) and arrays by name, those of the ledger itself: copy what is to last.
        Nothing is summed, which would take long: the same tables come of it."""
        if self._fresh:
            self._links, self._fresh = np.concatenate([self._links, *self._fresh]), []
        return {"last_closed": self.last_closed}, {"links": self._links}

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> "LinkLedger":
        """The ledger that `snapshot` gave; the arrays become its own."""
        return cls(arrays["links"], int(settings["last_closed"]))


def draw_table(day: int, week: Int64s, names: Names) -> CommunityTable:
    """The table of business day `day` from the links of its week (`LinkLedger.week`)."""
    if len(week) == 0:
        return CommunityTable(day, (), np.zeros((0, COMMUNITY_COLUMNS), np.float32))
    codes, places = np.unique(week[:, LINK_FROM : LINK_TO + 1], return_inverse=True)
    places = places.reshape(-1, 2)
    values = describe_accounts(places[:, 0], places[:, 1], week[:, LINK_TRANSFERS], len(codes))
    return CommunityTable(day, tuple(names(codes.astype(np.int32))), values)


def _summed(links: Int64s) -> Int64s:
    """One row a day and pair, in their order."""
    if len(links) == 0:
        return links
    # sorted column by column: numpy's unique of whole rows takes several times as long
    ordered = links[np.lexsort((links[:, LINK_TO], links[:, LINK_FROM], links[:, LINK_DAY]))]
    keys = ordered[:, :LINK_TRANSFERS]
    begins = np.flatnonzero(np.append(True, (keys[1:] != keys[:-1]).any(axis=1)))
    summed = ordered[begins]
    summed[:, LINK_TRANSFERS] = np.add.reduceat(ordered[:, LINK_TRANSFERS], begins)
    return summed
