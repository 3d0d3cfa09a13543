"""Room for arrays that grow with the stream: address space is set aside at once, memory is taken as it is written to.

A longer array by copying stops the stream: at a million cards for half a second, at ten million for many. So every
array begins as long as it may become; pages that were never written to take no memory. Huge pages are asked for what is
written at once, as a state that is loaded: fewer tables lie between a number and its place. Not for what is added
later: the system would stop the stream now and then to put a huge page together.
"""

import contextlib
import mmap
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", bound=np.number[Any])

ROOM_BYTES = 1 << 34
"""Address space of an array: 69 million cards, 537 million of their events. Beyond it, and where a system gives none
without memory behind it, arrays grow by copying."""
HUGE_BYTES = 1 << 21
"""A huge page of x86-64, and of AArch64 with pages of 4 KiB."""
_NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000)  # named from Python 3.13 on


def roomy(rows: int, width: int, kind: type[Number], filled: int = 0) -> npt.NDArray[Number]:
    """Zeros [n, width], n at least `rows` and as many as the address space set aside holds. The first `filled` of them
    are about to be written to."""
    row_bytes = width * np.dtype(kind).itemsize
    most = ROOM_BYTES // row_bytes
    if rows <= most:
        try:
            space = mmap.mmap(-1, ROOM_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE)
        except (OSError, ValueError, AttributeError):
            return np.zeros((rows, width), kind)
        _ask_for_huge_pages(space, filled * row_bytes)
        return np.frombuffer(space, kind, most * width).reshape(most, width)
    return np.zeros((rows, width), kind)


def _ask_for_huge_pages(space: mmap.mmap, size_bytes: int) -> None:
    """For whole ones only: what comes behind is added page by page. A system without them goes on without."""
    whole = size_bytes - size_bytes % HUGE_BYTES
    if whole and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):
            space.madvise(mmap.MADV_HUGEPAGE, 0, whole)


def longer(array: npt.NDArray[Number], rows: int) -> npt.NDArray[Number]:
    """The array [m, width] with room for at least `rows`, what is behind it zero."""
    grown = roomy(max(rows, 2 * len(array)), array.shape[1], array.dtype.type, len(array))
    grown[: len(array)] = array
    return grown
