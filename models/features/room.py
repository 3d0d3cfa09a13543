"""Room for arrays that grow with the stream: address space is set aside at once, memory is taken as it is written to.

A longer array by copying stops the stream: at a million cards for half a second, at ten million for many. So every
array begins as long as it may become; pages that were never written to take no memory. Huge pages are not asked for: a
micro-batch would cost a tenth less, but the system stops now and then to put a huge page together.
"""

import mmap
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", bound=np.number[Any])

ROOM_BYTES = 1 << 34
"""Address space of an array: 69 million cards, 537 million of their events. Beyond it, and where a system gives none
without memory behind it, arrays grow by copying."""
_NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)  # named from Python 3.13 on


def roomy(rows: int, width: int, kind: type[Number]) -> npt.NDArray[Number]:
    """Zeros [n, width], n at least `rows` and as many as the address space set aside holds."""
    row_bytes = width * np.dtype(kind).itemsize
    most = ROOM_BYTES // row_bytes
    if rows <= most:
        try:
            space = mmap.mmap(-1, ROOM_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE)
        except (OSError, ValueError, AttributeError):
            return np.zeros((rows, width), kind)
        return np.frombuffer(space, kind, most * width).reshape(most, width)
    return np.zeros((rows, width), kind)


def longer(array: npt.NDArray[Number], rows: int) -> npt.NDArray[Number]:
    """The array [m, width] with room for at least `rows`, what is behind it zero."""
    grown = roomy(max(rows, 2 * len(array)), array.shape[1], array.dtype.type)
    grown[: len(array)] = array
    return grown
