"""Distinct visitors of the business days that end with one day, kept up as that day moves on."""

from collections.abc import Callable

import numpy as np

from models.features.batch import Int64s

PairsOf = Callable[[int], Int64s]
"""Pairs of a business day, int64, ascending, each once; a day's only ever grow."""


class VisitorWindow:
    """The pairs (see `visitor_ledger`) of `days` business days, and for each the latest day it was seen on.

    When the window moves on, only the days that are new to it, or have grown, are merged in: closing a day costs what
    that day brought, and one pass over the pairs held, instead of sorting a month. Bounded by the pairs of its days,
    16 bytes each.
    """

    __slots__ = ("_days", "_last_day", "_latest_day", "_merged", "_pairs")

    def __init__(self, days: int) -> None:
        self._days = days
        self._last_day: int | None = None
        self._forget_all()

    def move_to(self, last_day: int, pairs_of: PairsOf) -> None:
        """Let the window end with `last_day`; `pairs_of` gives the pairs of a business day."""
        if self._last_day is None or last_day < self._last_day:
            self._forget_all()
        self._last_day = last_day
        self._forget(last_day - self._days)
        for day in range(last_day - self._days + 1, last_day + 1):
            pairs = pairs_of(day)
            if len(pairs) > self._merged.get(day, 0):
                self._merge(pairs, day)
                self._merged[day] = len(pairs)

    def seen_within(self, days: int) -> Int64s:
        """Pairs seen in the last `days` business days of the window, int64, ascending, each once."""
        if self._last_day is None:
            return self._pairs
        return self._pairs[self._latest_day > self._last_day - days]

    def _forget_all(self) -> None:
        self._pairs: Int64s = np.zeros(0, np.int64)
        self._latest_day: Int64s = np.zeros(0, np.int64)
        self._merged: dict[int, int] = {}

    def _forget(self, last_day: int) -> None:
        self._merged = {day: held for day, held in self._merged.items() if day > last_day}
        kept = self._latest_day > last_day
        self._pairs, self._latest_day = self._pairs[kept], self._latest_day[kept]

    def _merge(self, pairs: Int64s, day: int) -> None:
        at = np.searchsorted(self._pairs, pairs)
        known = np.zeros(len(pairs), np.bool_)
        inside = at < len(self._pairs)
        known[inside] = self._pairs[at[inside]] == pairs[inside]
        self._latest_day[at[known]] = np.maximum(self._latest_day[at[known]], day)
        self._pairs = np.insert(self._pairs, at[~known], pairs[~known])
        self._latest_day = np.insert(self._latest_day, at[~known], day)
