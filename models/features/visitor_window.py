"""Distinct visitors of the business days that end with one day, kept up as that day moves on."""

from collections.abc import Callable, Sequence

import numpy as np

from models.features.batch import Int64s
from streams.kernels.compiled import compiled

PairsOf = Callable[[int], Int64s]
"""Pairs of a business day, int64, ascending, each once; a day's only ever grow."""


class VisitorWindow:
    """The pairs (see `visitor_ledger`) of `days` business days, and for each the latest day it was seen on.

    When the window moves on, only the days that are new to it, or have grown, are merged in: closing a day costs what
    that day brought, and one pass over the pairs held, instead of sorting a month. Bounded by the pairs of its days,
    16 bytes each, and the room of the day merged last.
    """

    __slots__ = ("_days", "_last_day", "_latest_day", "_merged", "_pairs")

    def __init__(self, days: int) -> None:
        self._days = days
        self._last_day: int | None = None
        self._merged: dict[int, int] = {}
        self._forget_all()

    def move_to(self, last_day: int, pairs_of: PairsOf) -> None:
        """Let the window end with `last_day`; `pairs_of` gives the pairs of a business day."""
        if self._last_day is None or last_day < self._last_day:
            self._forget_all()
        self._last_day = last_day
        forgotten = last_day - self._days
        self._merged = {day: held for day, held in self._merged.items() if day > forgotten}
        days = {day: pairs_of(day) for day in range(forgotten + 1, last_day + 1)}
        grown = {day: pairs for day, pairs in days.items() if len(pairs) > self._merged.get(day, 0)}
        for day, pairs in (grown or {last_day: days[last_day]}).items():
            self._take_in(pairs, day, forgotten)
            self._merged[day] = len(pairs)

    def per_place(self, spans: Sequence[int], card_bits: int, places: int) -> Int64s:
        """Distinct cards of each place in the last so many business days of the window, int64 [spans, places]; a pair's
        place stands above its last `card_bits` bits."""
        last = int(self._pairs[-1] >> card_bits) if len(self._pairs) else -1
        found = np.zeros((len(spans), max(places, last + 1)), np.int64)
        if self._last_day is not None:
            after = self._last_day - np.array(spans, np.int64)
            count_places(self._pairs, self._latest_day, after, card_bits, found)
        return found

    def _forget_all(self) -> None:
        self._pairs: Int64s = np.zeros(0, np.int64)
        self._latest_day: Int64s = np.zeros(0, np.int64)
        self._merged = {}

    def _take_in(self, pairs: Int64s, day: int, forgotten: int) -> None:
        room = len(self._pairs) + len(pairs)
        merged, latest_day = np.empty(room, np.int64), np.empty(room, np.int64)
        count = merge_pairs(self._pairs, self._latest_day, pairs, day, forgotten, merged, latest_day)
        self._pairs, self._latest_day = merged[:count], latest_day[:count]


@compiled
def merge_pairs(
    pairs: Int64s, latest_day: Int64s, added: Int64s, day: int, forgotten: int, merged: Int64s, merged_latest: Int64s
) -> int:
    """Both, ascending, each pair once, with the latest day of each, without those last seen on `forgotten` or before;
    how many that are."""
    at = count = 0
    for number in range(len(added)):
        pair = added[number]
        while at < len(pairs) and pairs[at] < pair:
            merged[count], merged_latest[count] = pairs[at], latest_day[at]  # overwritten unless it counts
            count += latest_day[at] > forgotten
            at += 1
        latest = day
        if at < len(pairs) and pairs[at] == pair:
            latest = max(latest_day[at], day)
            at += 1
        merged[count], merged_latest[count] = pair, latest
        count += 1
    while at < len(pairs):
        merged[count], merged_latest[count] = pairs[at], latest_day[at]
        count += latest_day[at] > forgotten
        at += 1
    return count


@compiled
def count_places(pairs: Int64s, latest_day: Int64s, after: Int64s, card_bits: int, found: Int64s) -> None:
    """Of each place the pairs seen later than each of these days, added to `found` int64 [days, places]."""
    for span in range(len(after)):
        at = 0
        while at < len(pairs):
            place, count = pairs[at] >> card_bits, 0
            while at < len(pairs) and pairs[at] >> card_bits == place:
                count += latest_day[at] > after[span]
                at += 1
            found[span, place] += count
