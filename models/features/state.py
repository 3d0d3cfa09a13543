"""The feature state of one scorer: card histories, codes and day tables; what a snapshot saves and restores."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from models.features.batch import FeatureBlock, Float32s, Int32s, TransactionBatch, UInt8s, Vocabulary
from models.features.card_rows import CardRows, put_cards, take_cards
from models.features.card_store import empty_store, store_arrays, with_cards, with_more_entries, with_room
from models.features.catalog import FEATURES
from models.features.coding import ID_KINDS, EventCoder
from models.features.day_table import DayTable
from models.features.held_tables import HeldTables
from models.features.interner import Interner
from models.features.kernel import (
    CARD_FIELDS,
    ENTRY_FIELDS,
    LARGEST_CLASS,
    NO_DAY,
    RECENT_FIELDS,
    TIME,
    CardStore,
    compute_rows,
)
from models.features.snapshot import Layout, read_snapshot, write_snapshot
from models.features.wire.reader import Plain
from streams.kernels.compiled import entry_point
from streams.transaction import CardTransaction

Kernel = Callable[..., int]
_dtype_of = attrgetter("dtype")


class _Compute(NamedTuple):
    """The feature kernel's entry point, and for what it holds."""

    kernel: Kernel
    store: CardStore
    tables: Any
    types: tuple[np.dtype[Any], ...]


SNAPSHOT_KIND = "feature state"


class _Words(msgspec.Struct, frozen=True):
    category: list[str]
    channel: list[str]


class _Settings(msgspec.Struct, frozen=True):
    vocabulary: _Words
    newest_needed: int
    stale_lookups: int


SNAPSHOT_LAYOUT = Layout(
    _Settings,
    {
        "cards": (np.int64, (None, CARD_FIELDS)),
        "recent": (np.int32, (None, RECENT_FIELDS)),
        "met": (np.uint32, (None, RECENT_FIELDS)),
        "arena": (np.int64, (None, ENTRY_FIELDS)),
        "pool": (np.int64, (LARGEST_CLASS + 1,)),
        **HeldTables.layout(),
        **{name: form for kind in ID_KINDS for name, form in Interner.layout(kind).items()},
    },
)


