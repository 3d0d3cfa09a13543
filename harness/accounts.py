"""Who has been answered: matches decisions to events and counts every kind of failure exactly."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.disorder import Disorder
from harness.feed import OTHERS, STRAYS, event_hashes

OPEN, DECIDED, LATE = 0, 1, 2
UNKNOWN, DUPLICATE, ELSEWHERE = -1, -2, -3
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Others:
    """Of a stream that several hosts share: the hashes of the events that the others send, in order. `strays`: what
    belongs to nobody is accounted for here."""

    hashes: npt.NDArray[np.uint64]
    strays: bool

    @classmethod
    def open(cls, feed: Path) -> "Others | None":
        """Of a feed folder; None where nobody shares its stream."""
        if not (feed / OTHERS).is_file():
            return None
        return cls(np.load(feed / OTHERS, mmap_mode="r"), bool(np.load(feed / STRAYS)))

    def have(self, wanted: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Which of these the others account for; none of them is ours."""
        if not self.strays:
            return np.ones(len(wanted), dtype=bool)
        if len(self.hashes) == 0:
            return np.zeros(len(wanted), dtype=bool)
        at = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
        return np.asarray(self.hashes[at] == wanted)


@dataclass(frozen=True, slots=True)
class EventIndex:
    """Which ordinal an event id has: the ids' 64-bit hashes in order (mapped, not held in memory), and ordinals."""

    hashes: npt.NDArray[np.uint64]
    ordinals: Int64s
    others: Others | None = None

    @classmethod
    def open(cls, feed: Path) -> "EventIndex":
        """The index of a feed folder."""
        hashes, ordinals = (np.load(feed / f"index_{name}.npy", mmap_mode="r") for name in ("hashes", "ordinals"))
        return cls(hashes, ordinals, Others.open(feed))

    @property
    def strays(self) -> bool:
        """Whether what belongs to nobody is accounted for here."""
        return self.others is None or self.others.strays

    def of(self, event_ids: list[str]) -> Int64s:
        """The ordinal of each event; UNKNOWN for those the stream never had, ELSEWHERE for what others account for."""
        return self.of_hashes(event_hashes(event_ids))

    def of_hashes(self, wanted: npt.NDArray[np.uint64]) -> Int64s:
        """As `of`, by the ids' hashes (`feed.event_hashes`)."""
        found = np.full(len(wanted), UNKNOWN, dtype=np.int64)
        if len(self.hashes):
            at = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
            found = np.where(self.hashes[at] == wanted, self.ordinals[at], UNKNOWN).astype(np.int64)
        if self.others is not None:
            strange = np.flatnonzero(found == UNKNOWN)
            found[strange[self.others.have(wanted[strange])]] = ELSEWHERE
        return found


@dataclass(slots=True)
class Accounts:
    """One byte of state an event, and the index of the ids.

    An event is answered once: later answers are duplicates. An answer after `timeout_ns` is late. Ids that the
    stream never had are unknown (phantoms).
    """

    hashes: npt.NDArray[np.uint64]
    ordinals: Int64s
    intended_ns: Int64s
    timeout_ns: int
    state: npt.NDArray[np.uint8]
    disorder: Disorder
    duplicated: int = 0
    unknown: int = 0
    others: Others | None = None

    @classmethod
    def open(cls, feed: Path, start_ns: int, timeout_ns: int) -> "Accounts":
        """The accounts of a feed folder whose schedule starts at `start_ns`."""
        index = EventIndex.open(feed)
        intended = np.load(feed / "schedule.npy") + start_ns
        disorder = Disorder(np.load(feed / "key_codes.npy"))
        state = np.zeros(len(intended), dtype=np.uint8)
        return cls(index.hashes, index.ordinals, intended, timeout_ns, state, disorder, others=index.others)

    def match(self, event_ids: list[str], received_ns: Int64s) -> Int64s:
        """The ordinal of each answer's event; UNKNOWN or DUPLICATE where there is none to be answered."""
        return self.settle(self.ordinals_of(event_ids), received_ns)

    def settle(self, found: Int64s, received_ns: Int64s) -> Int64s:
        """As `match`, of answers whose events' ordinals were looked up."""
        known = np.flatnonzero(found >= 0)
        first = np.zeros(len(found), dtype=bool)
        first[known[np.unique(found[known], return_index=True)[1]]] = True
        fresh = first & (found >= 0)
        fresh[known] &= self.state[found[known]] == OPEN
        repeated = (found >= 0) & ~fresh
        late = received_ns[fresh] - self.intended_ns[found[fresh]] > self.timeout_ns
        self.state[found[fresh]] = np.where(late, LATE, DECIDED)
        self.disorder.take(found[fresh])
        self.duplicated += int(repeated.sum())
        self.unknown += int((found < 0).sum())
        return np.where(repeated, DUPLICATE, found)

    def ordinals_of(self, event_ids: list[str]) -> Int64s:
        """The ordinal of each event; UNKNOWN for those the stream never had."""
        return self.index.of(event_ids)

    @property
    def index(self) -> EventIndex:
        """The index of the ids."""
        return EventIndex(self.hashes, self.ordinals, self.others)

    @property
    def answered(self) -> int:
        """Events answered, late ones included."""
        return int(np.count_nonzero(self.state))

    @property
    def late(self) -> int:
        """Events answered after the time-out."""
        return int(np.count_nonzero(self.state == LATE))

    def unanswered(self) -> Int64s:
        """Ordinals of the events nobody answered."""
        return np.flatnonzero(self.state == OPEN).astype(np.int64)
