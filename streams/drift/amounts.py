"""Amounts multiplied, and kept within what an event may carry."""

from typing import Any

import numpy as np
import pyarrow as pa

from streams.drift.columns import ints
from streams.drift.material import Rows
from streams.topics import Domain
from streams.worlds.arrays import Floats

AMOUNT_MINOR_MAX = 100_000_000_000
"""Of an event on the wire (`streams.transaction.AmountMinor`)."""
MONEY: dict[Domain, tuple[str, ...]] = {"fraud": ("amount_minor",), "aml": ("amount_minor", "received_minor")}
"""Columns of money: all of an event's change together."""


def multiplied(rows: Rows, domain: Domain, factors: Floats) -> Rows:
    """Amounts times these factors (float64 [n]), rounded; a sum above zero does not become zero."""
    return rows.with_columns(**{name: _times(rows.events[name], factors) for name in MONEY[domain]})


def _times(column: Any, factors: Floats) -> Any:
    amounts = ints(column)
    found = np.rint(amounts * factors).clip(np.minimum(amounts, 1), AMOUNT_MINOR_MAX).astype(np.int64)
    unchanged = factors == 1.0
    missing = np.asarray(column.is_null().to_numpy(), np.bool_)
    return pa.array(np.where(unchanged, amounts, found), mask=missing if missing.any() else None)
