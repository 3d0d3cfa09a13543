"""The feature kernel: one card's history in, one feature row out, event by event in arrival order.

A card's kept events stand in a ring in event-time order (ties in arrival order). For its newest event the card holds
the start of each window and integer sums over it, so an event in order costs the same however long the history is; a
late one is put in its place and its own windows are summed afresh. Every sum is an integer: nothing drifts, and any
split of the stream into batches gives the same bits.

`layout` says where things stand, `ring` keeps a card's events, `windows` its sums, `recent` the codes it met last,
`columns` turns them into floats, `rows` puts them together. `hashing` is for this kernel's neighbours, which read text.
"""

from models.features.kernel.layout import (
    CARD_FIELDS,
    ENTRY_FIELDS,
    LARGEST_CLASS,
    NO_DAY,
    RECENT_FIELDS,
    TIME,
    CardStore,
    PlaceTables,
)
from models.features.kernel.rows import compute_rows

__all__ = [
    "CARD_FIELDS",
    "ENTRY_FIELDS",
    "LARGEST_CLASS",
    "NO_DAY",
    "RECENT_FIELDS",
    "TIME",
    "CardStore",
    "PlaceTables",
    "compute_rows",
]
