"""Which cards were at a place on which business day: distinct counts, exact, at day granularity."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Int32s, Int64s
from models.features.kernel.hashing import MIX_1, SHIFT
from models.features.visitor_window import VisitorWindow
from streams.kernels.compiled import compiled

CARD_BITS = 31
"""A pair is one whole number: the place's code above, the card's code in the lower bits."""
CARD = (1 << CARD_BITS) - 1
ArrayLayout = dict[str, tuple[Any, tuple[int | None, ...]]]


class VisitorLedger:
    """Pairs of place and card of each business day, each pair once a day.

    Bounded: at most one pair of 8 bytes a transaction of the business days held (label delay and 30 more), and 8 bytes
    a place of a day that is summed up; before a day is looked at its pairs may stand in it repeatedly. Windows that are
    asked for are kept beside it (`VisitorWindow`).
    """

    __slots__ = ("_added", "_counts", "_pairs", "_sum", "_summed", "_windows")

    def __init__(self, pairs: dict[int, Int64s]) -> None:
        self._pairs = pairs
        self._added: dict[int, list[Int64s]] = {}
        self._windows: dict[str, VisitorWindow] = {}
        self._counts: dict[int, tuple[int, Int64s]] = {}
        self._summed: dict[int, Int64s] = {}
        self._sum: Int64s = np.zeros(0, np.int64)

    @classmethod
    def empty(cls) -> "VisitorLedger":
        """No place, no card, no day."""
        return cls({})

    def add(self, day: int, places: Int32s, cards: Int32s) -> None:
        """Take visits of a business day; those without a place (-1) are passed over."""
        known = places >= 0
        if known.any():
            pairs = (places[known].astype(np.int64) << CARD_BITS) | cards[known]
            self._added.setdefault(day, []).append(pairs)

    def forget(self, last_day: int) -> None:
        """Drop business days up to and including `last_day`."""
        held: dict[int, Any]
        for held in (self._pairs, self._added, self._counts):
            for day in [day for day in held if day <= last_day]:
                del held[day]

    def distinct(self, window: str, last_day: int, days: Sequence[int], places: int) -> dict[int, Int64s]:
        """Distinct cards of each place in so many business days that end with `last_day`, int64 [places] for each of
        `days`.

        `window` names who asks: each name has a window of its own, which is cheap to move on by a day.
        """
        held = self._windows.setdefault(window, VisitorWindow(max(days)))
        held.move_to(last_day, self._day)
        return dict(zip(days, held.per_place(days, CARD_BITS, places), strict=True))

    def daily_total(self, last_day: int, days: int, places: int) -> Int64s:
        """Distinct cards a day of each place, summed over those days, int64 [places]. What differs from the sum asked
        for before is taken away and added."""
        before, total = self._summed, np.zeros(places, np.int64)
        total[: len(self._sum)] = self._sum
        now = {day: self._counts_of(day) for day in range(last_day - days + 1, last_day + 1)}
        for day, counts in before.items():
            if now.get(day) is not counts:
                total[: len(counts)] -= counts
        for day, counts in now.items():
            if before.get(day) is not counts:
                total[: len(counts)] += counts
        self._summed, self._sum = now, total
        return total.copy()

    def _counts_of(self, day: int) -> Int64s:
        """Distinct cards of each place on a business day, as far as its last place."""
        pairs = self._day(day)
        known = self._counts.get(day)
        if known is None or known[0] != len(pairs):
            known = self._counts[day] = len(pairs), _per_place(pairs, 0)
        return known[1]

    def distinct_marked(self, last_day: int, days: int, places: int, marked_day: Int64s) -> Int64s:
        """Distinct cards of each place in `days` business days that end with `last_day`, int64 [places], of cards only
        whose `marked_day` (int64, by card code) is not before their visit."""
        visits = {day: self._day(day) for day in range(last_day - days + 1, last_day + 1)}
        kept, count = np.empty(sum(map(len, visits.values())), np.int64), 0
        for day, pairs in visits.items():
            count = keep_marked(pairs, marked_day, day, kept, count)
        found = np.zeros(places, np.int64)
        count_distinct(kept[:count], np.zeros(1 << (2 * count).bit_length(), np.int64), found)
        return found

    def _day(self, day: int) -> Int64s:
        added = self._added.pop(day, None)
        if added is not None:
            self._pairs[day] = _union([self._pairs.get(day, np.zeros(0, np.int64)), *added])
        return self._pairs.get(day, np.zeros(0, np.int64))

    def to_arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """The ledger as arrays for a snapshot."""
        days = sorted(self._pairs.keys() | self._added.keys())
        pairs = [self._day(day) for day in days]
        return {
            f"{name}_visits_day": np.repeat(np.array(days, np.int64), [len(found) for found in pairs]),
            f"{name}_visits": np.concatenate([np.zeros(0, np.int64), *pairs]),
        }

    @staticmethod
    def layout(name: str) -> ArrayLayout:
        """Type and shape of what `to_arrays` gives."""
        return {f"{name}_visits_day": (np.int64, (None,)), f"{name}_visits": (np.int64, (None,))}

    @classmethod
    def from_arrays(cls, name: str, arrays: dict[str, npt.NDArray[Any]]) -> "VisitorLedger":
        """The ledger that `to_arrays` wrote."""
        days, pairs = arrays[f"{name}_visits_day"], arrays[f"{name}_visits"]
        held, starts = np.unique(days, return_index=True)
        return cls(dict(zip(held.tolist(), np.split(pairs, starts[1:]), strict=True)) if len(held) else {})


@compiled
def keep_marked(pairs: Int64s, marked_day: Int64s, visited: int, kept: Int64s, count: int) -> int:
    """Put into `kept`, of which `count` are taken, the pairs of cards whose marked day is not before the day of the
    visit; how many are taken then."""
    for pair in pairs:
        if marked_day[pair & CARD] >= visited:
            kept[count] = pair
            count += 1
    return count


@compiled
def count_distinct(pairs: Int64s, slots: Int64s, found: Int64s) -> None:
    """Add to each place in `found` its distinct pairs; `slots` are zeros, a power of two and more of them than
    pairs."""
    mask = np.uint64(len(slots) - 1)
    for pair in pairs:
        place = ((np.uint64(pair) * MIX_1) >> SHIFT) & mask
        while slots[place] != 0 and slots[place] != pair + 1:
            place = (place + np.uint64(1)) & mask
        if slots[place] == 0:
            slots[place] = pair + 1
            found[pair >> CARD_BITS] += 1


def _union(pairs: list[Int64s]) -> Int64s:
    """As `numpy.unique` of all, which hashes: sorting such numbers is several times quicker."""
    every = np.sort(np.concatenate(pairs))
    first = np.ones(len(every), np.bool_)
    np.not_equal(every[1:], every[:-1], out=first[1:])
    return every[first]


def _per_place(pairs: Int64s, places: int) -> Int64s:
    return np.bincount(pairs >> CARD_BITS, minlength=places).astype(np.int64)
