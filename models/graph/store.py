"""The memory of the graph: histories by account, transfers in an arena, with room to grow, saved without slack."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.room import longer, roomy
from models.graph.followed import Followed, marks_for
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
        copied=np.zeros(0, np.uint8),
    )
    return _with_marks(_of_one_length(store))


def _with_marks(store: GraphStore) -> GraphStore:
    """The store with marks for all its rows: nothing of it is copied."""
    return store._replace(copied=marks_for(len(store.arena)))


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


def store_of(arrays: Mapping[str, npt.NDArray[Any]]) -> GraphStore:
    """The store that `store_arrays` gave, with room to grow without being copied later."""
    store = GraphStore(**{name: arrays[name] for name in STORE_LAYOUT}, copied=np.zeros(0, np.uint8))
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
    grown = store._replace(arena=longer(store.arena, entries), sums=longer(store.sums, entries))
    return _with_marks(_of_one_length(grown))


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


def followed_rows(store: GraphStore) -> Followed:
    """The histories' rows, of which few are written between two copies."""
    used = int(store.pool[0])
    return Followed({"arena": store.arena[:used], "sums": store.sums[:used]}, store.copied)
