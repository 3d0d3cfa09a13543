"""What a load process sends, mapped from a feed folder and read in portions: a longer run needs no more memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.pages import Pages

Int64s = npt.NDArray[np.int64]
PORTION = 512
"""Events read at once: a tenth of a millisecond of work, so that nothing due meanwhile is late."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Events in their order: ordinals, intended instants (ns from the start), keys and messages."""

    ordinals: list[int]
    offsets_ns: list[int]
    keys: list[bytes]
    messages: list[bytes]


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed folder, mapped."""

    messages: Pages
    keys: list[bytes]
    key_codes: "np.ndarray[Any, np.dtype[np.int32]]"
    side: Pages
    side_before: list[int]
    side_topic: list[int]
    fed: Pages
    fed_after: Int64s
    fed_source: Int64s
    schedule_ns: Int64s

    @classmethod
    def open(cls, folder: Path) -> "Feed":
        """Map the messages and the schedule."""
        keys = Pages(folder / "keys")
        return cls(
            messages=Pages(folder / "messages"),
            keys=keys.take(np.arange(len(keys))),
            key_codes=np.load(folder / "key_codes.npy", mmap_mode="r").view(np.ndarray),
            side=Pages(folder / "side"),
            side_before=np.load(folder / "side_before.npy").tolist(),
            side_topic=np.load(folder / "side_topic.npy").tolist(),
            fed=Pages(folder / "fed"),
            fed_after=np.load(folder / "fed_after.npy"),
            fed_source=np.load(folder / "fed_source.npy"),
            schedule_ns=np.load(folder / "schedule.npy", mmap_mode="r").view(np.ndarray),
        )

    def fed_by(self, share: int = 0, shares: int = 1) -> list[int]:
        """Which of the messages that faults put in one of several senders has to send: it has the events whose keys
        they bear."""
        return np.flatnonzero(self.key_codes[self.fed_source] % shares == share).tolist()

    def key_of(self, ordinal: int) -> bytes:
        """An event's key."""
        return self.keys[int(self.key_codes[ordinal])]

    def portions(self, share: int = 0, shares: int = 1) -> Iterator[Portion]:
        """The events of one of several senders, in order. A card's events all have the same sender, so that they reach
        the broker in their order."""
        for first in range(0, len(self.messages), PORTION):
            codes = self.key_codes[first : first + PORTION]
            chosen = np.flatnonzero(codes % shares == share)
            ordinals = chosen + first
            if len(ordinals):
                yield Portion(
                    ordinals=ordinals.tolist(),
                    offsets_ns=self.schedule_ns[ordinals].tolist(),
                    keys=[self.keys[code] for code in codes[chosen].tolist()],
                    messages=self.messages.take(ordinals),
                )
