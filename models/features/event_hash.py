"""A 64-bit hash of event ids, the same on every machine, for columns of any length."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pyarrow as pa

from models.features.batch import Int64s, UInt8s, UInt64s
from models.features.compiled import compiled

# FNV-1a (Fowler, Noll, Vo) over the UTF-8 bytes, then the 64-bit finaliser of MurmurHash3 to spread short ids.
FNV_OFFSET = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
SHIFT = np.uint64(33)


@compiled
def _hash_rows(text: UInt8s, offsets: Int64s, hashes: UInt64s) -> None:
    for row in range(len(hashes)):
        value = FNV_OFFSET
        for place in range(offsets[row], offsets[row + 1]):
            value = (value ^ np.uint64(text[place])) * FNV_PRIME
        value = (value ^ (value >> SHIFT)) * MIX_1
        value = (value ^ (value >> SHIFT)) * MIX_2
        hashes[row] = value ^ (value >> SHIFT)


def hash_ids(ids: pa.Array | pa.ChunkedArray) -> UInt64s:
    """Hash string ids (no nulls): uint64 [n]."""
    chunks = ids.chunks if isinstance(ids, pa.ChunkedArray) else [ids]
    parts = [_hash_chunk(chunk) for chunk in chunks]
    return np.concatenate(parts) if parts else np.zeros(0, np.uint64)


def hash_texts(ids: Sequence[bytes]) -> UInt64s:
    """As `hash_ids`, of ids in UTF-8: for a few messages, making a column of them takes longer than the hashes."""
    hashes = np.empty(len(ids), np.uint64)
    ends = list(accumulate(map(len, ids), initial=0))
    _hash_rows(np.frombuffer(bytearray(b"".join(ids)), np.uint8), np.array(ends, np.int64), hashes)
    return hashes


def _hash_chunk(chunk: pa.Array) -> UInt64s:
    chunk = chunk.cast(pa.string())
    _, offset_buffer, text_buffer = chunk.buffers()
    hashes = np.zeros(len(chunk), np.uint64)
    if len(chunk) == 0:
        return hashes
    offsets = np.frombuffer(offset_buffer, np.int32, len(chunk) + 1, 4 * chunk.offset).astype(np.int64)
    first, last = int(offsets[0]), int(offsets[-1])
    # A copy, because the kernel is compiled for writable arrays and Arrow's buffers may be either.
    text = np.frombuffer(text_buffer, np.uint8, last - first, first).copy() if last > first else np.zeros(0, np.uint8)
    _hash_rows(text, offsets - first, hashes)
    return hashes
