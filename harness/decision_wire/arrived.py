"""Stamped messages as they come from a spool: one block, and where each message stands in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from harness.decision_wire.layout import Int64s, UInt8s
from harness.decision_wire.texts import bounds_of
from harness.spool import HEAD, MARK, Stamped
from streams.kernels.compiled import compiled
from streams.kernels.json_fields import JSON_PADDING
from streams.kernels.memory import address_of, half_word_at, word_at

HEAD_BYTES = HEAD.size
_LENGTH_AT = 8
COUNT, BEHIND, UNTIL_NS, FOUND = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Arrived:
    """n messages: `text` uint8 with JSON_PADDING at its end, `received_ns`, `starts` and `ends` int64 [n]."""

    text: UInt8s
    received_ns: Int64s
    starts: Int64s
    ends: Int64s

    @classmethod
    def of(cls, stamped: Sequence[Stamped]) -> Self:
        """These messages, each with the instant of its receipt."""
        values = [value for _, value in stamped]
        bounds = bounds_of(np.array([*map(len, values)], np.int64))
        received_ns = np.array([received_ns for received_ns, _ in stamped], np.int64)
        return cls(np.frombuffer(b"".join((*values, JSON_PADDING)), np.uint8), received_ns, bounds[:-1], bounds[1:])

    @classmethod
    def joined(cls, parts: Sequence["Arrived"]) -> "Arrived":
        """Several as one."""
        if len(parts) == 1:
            return parts[0]
        at = bounds_of(np.array([len(part.text) for part in parts], np.int64))[:-1].tolist()
        return cls(
            np.concatenate([np.zeros(0, np.uint8), *(part.text for part in parts)]),
            np.concatenate([np.zeros(0, np.int64), *(part.received_ns for part in parts)]),
            np.concatenate([np.zeros(0, np.int64), *(part.starts + by for part, by in zip(parts, at, strict=True))]),
            np.concatenate([np.zeros(0, np.int64), *(part.ends + by for part, by in zip(parts, at, strict=True))]),
        )

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def size_bytes(self) -> int:
        """What all messages together have."""
        return int((self.ends - self.starts).sum())

    def value(self, index: int) -> bytes:
        """One message."""
        return self.text[self.starts[index] : self.ends[index]].tobytes()

    def stamped(self) -> list[Stamped]:
        """The messages one by one."""
        return [(received_ns, self.value(index)) for index, received_ns in enumerate(self.received_ns.tolist())]


def arrived_in(block: bytes) -> tuple[Arrived, int, int | None]:
    """As `spool.stamped_in`."""
    text = np.frombuffer(block + JSON_PADDING, np.uint8)
    most = len(block) // HEAD_BYTES
    received_ns, starts, ends = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    found = np.zeros(FOUND, np.int64)
    find_messages(text, len(block), received_ns, starts, ends, found)
    count, behind, until_ns = found.tolist()
    # copied: what is held of a block is to be no larger than it
    here = Arrived(text, received_ns[:count].copy(), starts[:count].copy(), ends[:count].copy())
    return here, behind, until_ns if behind else None


@compiled
def find_messages(text: UInt8s, size: int, received_ns: Int64s, starts: Int64s, ends: Int64s, found: Int64s) -> None:
    """Fill in where the messages of a block of `size` bytes stand; `found` says how many there are, where the first
    that is not whole begins, and the last instant read."""
    address = address_of(text)
    count, at = 0, 0
    while at + HEAD_BYTES <= size:
        instant: Any = np.int64(word_at(address, at))
        length: Any = np.int64(half_word_at(address, at + _LENGTH_AT))
        start = at + HEAD_BYTES
        at = start if length == MARK else start + length
        if at > size:
            at = start - HEAD_BYTES
            break
        found[UNTIL_NS] = instant
        if length != MARK:
            received_ns[count], starts[count], ends[count] = instant, start, at
            count += 1
    found[COUNT], found[BEHIND] = count, at
