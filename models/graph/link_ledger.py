"""Who paid whom, day by day: what the nightly job keeps, and the community table that it closes."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from models.features.batch import Int32s, Int64s, UInt8s
from models.features.room import longer
from models.features.snapshot import Layout, read_snapshot, write_snapshot
from models.graph.batch import TransferBatch
from models.graph.communities import describe_accounts
from models.graph.community_table import CommunityTable
from models.graph.followed import Followed, marks_for
from models.graph.kernel.layout import CELL_FROM, CELL_TIME, CELL_TO, COMMUNITY_COLUMNS, NO_DAY, REPEATED
from streams.kernels.compiled import compiled
from streams.labels import CUT_OFF_NS, NS_PER_DAY

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


class _Links:
    """Links int64 [n, 4], one after the other, with room for more behind them: those that stand there stay as they are.
    So their marks are never taken back (see `models.graph.followed`)."""

    __slots__ = ("copied", "room", "used")

    def __init__(self, links: Int64s) -> None:
        self.room, self.used = longer(links, len(links) + 1), len(links)
        self.copied = marks_for(len(self.room))

    def all(self) -> Int64s:
        """Those that stand there now."""
        return self.room[: self.used]

    def make_room(self, count: int) -> None:
        """For so many more."""
        if self.used + count > len(self.room):
            self.room = longer(self.all(), self.used + count)
            self.copied = marks_for(len(self.room))

    def append(self, links: Int64s) -> None:
        self.make_room(len(links))
        self.room[self.used : self.used + len(links)] = links
        self.used += len(links)


class LinkLedger:
    """Transfers between accounts, summed by business day and pair. Its codes are those of the `GraphState` that codes
    the batches; its memory is bounded by the pairs of a week."""

    def __init__(self, links: Int64s | None = None, last_closed: int = NO_DAY) -> None:
        """An empty ledger, or one that goes on from `links` int64 [n, 4]: day, from, to, transfers."""
        self._links = _Links(np.zeros((0, LINK_FIELDS), np.int64) if links is None else links)
        self.last_closed = last_closed

    def observe(self, batch: TransferBatch, status: UInt8s) -> None:
        """Take in transfers with their status (uint8 [n], of `GraphState.compute`); repeated ones count for nothing."""
        links = self._links
        links.make_room(len(batch))
        links.used = _write_links(batch.cells, status, links.room, links.used)

    def close(self, day: int, names: Names) -> CommunityTable:
        """The table of business day `day`, of what has arrived so far of it and the six before; older days are dropped.

        `names` gives the account ids of codes (`GraphState.names_of`).
        """
        closing = self.begin_closing(day)
        table = closing.draw(names)
        self.end_closing(closing)
        return table

    def begin_closing(self, day: int) -> "Closing":
        """Close business day `day` as `close` does, and leave the work to `Closing.draw`, which another thread may call
        while this one goes on. `end_closing` afterwards, so that memory stays bounded."""
        self.last_closed = max(self.last_closed, day)
        return Closing(day, self._links)

    def end_closing(self, closing: "Closing") -> None:
        """Go on from what a closing has summed. Not where another one did since it began: the next one sums those."""
        if self._links is closing.began_with and closing.summed is not None:
            closing.summed.append(self._links.all()[len(closing.links) :])
            self._links = closing.summed

    def pass_over(self, day: int) -> None:
        """Close business day `day` without its table: what later ones are drawn from is kept, nothing is summed."""
        links = self._links.all()
        self._links = _Links(links[links[:, LINK_DAY] > day - DAYS])
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
        return {"last_closed": self.last_closed}, {"links": self._links.all()}

    def followed(self) -> Followed:
        """The links, marked as far as the one that keeps a copy of them has them."""
        return Followed({"links": self._links.all()}, self._links.copied)

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> "LinkLedger":
        """The ledger that `snapshot` gave; the arrays become its own."""
        return cls(arrays["links"], int(settings["last_closed"]))


class Closing:
    """A business day that is being closed: `links`, what was known when it ended, and, once the table is drawn,
    `summed`, what of it later tables need, with room for more: memory for it is found where nobody waits."""

    __slots__ = ("began_with", "day", "links", "summed")

    def __init__(self, day: int, links: _Links) -> None:
        self.day, self.began_with, self.links = day, links, links.all()
        self.summed: _Links | None = None

    def draw(self, names: Names) -> CommunityTable:
        """The table of the day; `names` as in `LinkLedger.close`."""
        return draw_table(self.day, self.week(), names)

    def week(self) -> Int64s:
        """What the table is drawn from, int64 [n, 4], one row a pair."""
        summed = _summed(self.links[self.links[:, LINK_DAY] > self.day - DAYS])
        self.summed = _Links(summed)
        week = summed[summed[:, LINK_DAY] <= self.day].copy()
        week[:, LINK_DAY] = 0
        return _summed(week)


@compiled
def _write_links(cells: Int64s, status: UInt8s, links: Int64s, used: int) -> int:
    """Append the transfers between two accounts to `links` from row `used` on; the row after the last."""
    for row in range(len(cells)):
        sender, receiver = cells[row, CELL_FROM], cells[row, CELL_TO]
        if sender >= 0 and receiver >= 0 and sender != receiver and status[row] != REPEATED:
            links[used, LINK_DAY] = (cells[row, CELL_TIME] + CUT_OFF_NS) // NS_PER_DAY
            links[used, LINK_FROM], links[used, LINK_TO], links[used, LINK_TRANSFERS] = sender, receiver, 1
            used += 1
    return used


def draw_table(day: int, week: Int64s, names: Names) -> CommunityTable:
    """The table of business day `day` from the links of its week (`Closing.week`)."""
    if len(week) == 0:
        return CommunityTable(day, (), np.zeros((0, COMMUNITY_COLUMNS), np.float32))
    codes, places = _distinct(week[:, LINK_FROM : LINK_TO + 1])
    values = describe_accounts(places[:, 0], places[:, 1], week[:, LINK_TRANSFERS], len(codes))
    found = codes.astype(np.int32)
    return CommunityTable(day, tuple(names(found)), values, found)


def _summed(links: Int64s) -> Int64s:
    """One row a day and pair, in their order."""
    if len(links) == 0:
        return links
    # one number a row, for numpy sorts those several times as fast as rows, or as column by column
    accounts = links[:, LINK_FROM : LINK_TO + 1].max() + 1
    keys = ((links[:, LINK_DAY] - links[:, LINK_DAY].min()) * accounts + links[:, LINK_FROM]) * accounts
    keys += links[:, LINK_TO]
    order = np.argsort(keys)
    ordered, keys = links[order], keys[order]
    begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    summed = ordered[begins]
    summed[:, LINK_TRANSFERS] = np.add.reduceat(ordered[:, LINK_TRANSFERS], begins)
    return summed


def _distinct(codes: Int64s) -> tuple[Int64s, Int64s]:
    """The codes (int64 [n, 2]) there are, ascending, and the place of each of those given, int64 [n, 2]. As numpy's
    unique finds them, without sorting: codes are numbered without gaps."""
    there = np.zeros(codes.max() + 1, np.bool_)
    there[codes] = True
    place = np.cumsum(there) - 1
    return np.flatnonzero(there), place[codes]
