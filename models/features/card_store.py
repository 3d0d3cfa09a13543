"""The memory of the cards' histories: pooled, with room to grow, saved without its slack."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.kernel import CARD_FIELDS, ENTRY_FIELDS, LARGEST_CLASS, RECENT_FIELDS, CardStore
from models.features.room import longer, roomy

FIRST_CARDS = 1_024
FIRST_ENTRIES = 8_192


def empty_store() -> CardStore:
    """A store without cards."""
    pool = np.full(LARGEST_CLASS + 1, -1, np.int64)
    pool[0] = 0
    return CardStore(
        cards=roomy(FIRST_CARDS, CARD_FIELDS, np.int64),
        recent=roomy(FIRST_CARDS, RECENT_FIELDS, np.int32),
        met=roomy(FIRST_CARDS, RECENT_FIELDS, np.uint32),
        arena=roomy(FIRST_ENTRIES, ENTRY_FIELDS, np.int64),
        pool=pool,
    )


def with_room(store: CardStore) -> CardStore:
    """A store as it was saved, with room to grow without being copied later."""
    return with_cards(with_more_entries(store), len(store.cards) + 1)


def with_cards(store: CardStore, cards: int) -> CardStore:
    """The store with room for this many cards."""
    if cards <= min(len(store.cards), len(store.recent), len(store.met)):
        return store
    return store._replace(
        cards=longer(store.cards, cards), recent=longer(store.recent, cards), met=longer(store.met, cards)
    )


def with_more_entries(store: CardStore) -> CardStore:
    """The store with at least twice the room for events, and room for one block of twice any size in use."""
    return store._replace(arena=longer(store.arena, max(FIRST_ENTRIES, 4 * len(store.arena))))


def store_arrays(store: CardStore, cards: int) -> dict[str, npt.NDArray[Any]]:
    """The store without its slack, for a snapshot."""
    return {
        "cards": store.cards[:cards],
        "recent": store.recent[:cards],
        "met": store.met[:cards],
        "arena": store.arena[: int(store.pool[0])],
        "pool": store.pool,
    }
