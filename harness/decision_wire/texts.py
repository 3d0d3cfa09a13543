"""Many byte strings as one, and where each of them ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa

from harness.decision_wire.layout import Int64s, UInt8s, read_only
from streams.kernels.compiled import compiled
from streams.kernels.memory import address_of, copy_bytes


@dataclass(frozen=True, slots=True)
class Texts:
    """n byte strings: `content` uint8, `bounds` int64 [n + 1]; string i stands from bounds[i] to bounds[i + 1]."""

    content: UInt8s
    bounds: Int64s

    @classmethod
    def of(cls, values: Sequence[bytes]) -> Self:
        """These strings."""
        return cls(np.frombuffer(b"".join(values), np.uint8), bounds_of(np.array([*map(len, values)], np.int64)))

    @classmethod
    def from_arrow(cls, column: pa.Array) -> Self:
        """Of an Arrow array of large binaries without nulls."""
        _, bounds, content = column.buffers()
        everything = np.frombuffer(bounds or bytes(8), np.int64)
        return cls(np.frombuffer(content or b"", np.uint8), everything[column.offset : column.offset + len(column) + 1])

    @classmethod
    def joined(cls, parts: Sequence["Texts"]) -> "Texts":
        """Several, one after the other."""
        return cls.from_arrow(pa.concat_arrays([part.arrow() for part in parts]))

    def taken(self, order: Int64s) -> "Texts":
        """Those at these places."""
        return self.from_arrow(self.arrow().take(pa.array(order)))

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, index: int) -> bytes:
        return self.content[self.bounds[index] : self.bounds[index + 1]].tobytes()

    def part(self, rows: slice) -> "Texts":
        """Those of a slice that leaves none out."""
        first, last, _ = rows.indices(len(self))
        return Texts(self.content, self.bounds[first : last + 1])

    def arrow(self) -> Any:
        """As an Arrow array of large binaries; nothing is copied."""
        buffers = [None, pa.py_buffer(np.ascontiguousarray(self.bounds)), pa.py_buffer(self.content)]
        return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(self), buffers)


def bounds_of(lengths: Int64s) -> Int64s:
    """Where strings of these lengths begin and end, one behind the other."""
    bounds = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=bounds[1:])
    return bounds


def gathered(text: UInt8s, spans: Int64s) -> Texts:
    """The spans [n, 2] of a text; what has no span (ABSENT twice) is empty."""
    found = Texts(np.empty(int((spans[:, 1] - spans[:, 0]).sum()), np.uint8), bounds_of(spans[:, 1] - spans[:, 0]))
    gather(read_only(text), read_only(spans), found.bounds, found.content)
    return found


@compiled
def gather(text: UInt8s, spans: Int64s, bounds: Int64s, out: UInt8s) -> None:
    """Put spans of a text one behind the other."""
    source, target = address_of(text), address_of(out)
    for row in range(len(spans)):
        copy_bytes(target + bounds[row], source + spans[row, 0], spans[row, 1] - spans[row, 0])
