"""The memory of the cards' histories: pooled, growing by doubling, saved without its slack."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from models.features.kernel import CARD_FIELDS, ENTRY_FIELDS, LARGEST_CLASS, RECENT_FIELDS, CardStore

Integer = TypeVar("Integer", np.int32, np.uint32, np.int64)

FIRST_CARDS = 1_024
FIRST_ENTRIES = 8_192


def empty_store() -> CardStore:
    """A store without cards."""
    pool = np.full(LARGEST_CLASS + 1, -1, np.int64)
    pool[0] = 0
    return CardStore(
        cards=np.zeros((0, CARD_FIELDS), np.int64),
        recent=np.zeros((0, RECENT_FIELDS), np.int32),
        met=np.zeros((0, RECENT_FIELDS), np.uint32),
        arena=np.zeros((0, ENTRY_FIELDS), np.int64),
        pool=pool,
    )


def with_cards(store: CardStore, cards: int) -> CardStore:
    """The store with room for this many cards."""
    if cards <= len(store.cards):
        return store
    capacity = max(FIRST_CARDS, cards, 2 * len(store.cards))
    return store._replace(
        cards=_longer(store.cards, capacity),
        recent=_longer(store.recent, capacity),
        met=_longer(store.met, capacity),
    )


def with_more_entries(store: CardStore) -> CardStore:
    """The store with at least twice the room for events, and room for one block of any size in use."""
    largest_block = 2 << int(store.cards[:, 1].max(initial=1))
    return store._replace(arena=_longer(store.arena, max(FIRST_ENTRIES, 2 * len(store.arena)) + largest_block))


def store_arrays(store: CardStore, cards: int) -> dict[str, npt.NDArray[Any]]:
    """The store without its slack, for a snapshot."""
    return {
        "cards": store.cards[:cards],
        "recent": store.recent[:cards],
        "met": store.met[:cards],
        "arena": store.arena[: int(store.pool[0])],
        "pool": store.pool,
    }


def _longer(array: npt.NDArray[Integer], length: int) -> npt.NDArray[Integer]:
    grown = np.zeros((length, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
