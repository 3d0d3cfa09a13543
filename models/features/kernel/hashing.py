"""A 64-bit hash of bytes: FNV-1a (Fowler, Noll, Vo), then the 64-bit finaliser of MurmurHash3 to spread short ids."""

import numpy as np

from streams.kernels.compiled import inlined
from streams.kernels.memory import byte_at

FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
SHIFT = np.uint64(33)


@inlined
def hash_of(text: int, start: int, end: int) -> np.uint64:
    """Hash of the bytes at address `text` from `start` to `end` (not included)."""
    value = FNV_OFFSET
    for place in range(start, end):
        value = (value ^ np.uint64(byte_at(text, place))) * FNV_PRIME
    value = (value ^ (value >> SHIFT)) * MIX_1
    value = (value ^ (value >> SHIFT)) * MIX_2
    return value ^ (value >> SHIFT)
