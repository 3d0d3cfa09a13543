"""Event ids already taken, by business day, so that a repeated event counts once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import UInt8s, UInt64s
from models.features.by_day import OfDay, by_day
from streams.kernels.compiled import compiled

Flags = npt.NDArray[np.bool_]

FIRST_SLOTS = 1_024
"""A power of two, as every number of slots."""


class KnownEvents:
    """For each business day the hashes of its events, in a table of its own: the day's end frees it whole.

    Bounded by the caller, who forgets days: 16 to 64 bytes an event, repeated ones of the last batch among them,
    and 8 kB a day at least.
    """

    __slots__ = ("_days",)

    def __init__(self) -> None:
        self._days: dict[int, _Hashes] = {}

    def fresh(self, days: Sequence[OfDay], hashes: UInt64s, forgotten: int) -> Flags:
        """Which events are not among the known ones of their business day; those of days after `forgotten` become
        known. `days` are the rows of `hashes` uint64 [n] by day."""
        fresh = np.ones(len(hashes), np.bool_)
        for day, rows, _ in days:
            if day > forgotten:
                held = self._days.get(day)
                if held is None:
                    held = self._days[day] = _Hashes()
                fresh[rows] = held.take(hashes[rows])
        return fresh

    def forget(self, last_day: int) -> None:
        """Drop the events of business days up to and including `last_day`."""
        for day in [day for day in self._days if day <= last_day]:
            del self._days[day]

    def to_arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """The known events as arrays for a snapshot."""
        of_days = [(day, self._days[day].hashes()) for day in sorted(self._days)]
        return {
            f"{name}_day": np.repeat(
                np.array([day for day, _ in of_days], np.int64), [len(hashes) for _, hashes in of_days]
            ),
            f"{name}_hash": np.concatenate([np.zeros(0, np.uint64), *(hashes for _, hashes in of_days)]),
        }

    @classmethod
    def from_arrays(cls, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> "KnownEvents":
        """The known events that `to_arrays` wrote."""
        found = cls()
        found.fresh(by_day(arrays[f"{name}_day"]), arrays[f"{name}_hash"], np.iinfo(np.int64).min)
        return found


class _Hashes:
    """A set of hashes by open addressing; a slot with 0 is free, so that the hash 0 is held apart."""

    __slots__ = ("_count", "_slots", "_zero")

    def __init__(self) -> None:
        self._slots = np.zeros(FIRST_SLOTS, np.uint64)
        self._count = 0
        self._zero = np.zeros(1, np.uint8)

    def take(self, hashes: UInt64s) -> Flags:
        """Which ones were not held; all are held now."""
        if 2 * (self._count + len(hashes)) > len(self._slots):
            self._grow(self._count + len(hashes))
        fresh = np.empty(len(hashes), np.bool_)
        self._count += take_hashes(hashes, self._slots, self._zero, fresh)
        return fresh

    def hashes(self) -> UInt64s:
        """All that are held, ascending."""
        held = np.sort(self._slots[self._slots != 0])
        return np.concatenate([np.zeros(int(self._zero[0]), np.uint64), held])

    def _grow(self, hashes: int) -> None:
        held = self._slots[self._slots != 0]
        self._slots = np.zeros(1 << (4 * hashes - 1).bit_length(), np.uint64)
        take_hashes(held, self._slots, self._zero, np.empty(len(held), np.bool_))


@compiled
def take_hashes(hashes: UInt64s, slots: UInt64s, zero: UInt8s, fresh: Flags) -> int:
    """Put hashes into slots, of which there are more than hashes; `zero` says whether 0 is among them. `fresh` tells
    which ones were not there, what is returned how many of them took a slot."""
    mask, taken = np.uint64(len(slots) - 1), 0
    for row in range(len(hashes)):
        wanted = hashes[row]
        if wanted == 0:
            fresh[row], zero[0] = zero[0] == 0, 1
            continue
        place = wanted & mask
        while slots[place] != 0 and slots[place] != wanted:
            place = (place + np.uint64(1)) & mask
        fresh[row] = slots[place] == 0
        taken += fresh[row]
        slots[place] = wanted
    return taken
