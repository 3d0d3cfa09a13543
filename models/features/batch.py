"""What goes into the feature kernel and what comes out: coded transactions, feature rows, their status."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
UInt8s = npt.NDArray[np.uint8]

MISSING_CODE = -1
"""Code of an id that is null."""
UNKNOWN_CATEGORY = -1.0
"""Code of a category or channel that the vocabulary does not hold (null is NaN)."""
MISSING_E6 = -(2**31)
"""Coordinate of an event without a position."""


class Status(IntEnum):
    """How a transaction arrived, seen from its own card.

    ON_TIME: not before the card's newest event. LATE: up to one day before it; its features are exact. TOO_LATE: more
    than that; scored on what the card's history still holds. REPEATED: seen already (same card, time and event id);
    it changes nothing, its row is all NaN, and it must not be decided a second time.
    """

    ON_TIME = 0
    LATE = 1
    TOO_LATE = 2
    REPEATED = 3


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The categories and channels that a model was trained on, in the order of their codes."""

    category: tuple[str, ...]
    channel: tuple[str, ...]


class Columns(NamedTuple):
    """A batch as the kernel takes it: contiguous arrays of one length."""

    event_hash: Int64s
    time_ns: Int64s
    amount_minor: Int64s
    card: Int32s
    merchant: Int32s
    terminal: Int32s
    device: Int32s
    country: Int32s
    category: Float32s
    channel: Float32s
    latitude_e6: Int32s
    longitude_e6: Int32s
    is_refund: UInt8s


@dataclass(frozen=True, slots=True)
class TransactionBatch:
    """Coded transactions in arrival order, arrays of one length n.

    `card`, `merchant`, `terminal`, `device` and `country` are codes of the `FeatureState` that made the batch (-1
    null) and mean nothing to another one. `category` and `channel` are positions in the vocabulary (-1 unknown, NaN
    null). Positions are micro-degrees, `MISSING_E6` where there is none. `is_refund` is 1 where
    money is paid back, else 0.
    """

    event_hash: UInt64s
    time_ns: Int64s
    amount_minor: Int64s
    card: Int32s
    merchant: Int32s
    terminal: Int32s
    device: Int32s
    country: Int32s
    category: Float32s
    channel: Float32s
    latitude_e6: Int32s
    longitude_e6: Int32s
    is_refund: UInt8s

    def __len__(self) -> int:
        return len(self.time_ns)

    def take(self, rows: slice | npt.NDArray[Any]) -> "TransactionBatch":
        """The batch of these rows: a slice (shares memory), a mask or an index array."""
        return TransactionBatch(*(getattr(self, field.name)[rows] for field in fields(self)))

    def columns(self) -> Columns:
        """The kernel's view of the batch; no copy when the arrays are contiguous."""
        contiguous: Sequence[Any] = _columns_of(self)
        if len(self) > 1:  # a single row is
            contiguous = [column if column.flags.c_contiguous else column.copy() for column in contiguous]
        # as Columns(…) does, without taking thirteen arguments apart
        return tuple.__new__(Columns, (contiguous[0].view(np.int64), *contiguous[1:]))


_columns_of = attrgetter(*(field.name for field in fields(TransactionBatch)))


@dataclass(frozen=True, slots=True)
class FeatureBlock:
    """Feature rows of a batch: `values` float32 [n, F] in the catalogue's order, `status` uint8 [n] (see `Status`)."""

    values: Float32s
    status: UInt8s
