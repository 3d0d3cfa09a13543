"""Memory that is freed goes back to the system.

By itself glibc keeps it: a block of some size that is freed once makes it take all blocks of that size from its heaps
from then on (mallopt(3), M_MMAP_THRESHOLD), where one message that is still held keeps megabytes from being given back,
and every thread has a heap of its own to do so in. A worker then seems to grow for minutes.
"""

import ctypes
import sys

MAPPED_BYTES = 1 << 18
"""Blocks from this size on are mapped by themselves, and unmapped when they are freed: answers of the broker with
hundreds of messages, day tables, checkpoints. A micro-batch's features are smaller."""
SPARE_BYTES = 1 << 23
"""What may stay free at the end of a heap, so that it does not shrink and grow by turns."""
HEAPS = 2
"""Heaps that the threads share."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Names of glibc's settings (malloc.h)."""


def give_back_memory() -> bool:
    """Have this process give back what it frees; before it starts its threads. False where there is no glibc: nothing
    is changed then."""
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((_MMAP_THRESHOLD, MAPPED_BYTES), (_TRIM_THRESHOLD, SPARE_BYTES), (_ARENA_MAX, HEAPS))
    granted = [mallopt(name, value) == 1 for name, value in settings]
    return all(granted)
