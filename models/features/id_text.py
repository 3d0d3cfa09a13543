"""Ids as bytes: what a day table says of places, without a string for each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.features.batch import Int32s, Int64s, UInt8s
from streams.kernels.compiled import compiled
from streams.kernels.memory import PADDING

EVERY = slice(None)


@dataclass(frozen=True, slots=True, eq=False)
class IdText:
    """Ids in UTF-8, one behind the other: `text` ends with a word of zeros, as kernels load whole words; `ends` int64
    [n] says where each id ends."""

    text: bytes
    ends: Int64s

    @classmethod
    def of(cls, ids: Sequence[str]) -> "IdText":
        """These ids."""
        encoded = [each.encode() for each in ids]
        return cls(b"".join([*encoded, PADDING]), np.cumsum([len(each) for each in encoded], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def size(self) -> int:
        """Bytes of the ids."""
        return int(self.ends[-1]) if len(self.ends) else 0

    @property
    def lengths(self) -> Int64s:
        """Bytes of each id, int64 [n]."""
        return np.diff(self.ends, prepend=0)

    def part(self, first: int, last: int) -> "IdText":
        """The ids from `first` to `last` (not included)."""
        start = int(self.ends[first - 1]) if first else 0
        end = int(self.ends[last - 1]) if last else 0
        return IdText(self.text[start:end] + PADDING, self.ends[first:last] - start)

    def spans(self, rows: Int64s | slice) -> Int32s:
        """Where the ids of these rows stand, int32 [n, 2]: begin and end."""
        return np.stack((self.ends - self.lengths, self.ends), axis=1)[rows].astype(np.int32)

    def strings(self, rows: Int64s | slice = EVERY) -> list[str]:
        """The ids of these rows. Raises `UnicodeDecodeError` when one is not UTF-8."""
        return [self.text[start:end].decode() for start, end in self.spans(rows).tolist()]


def joined(parts: Sequence[IdText]) -> IdText:
    """The ids of all parts."""
    if len(parts) == 1:
        return parts[0]
    text = b"".join([*(part.text[: part.size] for part in parts), PADDING])
    return IdText(text, np.cumsum(np.concatenate([np.zeros(0, np.int64), *(part.lengths for part in parts)])))


def chosen_ids(text: UInt8s, lengths: Int32s, codes: Int64s) -> IdText:
    """The ids of these codes, among all ids as an interner writes them."""
    starts = np.cumsum(lengths, dtype=np.int64) - lengths
    ends = np.cumsum(lengths[codes], dtype=np.int64)
    found = np.zeros((int(ends[-1]) if len(ends) else 0) + len(PADDING), np.uint8)
    copy_ids(text, starts, codes, ends, found)
    return IdText(found.tobytes(), ends)


@compiled
def copy_ids(text: UInt8s, starts: Int64s, codes: Int64s, ends: Int64s, found: UInt8s) -> None:
    """Copy the ids of these codes, which begin at `starts`, one behind the other, each up to its place in `ends`."""
    at = row = 0
    while row < len(codes):
        start = starts[codes[row]]
        while row + 1 < len(codes) and codes[row + 1] == codes[row] + 1:
            row += 1  # neighbours are copied at once
        size = ends[row] - at
        found[at : at + size] = text[start : start + size]
        at += size
        row += 1
