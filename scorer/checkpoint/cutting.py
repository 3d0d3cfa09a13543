"""Which cards have changed, and copies of them as they stood at one instant, made without holding up the stream.

A cut names the cards that changed since the last one; they are copied a few at a time between micro-batches. A card
that an event is about to change while it waits to be copied is copied first. So the copies are of one instant, and
nobody waits for more than a few cards, however many there are.
"""

from dataclasses import dataclass

import numpy as np

from models.features.batch import Int32s, UInt8s
from models.features.card_rows import CardRows
from models.features.state import FeatureState
from streams.kernels.compiled import compiled

CLEAN, CHANGED, WAITING = 0, 1, 2
NOBODY = -1
FIRST_CARDS = 1_024


@compiled
def _touch(cards: Int32s, partitions: Int32s, marks: UInt8s, owners: Int32s, changed: Int32s, count: int) -> int:
    for row in range(len(cards)):
        card = cards[row]
        owners[card] = partitions[row]
        if marks[card] == CLEAN:
            marks[card] = CHANGED
            changed[count] = card
            count += 1
    return count


@compiled
def _still_waiting(cards: Int32s, first: int, most: int, marks: UInt8s, found: Int32s) -> tuple[int, int]:
    """The cards that wait to be copied, from place `first` on and at most `most`, to `found`; no longer waiting then.

    Returns the place to go on from and how many were found.
    """
    count = 0
    at = first
    while at < len(cards) and count < most:
        if marks[cards[at]] == WAITING:
            marks[cards[at]] = CLEAN
            found[count] = cards[at]
            count += 1
        at += 1
    return at, count


@dataclass(frozen=True, slots=True, eq=False)
class Copied:
    """Cards (codes of the state), the partition of each, and their histories at the cut."""

    codes: Int32s
    partitions: Int32s
    rows: CardRows


class Cutting:
    """Follows one state. Used by the thread that decides."""

    def __init__(self, state: FeatureState) -> None:
        self._state = state
        self._marks = np.zeros(FIRST_CARDS, np.uint8)
        self._owners = np.full(FIRST_CARDS, NOBODY, np.int32)
        self._changed = np.empty(FIRST_CARDS, np.int32)
        self._count = 0
        self._waiting = np.zeros(0, np.int32)
        self._at = 0
        self._copied: list[Copied] = []

    def before(self, cards: Int32s) -> None:
        """These cards (codes) are about to change: copy those that still wait to be copied."""
        if self._at < len(self._waiting):
            self._make_room()
            found = np.empty(len(cards), np.int32)
            _, count = _still_waiting(cards, 0, len(cards), self._marks, found)
            self._copy(found[:count])

    def touched(self, cards: Int32s, partitions: Int32s) -> None:
        """These cards have changed, each by an event of the partition beside it."""
        self._make_room()
        if self._count + len(cards) > len(self._changed):
            self._changed = np.concatenate([self._changed, np.empty(max(len(self._changed), len(cards)), np.int32)])
        self._count = _touch(cards, partitions, self._marks, self._owners, self._changed, self._count)

    def begin(self) -> None:
        """From now on the cards that changed up to now wait to be copied. The cut before must have been taken."""
        self._waiting = self._changed[: self._count].copy()
        self._marks[self._waiting] = WAITING
        self._at = self._count = 0

    def copy(self, most: int) -> bool:
        """Copy at most `most` cards; whether none waits any more."""
        if self._at < len(self._waiting):
            found = np.empty(most, np.int32)
            self._at, count = _still_waiting(self._waiting, self._at, most, self._marks, found)
            self._copy(found[:count])
        return self._at >= len(self._waiting)

    def take(self) -> list[Copied]:
        """What the cut, now complete, copied."""
        taken, self._copied = self._copied, []
        self._waiting = np.zeros(0, np.int32)
        self._at = 0
        return taken

    def put_back(self, copied: list[Copied]) -> None:
        """These copies came to nothing: their cards, where they are still ours, belong to the next cut."""
        for part in copied:
            ours = self._owners[part.codes] == part.partitions
            self.touched(part.codes[ours], part.partitions[ours])

    def cards_of(self, partition: int) -> Int32s:
        """The cards that events of a partition have changed in this state, or that were restored for it."""
        return np.flatnonzero(self._owners == partition).astype(np.int32)

    def own(self, cards: Int32s, partition: int) -> None:
        """These cards are a partition's, and unchanged."""
        self._make_room()
        self._owners[cards] = partition

    def forget(self, cards: Int32s) -> None:
        """These cards are nobody's, and unchanged. No cut may be under way."""
        self._marks[cards] = CLEAN
        self._owners[cards] = NOBODY
        changed = self._changed[: self._count]
        kept = changed[self._marks[changed] == CHANGED]
        self._count = len(kept)
        self._changed[: self._count] = kept

    def _copy(self, codes: Int32s) -> None:
        if len(codes):
            self._copied.append(Copied(codes, self._owners[codes], self._state.take_cards(codes)))

    def _make_room(self) -> None:
        if self._state.cards > len(self._marks):
            more = max(self._state.cards, 2 * len(self._marks)) - len(self._marks)
            self._marks = np.concatenate([self._marks, np.zeros(more, np.uint8)])
            self._owners = np.concatenate([self._owners, np.full(more, NOBODY, np.int32)])
