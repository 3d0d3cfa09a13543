"""A 64-bit hash of event ids, the same on every machine, for columns of any length."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import pyarrow as pa

from models.features.batch import Int64s, UInt8s, UInt64s
from models.features.kernel.hashing import hash_of
from streams.kernels.compiled import compiled
from streams.kernels.memory import address_of


@compiled
def _hash_rows(text: UInt8s, offsets: Int64s, hashes: UInt64s) -> None:
    address = address_of(text)
    for row in range(len(hashes)):
        hashes[row] = hash_of(address, offsets[row], offsets[row + 1])


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
