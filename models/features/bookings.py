"""Transactions that came and are not counted yet: a day's are counted at once, instead of with every micro-batch."""

from collections.abc import Iterator, Sequence

import numpy as np

from models.features.batch import Int32s
from models.features.by_day import OfDay

Codes = tuple[Int32s, ...]
"""Columns of codes of one length."""
ROWS_MAX = 65_536


class Bookings:
    """Columns of codes by business day, as they came. Bounded: `is_full` says that it is time to take them."""

    __slots__ = ("_days", "_rows")

    def __init__(self) -> None:
        self._days: dict[int, list[Codes]] = {}
        self._rows = 0

    def is_full(self) -> bool:
        """Whether there are more than `ROWS_MAX` rows."""
        return self._rows > ROWS_MAX

    def add(self, days: Sequence[OfDay], codes: Codes) -> None:
        """Take rows, by their business days. The columns are kept: they must not change any more."""
        for day, rows, count in days:
            if count == 0:  # all repeated: a stream of nothing else would never make it full
                continue
            self._rows += count
            self._days.setdefault(day, []).append(tuple(column[rows] for column in codes))

    def take(self) -> Iterator[tuple[int, Codes]]:
        """Each day and its rows; then there are none."""
        days, self._days, self._rows = self._days, {}, 0
        for day, parts in days.items():
            yield day, parts[0] if len(parts) == 1 else tuple(map(np.concatenate, zip(*parts, strict=True)))
