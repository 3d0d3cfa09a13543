"""Cards taken out of a state, whole and apart from it: what is kept of them, moved, merged and put back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.features.batch import Int32s, Int64s
from models.features.card_store import with_cards, with_more_entries
from models.features.kernel import CARD_FIELDS, ENTRY_FIELDS, RECENT_FIELDS, CardStore
from models.features.kernel.moving import copy_in, copy_out, count_entries

UInt32s = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class CardRows:
    """Histories of n cards: `cards` int64 [n, 31], `recent` int32 and `met` uint32 [n, 48] as the kernel keeps them
    (where a card's block stood means nothing here), its events `entries` int64 [m, 4] card by card, oldest first, and
    `ends` int64 [n], where each card's events end."""

    cards: Int64s
    recent: Int32s
    met: UInt32s
    entries: Int64s
    ends: Int64s

    def __len__(self) -> int:
        return len(self.cards)

    @classmethod
    def none(cls, count: int = 0) -> "CardRows":
        """Rows of `count` cards that have seen nothing."""
        return cls(
            np.zeros((count, CARD_FIELDS), np.int64),
            np.zeros((count, RECENT_FIELDS), np.int32),
            np.zeros((count, RECENT_FIELDS), np.uint32),
            np.zeros((0, ENTRY_FIELDS), np.int64),
            np.zeros(count, np.int64),
        )

    def chosen(self, rows: npt.NDArray[np.intp]) -> "CardRows":
        """These rows, in this order."""
        starts = np.concatenate([np.zeros(1, np.int64), self.ends])[rows]
        lengths = self.ends[rows] - starts
        ends = np.cumsum(lengths)
        places = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)
        return CardRows(
            self.cards.take(rows, 0),
            self.recent.take(rows, 0),
            self.met.take(rows, 0),
            self.entries.take(places, 0),
            ends,
        )


def joined(parts: Sequence[CardRows]) -> CardRows:
    """The rows of all parts, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return CardRows.none()
    before = np.cumsum([0, *(len(part.entries) for part in parts[:-1])])
    return CardRows(
        np.concatenate([part.cards for part in parts]),
        np.concatenate([part.recent for part in parts]),
        np.concatenate([part.met for part in parts]),
        np.concatenate([part.entries for part in parts]),
        np.concatenate([part.ends + shift for part, shift in zip(parts, before, strict=True)]),
    )


def take_cards(store: CardStore, codes: Int32s) -> CardRows:
    """Copies of the cards of these codes."""
    count = len(codes)
    ends = np.empty(count, np.int64)
    rows = CardRows(
        np.empty((count, CARD_FIELDS), np.int64),
        np.empty((count, RECENT_FIELDS), np.int32),
        np.empty((count, RECENT_FIELDS), np.uint32),
        np.empty((count_entries(codes, store, ends), ENTRY_FIELDS), np.int64),
        ends,
    )
    copy_out(codes, store, rows.cards, rows.recent, rows.met, rows.entries)
    return rows


def put_cards(store: CardStore, codes: Int32s, rows: CardRows) -> CardStore:
    """The store with these cards in the place of what it held of them; `codes` are distinct."""
    if len(codes) == 0:
        return store
    store = with_cards(store, int(codes.max()) + 1)
    row = 0
    while True:
        row = copy_in(row, codes, store, rows.cards, rows.recent, rows.met, rows.entries)
        if row == len(codes):
            return store
        store = with_more_entries(store)
        needed = int(store.pool[0]) + (1 << int(rows.cards[row, 1]))
        while needed > len(store.arena):
            store = with_more_entries(store)