class FeatureState:
    """Everything the features of the next event depend on. One state serves one stream of whole cards: events of a
    card must all reach the same state, other cards do not matter. One thread at a time."""

    __slots__ = ("_coder", "_compute", "_held", "_store")

    def __init__(self, coder: EventCoder, store: CardStore, held: HeldTables) -> None:
        self._coder = coder
        self._store = store
        self._held = held
        self._compute: _Compute | None = None

    @classmethod
    def empty(cls, vocabulary: Vocabulary) -> "FeatureState":
        """A state that has seen nothing."""
        return cls(EventCoder(vocabulary), empty_store(), HeldTables.empty())

    @property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary of the category and channel codes."""
        return self._coder.vocabulary

    @property
    def cards(self) -> int:
        """Number of cards seen."""
        return len(self._coder.interners["card"])

    @property
    def memory_bytes(self) -> int:
        """Bytes of the arrays that hold the cards' histories, without room not used yet; ids and day tables beside."""
        return sum(array.nbytes for array in store_arrays(self._store, self.cards).values())

    @property
    def table_days(self) -> list[int]:
        """Business days of the day tables held, ascending."""
        return self._held.days()

    @property
    def newest_day(self) -> int | None:
        """Calendar day (UTC, since the Unix epoch) of the newest event taken in; None when there was none."""
        needed = self._held.newest_needed
        return None if needed == NO_DAY else needed + 1

    @property
    def stale_lookups(self) -> int:
        """Events so far whose features of places came from another day's table than theirs or from none."""
        return int(self._held.stale_lookups[0])

    def code_events(self, events: Sequence[CardTransaction]) -> TransactionBatch:
        """Code a micro-batch of messages, in their order."""
        return self._coder.code_events(events)

    def make_ready(self) -> None:
        """Make what reads messages, so that the first need not wait for it."""
        self._coder.make_ready()

    def read(self, values: Sequence[bytes]) -> Plain | None:
        """See `WireReader.read`."""
        return self._coder.reader.read(values)

    def batch(self, plain: Plain) -> TransactionBatch:
        """Code what was read."""
        return self._coder.reader.batch(plain)

    def code_table(self, table: pa.Table) -> TransactionBatch:
        """Code columns (`TRANSACTION_SCHEMA`), in their order; raises `BadInputError` naming column and row."""
        return self._coder.code_table(table)

    def missing_days(self, batch: TransactionBatch) -> list[int]:
        """Business days, ascending, of the tables this batch needs and that are not held but may still come."""
        return self._held.missing_days(batch.time_ns)

    def install(self, table: DayTable) -> None:
        """Take in a day table; it is kept until the events are some days past it."""
        reader = self._coder.reader
        codes = {kind: reader.codes_of(kind, rows.names) for kind, rows in table.places.items()}
        self._held.install(table, codes, self._coder.interners)

    def compute(self, batch: TransactionBatch) -> FeatureBlock:
        """Take the batch into the state and return its feature rows; any split into batches gives the same rows."""
        values = np.empty((len(batch), len(FEATURES)), np.float32)
        status = np.zeros(len(batch), np.uint8)
        self._advance(batch, values, status, self._entry_point)
        return FeatureBlock(values, status)

    def compute_into(self, batch: TransactionBatch, values: Float32s, status: UInt8s) -> None:
        """As `compute`, into arrays of the caller: `values` float32 [n, F] and `status` uint8 [n], both contiguous."""
        self._advance(batch, values, status, lambda *_: compute_rows)

    def _advance(
        self, batch: TransactionBatch, values: Float32s, status: UInt8s, kernel: Callable[..., Kernel]
    ) -> None:
        self._store = with_cards(self._store, self.cards)
        self._held.need(batch.time_ns)
        columns, stale_lookups = batch.columns(), self._held.stale_lookups
        row = 0
        while True:
            store, tables = self._store, self._held.tables
            compute = kernel(columns, store, tables, values, status, stale_lookups)
            row = compute(row, columns, store, tables, values, status, stale_lookups)
            if row == len(batch):
                return
            self._store = with_more_entries(store)

    def _entry_point(self, columns: Sequence[Any], store: CardStore, tables: Any, *rest: Any) -> Kernel:
        """The kernel for such arguments, kept until one of them is another: store and tables by themselves, columns by
        their types, the rest by who made it."""
        known, types = self._compute, tuple(map(_dtype_of, columns))
        if known is None or known.store is not store or known.tables is not tables or known.types != types:
            kernel = entry_point(compute_rows, 0, columns, store, tables, *rest)
            known = self._compute = _Compute(kernel, store, tables, types)
        return known.kernel

    def take_cards(self, codes: Int32s) -> CardRows:
        """Copies of these cards' histories; the codes in `recent` are this state's (see `names_of`)."""
        return take_cards(self._store, codes)

    def put_cards(self, codes: Int32s, rows: CardRows) -> None:
        """Put histories in the place of what the state holds of these cards (distinct codes of this state)."""
        self._store = put_cards(with_cards(self._store, self.cards), codes, rows)
        self._held.need(rows.entries[:, TIME])

    def codes_of(self, kind: str, names: Sequence[str]) -> Int32s:
        """This state's codes of ids of a kind (`ID_KINDS`); new ones get one."""
        return self._coder.interners[kind].encode(names)

    def names_of(self, kind: str, codes: Int32s) -> list[str]:
        """The ids of these codes; may be asked by another thread."""
        return self._coder.interners[kind].names(codes)

    def save(self, path: Path, offsets: Mapping[str, int]) -> None:
        """Write a snapshot together with the input offsets whose events it contains (see `write_snapshot`)."""
        interners = self._coder.interners
        arrays = store_arrays(self._store, self.cards)
        arrays |= self._held.arrays(interners)
        for kind, interner in interners.items():
            arrays |= interner.to_arrays(kind)
        vocabulary = {"category": list(self.vocabulary.category), "channel": list(self.vocabulary.channel)}
        settings = {
            "vocabulary": vocabulary,
            "newest_needed": self._held.newest_needed,
            "stale_lookups": self.stale_lookups,
        }
        write_snapshot(path, SNAPSHOT_KIND, settings, offsets, arrays)

    @classmethod
    def load(cls, path: Path) -> "tuple[FeatureState, dict[str, int]]":
        """A saved state and the offsets saved with it; raises `SnapshotError` when it is missing, damaged or of another
        version."""
        snapshot = read_snapshot(path, SNAPSHOT_KIND, SNAPSHOT_LAYOUT)
        arrays = snapshot.arrays
        words = snapshot.settings["vocabulary"]
        vocabulary = Vocabulary(tuple(words["category"]), tuple(words["channel"]))
        interners = {kind: Interner.from_arrays(arrays[f"{kind}_text"], arrays[f"{kind}_lengths"]) for kind in ID_KINDS}
        store = with_room(CardStore(*(arrays[name] for name in CardStore._fields)))
        held = HeldTables.from_arrays(arrays, snapshot.settings["newest_needed"], snapshot.settings["stale_lookups"])
        return cls(EventCoder(vocabulary, interners), store, held), snapshot.offsets


def warm_up() -> None:
    """Compile the kernels, or load them from their cache, so that no event has to wait for it."""
    state = FeatureState.empty(Vocabulary((), ()))
    event = CardTransaction(event_id="e", event_time_ns=0, card_id="c", amount_minor=1, currency="EUR")
    state.compute(state.code_events([event]))
