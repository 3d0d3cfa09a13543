"""The memory of the graph: histories by account, transfers in an arena, with room to grow, saved without slack."""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.room import longer, roomy
from models.graph.kernel.arrival import fresh_clock
from models.graph.kernel.layout import (
    CLOCK_FIELDS,
    COUNTRIES_MET,
    DESK_FIELDS,
    ENTRY_FIELDS,
    LARGEST_CLASS,
    MARK_FIELDS,
    PATH_FIELDS,
    PATHS_MAX,
    PROFILE_FIELDS,
    RING_FIELDS,
    SUM_FIELDS,
    Desk,
    GraphStore,
)

FIRST_ACCOUNTS = 1_024
FIRST_ENTRIES = 8_192

STORE_LAYOUT: dict[str, tuple[Any, tuple[int | None, ...]]] = {
    "rings": (np.int64, (None, RING_FIELDS)),
    "arena": (np.int64, (None, ENTRY_FIELDS)),
    "sums": (np.int64, (None, SUM_FIELDS)),
    "pool": (np.int64, (LARGEST_CLASS + 1,)),
    "met": (np.int32, (None, COUNTRIES_MET)),
    "profiles": (np.int64, (None, PROFILE_FIELDS)),
    "clock": (np.int64, (CLOCK_FIELDS,)),
}


def empty_store() -> GraphStore:
    """A store without accounts."""
    pool = np.full(LARGEST_CLASS + 1, -1, np.int64)
    pool[0] = 0
    store = GraphStore(
        rings=roomy(2 * FIRST_ACCOUNTS, RING_FIELDS, np.int64),
        arena=roomy(FIRST_ENTRIES, ENTRY_FIELDS, np.int64),
        sums=roomy(FIRST_ENTRIES, SUM_FIELDS, np.int64),
        pool=pool,
        met=roomy(2 * FIRST_ACCOUNTS, COUNTRIES_MET, np.int32),
        profiles=roomy(FIRST_ACCOUNTS, PROFILE_FIELDS, np.int64),
        clock=fresh_clock(),
    )
    return _of_one_length(store)


def _of_one_length(store: GraphStore) -> GraphStore:
    """What stands side by side ends at the same number."""
    entries = min(len(store.arena), len(store.sums))
    accounts = min(len(store.profiles), len(store.rings) // 2, len(store.met) // 2)
    return store._replace(
        rings=store.rings[: 2 * accounts],
        met=store.met[: 2 * accounts],
        profiles=store.profiles[:accounts],
        arena=store.arena[:entries],
        sums=store.sums[:entries],
    )


def with_room(store: GraphStore) -> GraphStore:
    """A store as it was saved, with room to grow without being copied later."""
    return with_accounts(with_more_entries(store), len(store.profiles) + 1)


def with_accounts(store: GraphStore, accounts: int) -> GraphStore:
    """The store with room for this many accounts."""
    if accounts <= len(store.profiles):
        return store
    grown = store._replace(
        rings=longer(store.rings, 2 * accounts),
        met=longer(store.met, 2 * accounts),
        profiles=longer(store.profiles, accounts),
    )
    return _of_one_length(grown)


def with_more_entries(store: GraphStore) -> GraphStore:
    """The store with at least twice the room for transfers, and room for two blocks of twice any size in use."""
    entries = max(FIRST_ENTRIES, 4 * len(store.arena))
    return _of_one_length(store._replace(arena=longer(store.arena, entries), sums=longer(store.sums, entries)))


def fresh_desk(accounts: int) -> Desk:
    """A desk for a store with room for this many accounts."""
    return Desk(
        notes=np.zeros(DESK_FIELDS, np.int64),
        marks=roomy(accounts, MARK_FIELDS, np.int64),
        paths=np.zeros((PATHS_MAX, PATH_FIELDS), np.int64),
    )


def store_arrays(store: GraphStore, accounts: int) -> dict[str, npt.NDArray[Any]]:
    """The store without its slack, for a snapshot."""
    used = int(store.pool[0])
    return {
        "rings": store.rings[: 2 * accounts],
        "arena": store.arena[:used],
        "sums": store.sums[:used],
        "pool": store.pool,
        "met": store.met[: 2 * accounts],
        "profiles": store.profiles[:accounts],
        "clock": store.clock,
    }
