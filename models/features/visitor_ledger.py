"""Which cards were at a place on which business day: distinct counts, exact, at day granularity."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Int32s, Int64s
from models.features.visitor_window import VisitorWindow

CARD_BITS = 31
"""A pair is one whole number: the place's code above, the card's code in the lower bits."""
ArrayLayout = dict[str, tuple[Any, tuple[int | None, ...]]]


class VisitorLedger:
    """Pairs of place and card of each business day, each pair once a day.

    Bounded: at most one pair of 8 bytes a transaction of the business days held (label delay and 30 more), and 8 bytes
    a place of a day that is summed up; before a day is looked at its pairs may stand in it repeatedly. Windows that are
    asked for are kept beside it (`VisitorWindow`).
    """

    __slots__ = ("_added", "_counts", "_pairs", "_windows")

    def __init__(self, pairs: dict[int, Int64s]) -> None:
        self._pairs = pairs
        self._added: dict[int, list[Int64s]] = {}
        self._windows: dict[str, VisitorWindow] = {}
        self._counts: dict[int, tuple[int, Int64s]] = {}

    @classmethod
    def empty(cls) -> "VisitorLedger":
        """No place, no card, no day."""
        return cls({})

    def add(self, days: Int64s, places: Int32s, cards: Int32s) -> None:
        """Take visits; those without a place (-1) are passed over."""
        known = places >= 0
        days, pairs = days[known], (places[known].astype(np.int64) << CARD_BITS) | cards[known]
        for day in np.unique(days).tolist():
            self._added.setdefault(day, []).append(pairs[days == day])

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
        """Distinct cards a day of each place, summed over those days, int64 [places]."""
        total = np.zeros(places, np.int64)
        for back in range(days):
            counts = self._counts_of(last_day - back)
            total[: len(counts)] += counts
        return total

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
        found = []
        for back in range(days):
            pairs = self._day(last_day - back)
            found.append(pairs[marked_day[pairs & ((1 << CARD_BITS) - 1)] >= last_day - back])
        return _per_place(_union(found), places)

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


def _union(pairs: list[Int64s]) -> Int64s:
    """As `numpy.unique` of all, which hashes: sorting such numbers is several times quicker."""
    every = np.sort(np.concatenate(pairs))
    first = np.ones(len(every), np.bool_)
    np.not_equal(every[1:], every[:-1], out=first[1:])
    return every[first]


def _per_place(pairs: Int64s, places: int) -> Int64s:
    return np.bincount(pairs >> CARD_BITS, minlength=places).astype(np.int64)
