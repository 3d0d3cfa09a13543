"""What one file of a checkpoint holds: histories of cards of one partition, in numbers of the partition's own.

The codes of a state mean nothing to another process. So each partition numbers its cards, merchants, devices and
countries by itself, in the order in which they first came into its checkpoint, and a file brings the names new in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.batch import Int32s
from models.features.card_rows import CardRows, joined
from models.features.interner import strings_of, text_arrays
from models.features.kernel import CARD_FIELDS, ENTRY_FIELDS, RECENT_FIELDS
from models.features.kernel.layout import (
    COUNTRIES,
    COUNTRIES_AT,
    DEVICES,
    DEVICES_AT,
    DEVICES_KEPT,
    MERCHANTS,
    MERCHANTS_AT,
    MERCHANTS_KEPT,
)

CARD = "card"
RECENT_KINDS = {
    "merchant": (MERCHANTS, MERCHANTS_AT, MERCHANTS_AT + MERCHANTS_KEPT),
    "device": (DEVICES, DEVICES_AT, DEVICES_AT + DEVICES_KEPT),
    "country": (COUNTRIES, COUNTRIES_AT, RECENT_FIELDS),
}
"""Where a card's recent codes of each kind are counted, begin and end."""
KINDS = (CARD, *RECENT_KINDS)

ARRAYS: dict[str, tuple[Any, tuple[int | None, ...]]] = {
    "numbers": (np.int32, (None,)),
    "cards": (np.int64, (None, CARD_FIELDS)),
    "recent": (np.int32, (None, RECENT_FIELDS)),
    "met": (np.uint32, (None, RECENT_FIELDS)),
    "entries": (np.int64, (None, ENTRY_FIELDS)),
    "ends": (np.int64, (None,)),
    **{f"{kind}_text": (np.uint8, (None,)) for kind in KINDS},
    **{f"{kind}_lengths": (np.int32, (None,)) for kind in KINDS},
}


class InconsistentError(Exception):
    """Parts that do not follow on each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Histories of the cards of these `numbers` (int32 [n]); `recent` in numbers too, -1 where there is none. `names`
    are the new ones of each kind, which begin at the numbers `first`."""

    numbers: Int32s
    rows: CardRows
    first: Mapping[str, int]
    names: Mapping[str, Sequence[str]]

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """As arrays for a snapshot; `first` goes apart."""
        found: dict[str, npt.NDArray[Any]] = {"numbers": self.numbers}
        found |= {name: getattr(self.rows, name) for name in ("cards", "recent", "met", "entries", "ends")}
        for kind in KINDS:
            found |= text_arrays(kind, self.names[kind])
        return found

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]], first: Mapping[str, int]) -> "Changes":
        """What `arrays` gave."""
        rows = CardRows(*(arrays[name] for name in ("cards", "recent", "met", "entries", "ends")))
        names = {kind: strings_of(arrays[f"{kind}_text"], arrays[f"{kind}_lengths"]) for kind in KINDS}
        return cls(arrays["numbers"], rows, first, names)


def merged(parts: Sequence[Changes]) -> Changes:
    """The newest history of each card in these parts, which follow on each other from the first on.

    Raises `InconsistentError` when they do not.
    """
    names: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for place, part in enumerate(parts):
        for kind in KINDS:
            if part.first[kind] != len(names[kind]):
                raise InconsistentError(
                    f"part {place} begins at {kind} {part.first[kind]}, the parts before end at {len(names[kind])}"
                )
            names[kind] += part.names[kind]
    kept = _newest([part.numbers for part in parts], len(names[CARD]))
    numbers = np.concatenate([np.zeros(0, np.int32), *(part.numbers[at] for part, at in zip(parts, kept, strict=True))])
    rows = joined([part.rows.chosen(at) for part, at in zip(parts, kept, strict=True)])
    order = np.argsort(numbers)
    return Changes(numbers[order], rows.chosen(order), dict.fromkeys(KINDS, 0), names)


def _newest(numbers: Sequence[Int32s], cards: int) -> list[npt.NDArray[np.intp]]:
    """Of each part the rows of cards that no later row tells of: what is older is never copied."""
    ends = np.cumsum([0, *map(len, numbers)])
    newest = np.full(cards, -1, np.int64)
    for start, part in zip(ends[:-1], numbers, strict=True):
        newest[part] = np.arange(start, start + len(part))  # of a card that comes several times, the last place stays
    return [
        np.flatnonzero(newest[part] == np.arange(start, start + len(part)))
        for start, part in zip(ends[:-1], numbers, strict=True)
    ]


def renumbered(rows: CardRows, number: Mapping[str, "Numbers"]) -> CardRows:
    """The rows with each kind's recent codes put through `number`; -1 where there is none."""
    recent = np.full_like(rows.recent, -1)
    for kind, (count, start, end) in RECENT_KINDS.items():
        used = np.arange(end - start) < rows.cards[:, count][:, None]
        part = recent[:, start:end]
        part[used] = number[kind].of(rows.recent[:, start:end][used])
    return CardRows(rows.cards, recent, rows.met, rows.entries, rows.ends)


class Numbers:
    """From one numbering to another: a table that grows."""

    def __init__(self, table: Int32s | None = None) -> None:
        self._table = np.zeros(0, np.int32) if table is None else table
        self.count = 0
        """How many numbers have been given."""

    @classmethod
    def given(cls, codes: Int32s) -> "Numbers":
        """The numbering in which these codes have the numbers 0, 1, 2, …"""
        numbers = cls()
        numbers.give(codes)
        return numbers

    def of(self, codes: Int32s) -> Int32s:
        """The numbers of these codes; each must have one."""
        return self._table[codes]

    def new_among(self, codes: Int32s) -> Int32s:
        """The distinct codes among these that have no number yet."""
        distinct = np.unique(codes)
        self._make_room(int(distinct[-1]) + 1 if len(distinct) else 0)
        return distinct[self._table[distinct] < 0]

    def give(self, codes: Int32s) -> None:
        """Give these distinct codes, which have none, the next numbers."""
        self._make_room(int(codes.max()) + 1 if len(codes) else 0)
        self._table[codes] = np.arange(self.count, self.count + len(codes), dtype=np.int32)
        self.count += len(codes)

    def take_back(self, count: int) -> None:
        """Take back all numbers from `count` on."""
        self._table[self._table >= count] = -1
        self.count = count

    def _make_room(self, codes: int) -> None:
        if codes > len(self._table):
            grown = np.full(max(codes, 2 * len(self._table), 1_024), -1, np.int32)
            grown[: len(self._table)] = self._table
            self._table = grown
