"""The memory of the graph: histories by account, transfers in an arena, growing by doubling, saved without slack."""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from models.graph.kernel.arrival import fresh_clock
from models.graph.kernel.layout import (
    CLOCK_FIELDS,
    DESK_FIELDS,
    ENTRY_FIELDS,
    LARGEST_CLASS,
    MARK_FIELDS,
    PATH_FIELDS,
    PATHS_MAX,
    PROFILE_FIELDS,
    RING_FIELDS,
    SIZE_CLASS,
    SUM_FIELDS,
    Desk,
    GraphStore,
)

Integer = TypeVar("Integer", bound=np.integer[Any])

FIRST_ACCOUNTS = 1_024
FIRST_ENTRIES = 1 << 18
"""Room that costs nothing before it is used: the system hands out pages as they are written to."""

STORE_LAYOUT: dict[str, tuple[Any, tuple[int | None, ...]]] = {
    "rings": (np.int64, (None, RING_FIELDS)),
    "arena": (np.int64, (None, ENTRY_FIELDS)),
    "sums": (np.int64, (None, SUM_FIELDS)),
    "pool": (np.int64, (LARGEST_CLASS + 1,)),
    "profiles": (np.int64, (None, PROFILE_FIELDS)),
    "clock": (np.int64, (CLOCK_FIELDS,)),
}


def empty_store() -> GraphStore:
    """A store without accounts."""
    pool = np.full(LARGEST_CLASS + 1, -1, np.int64)
    pool[0] = 0
    return GraphStore(
        rings=np.zeros((0, RING_FIELDS), np.int64),
        arena=np.zeros((FIRST_ENTRIES, ENTRY_FIELDS), np.int64),
        sums=np.zeros((FIRST_ENTRIES, SUM_FIELDS), np.int64),
        pool=pool,
        profiles=np.zeros((0, PROFILE_FIELDS), np.int64),
        clock=fresh_clock(),
    )


def with_accounts(store: GraphStore, accounts: int) -> GraphStore:
    """The store with room for this many accounts."""
    if accounts <= len(store.profiles):
        return store
    capacity = max(FIRST_ACCOUNTS, accounts, 2 * len(store.profiles))
    return store._replace(rings=_longer(store.rings, 2 * capacity), profiles=_longer(store.profiles, capacity))


def with_more_entries(store: GraphStore) -> GraphStore:
    """The store with at least twice the room for transfers, and room for two blocks of any size in use."""
    largest_block = 4 << int(store.rings[:, SIZE_CLASS].max(initial=1))
    length = max(FIRST_ENTRIES, 2 * len(store.arena)) + largest_block
    return store._replace(arena=_longer(store.arena, length), sums=_longer(store.sums, length))


def fresh_desk(accounts: int) -> Desk:
    """A desk for a store with room for this many accounts."""
    return Desk(
        notes=np.zeros(DESK_FIELDS, np.int64),
        marks=np.zeros((accounts, MARK_FIELDS), np.int64),
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
        "profiles": store.profiles[:accounts],
        "clock": store.clock,
    }


def _longer(array: npt.NDArray[Integer], length: int) -> npt.NDArray[Integer]:
    grown = np.zeros((length, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
