"""The graph state of one scorer: histories, profiles, markets and community tables; what a snapshot saves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models.features.batch import FeatureBlock, Float32s, UInt8s
from models.features.interner import Interner
from models.features.snapshot import Layout, read_snapshot, write_snapshot
from models.graph.batch import TransferBatch
from models.graph.catalog import AML_FEATURES
from models.graph.coding import TransferCoder
from models.graph.community_table import CommunityTable, HeldCommunities
from models.graph.followed import Followed
from models.graph.kernel import compute_rows
from models.graph.kernel.layout import CUT_SHORT, NEWEST, STALE, STEPS, STEPS_MOST, GraphStore, MarketArrays
from models.graph.markets import MARKET_LAYOUT, MarketTable, market_arrays
from models.graph.profiles import code_profiles
from models.graph.store import (
    STORE_LAYOUT,
    empty_store,
    followed_rows,
    fresh_desk,
    store_arrays,
    store_of,
    with_accounts,
    with_more_entries,
)
from streams.account import ACCOUNT_SCHEMA
from streams.kernels.compiled import entry_point
from streams.transfer import Transfer

SNAPSHOT_KIND = "graph state"
EVERY_ROW = np.zeros(0, np.uint8)
"""A mask of wanted transfers that leaves none out."""


class GraphSettings(msgspec.Struct, frozen=True):
    """What a snapshot says beside its arrays."""

    countries: list[str]
    currencies: list[str]


SNAPSHOT_LAYOUT = Layout(
    GraphSettings,
    {
        **STORE_LAYOUT,
        **MARKET_LAYOUT,
        **HeldCommunities.layout(),
        **Interner.layout("account"),
        **Interner.layout("country"),
    },
)


class GraphState:
    """Everything the features of the next transfer depend on. One state serves a whole stream of transfers, in
    event-time order up to a day's lateness; a transfer's features depend on accounts some steps away, so a stream that
    is cut by account loses what crosses the cut. One thread at a time."""

    __slots__ = ("_coder", "_desk", "_entry", "_held", "_marked", "_markets", "_store")

    def __init__(self, accounts: pa.Table, markets: MarketTable) -> None:
        """A state that has seen no transfer; `accounts` (`ACCOUNT_SCHEMA`) may be empty, see `know`."""
        coder = TransferCoder(markets.currencies, Interner(), Interner(markets.countries))
        self._set(coder, markets, empty_store(), HeldCommunities.empty())
        self.know(accounts)

    def _set(self, coder: TransferCoder, markets: MarketTable, store: GraphStore, held: HeldCommunities) -> None:
        self._coder, self._markets, self._store, self._held = coder, markets, store, held
        self._desk, self._marked = fresh_desk(len(store.profiles)), 0
        self._entry: tuple[Any, ...] | None = None
        self._make_room()

    def know(self, accounts: pa.Table) -> None:
        """Take in what is known of accounts, new ones or again; raises `BadInputError` naming column and row."""
        codes, rows = code_profiles(accounts, self._coder, self._markets.arrays.minor_per_usd)
        self._make_room()
        self._store.profiles[codes] = rows

    @property
    def accounts(self) -> int:
        """Accounts met so far, known beforehand or not."""
        return len(self._coder.accounts)

    @property
    def newest_ns(self) -> int:
        """Event time of the newest transfer; far in the past when there was none."""
        return int(self._store.clock[NEWEST])

    @property
    def steps_most(self) -> int:
        """The most steps that one transfer has taken (see `kernel.layout.STEPS_MAX`)."""
        return int(self._store.clock[STEPS_MOST])

    @property
    def steps_last(self) -> int:
        """The steps that the last transfer took."""
        return int(self._desk.notes[STEPS])

    @property
    def cut_short(self) -> int:
        """Searches that stopped at a bound before they had seen everything."""
        return int(self._store.clock[CUT_SHORT])

    @property
    def stale_lookups(self) -> int:
        """Transfers so far whose community features came from another day's table than theirs or from none."""
        return int(self._store.clock[STALE])

    @property
    def entries_used(self) -> int:
        """Transfers that the memory given out so far has room for, each in the histories of both its accounts."""
        return int(self._store.pool[0])

    @property
    def memory_bytes(self) -> int:
        """Bytes of the arrays that hold the accounts and their histories, without room not used yet; ids and community
        tables beside."""
        return sum(array.nbytes for array in store_arrays(self._store, self.accounts).values())

    def code_events(self, events: Sequence[Transfer]) -> TransferBatch:
        """Code a micro-batch of messages, in their order; raises `BadInputError` for a currency without rate."""
        return self._coder.code_events(events)

    def code_table(self, table: pa.Table) -> TransferBatch:
        """Code columns (`TRANSFER_SCHEMA`), in their order; raises `BadInputError` naming column and row."""
        return self._coder.code_table(table)

    def names_of(self, codes: npt.NDArray[np.int32]) -> list[str]:
        """The account ids of these codes; may be asked by another thread."""
        return self._coder.accounts.names(codes)

    def missing_days(self, batch: TransferBatch) -> list[int]:
        """Business days, ascending, of the tables this batch needs and that are not held but may still come."""
        return self._held.missing_days(batch.time_ns)

    @property
    def table_days(self) -> list[int]:
        """Business days of the community tables held, ascending."""
        return self._held.days()

    def install(self, table: CommunityTable) -> None:
        """Take in a community table; it is kept until the transfers are some days past it."""
        self._held.install(table, self._coder.accounts)

    def compute(self, batch: TransferBatch, wanted: UInt8s = EVERY_ROW) -> FeatureBlock:
        """Take the batch into the graph; rows float32 [2n, F], that of transfer i's sender at 2i, of its receiver at
        2i + 1 (all NaN where that side is no account), and status uint8 [n] (see `models.features.batch.Status`).

        Where `wanted` (uint8 [n], `EVERY_ROW` by default) is 0, a transfer only enters the graph: its features stay
        NaN, which is several times cheaper; those of every other transfer and the state afterwards are the same bits,
        but for what is counted of features (`steps_most`, `cut_short`, `stale_lookups`).

        Any split into batches gives the same rows.
        """
        values = np.empty((2 * len(batch), len(AML_FEATURES)), np.float32)
        status = np.zeros(len(batch), np.uint8)
        self.compute_into(batch, values, status, wanted=wanted)
        return FeatureBlock(values, status)

    def compute_into(
        self,
        batch: TransferBatch,
        values: Float32s,
        status: UInt8s,
        first: int = 0,
        end: int | None = None,
        wanted: UInt8s = EVERY_ROW,
    ) -> None:
        """As `compute`, rows [first, end) of the batch only, into arrays of the caller for the whole batch:
        `values` float32 [2n, F] and `status` uint8 [n], both contiguous, as `wanted` is."""
        end = len(batch) if end is None else end
        self._make_room()
        cells, markets, tables, desk = batch.cells, self._markets.arrays, self._held.tables, self._desk
        while True:
            store = self._store
            compute = self._entry_point(first, end, cells, store, markets, tables, desk, wanted, values, status)
            first = compute(first, end, cells, store, markets, tables, desk, wanted, values, status)
            if first == end:
                return
            self._store = with_more_entries(store)

    def _make_room(self) -> None:
        if self.accounts > len(self._store.profiles):
            self._store = with_accounts(self._store, self.accounts)
            self._desk, self._marked = fresh_desk(len(self._store.profiles)), 0
        if self.accounts > self._marked:  # written to once, in a row: or each would meet memory never used, one by one
            self._desk.marks[self._marked : self.accounts] = 0
            self._marked = self.accounts

    def _entry_point(self, *arguments: Any) -> Any:
        """The kernel for such arguments, kept until store, tables or desk is another one: they are known by
        themselves; a batch's arrays are always of one kind (`TransferBatch`, `compute_into`)."""
        key = arguments[3:7]
        known = self._entry
        if known is None or any(one is not other for one, other in zip(known[0], key, strict=True)):
            known = self._entry = (key, entry_point(compute_rows, *arguments))
        return known[1]

    def save(self, path: Path, offsets: Mapping[str, int]) -> None:
        """Write a snapshot together with the input offsets whose events it contains (see `write_snapshot`)."""
        settings, arrays = self.snapshot()
        write_snapshot(path, SNAPSHOT_KIND, settings, offsets, arrays)

    @classmethod
    def load(cls, path: Path) -> "tuple[GraphState, dict[str, int]]":
        """A saved state and the offsets saved with it; raises `SnapshotError` when it is missing, damaged or of another
        version."""
        snapshot = read_snapshot(path, SNAPSHOT_KIND, SNAPSHOT_LAYOUT)
        return cls.restore(snapshot.settings, snapshot.arrays), snapshot.offsets

    def snapshot(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """The whole state as settings (JSON) and arrays by name, those of the state itself: copy what is to last."""
        settings = {
            "countries": list(self._markets.countries),
            "currencies": list(self._markets.currencies),
        }
        arrays = store_arrays(self._store, self.accounts) | market_arrays(self._markets)
        arrays |= self._held.arrays(self.accounts)
        arrays |= self._coder.accounts.to_arrays("account") | self._coder.countries.to_arrays("country")
        return settings, arrays

    def followed(self) -> Followed:
        """Those arrays of `snapshot` that are marked where they are written to, for the one that keeps a copy."""
        return followed_rows(self._store)

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> "GraphState":
        """The state that `snapshot` gave, going on exactly as it would have; the arrays become its own."""
        markets = MarketTable(
            tuple(settings["countries"]),
            tuple(settings["currencies"]),
            MarketArrays(*(arrays[f"market_{name}"] for name in MarketArrays._fields)),
        )
        interners = [
            Interner.from_arrays(arrays[f"{kind}_text"], arrays[f"{kind}_lengths"]) for kind in ("account", "country")
        ]
        state = cls.__new__(cls)
        held = HeldCommunities.from_arrays(arrays)
        state._set(TransferCoder(markets.currencies, *interners), markets, store_of(arrays), held)
        return state


def warm_up(markets: MarketTable) -> None:
    """Compile the kernels, or load them from their cache, so that no transfer has to wait for it."""
    state = GraphState(ACCOUNT_SCHEMA.empty_table(), markets)
    event = Transfer(
        event_id="e", event_time_ns=0, amount_minor=1, currency="USD", channel="wire", from_account="a", to_account="b"
    )
    state.compute(state.code_events([event]))
