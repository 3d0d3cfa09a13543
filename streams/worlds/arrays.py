"""The column types of worlds in the making, ids spelt out without Python strings, and numbers drawn by hash."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def unit_hash(key: Ints, salt: int) -> Floats:
    """Hash integers to [0, 1): the finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    z = key.astype(np.uint64) + np.uint64(salt)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    result: Floats = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return result


def numbered(prefix: str, numbers: Ints, digits: int) -> Any:
    """Spell numbers out behind a prefix, padded with zeros: a pyarrow string array, built without Python strings."""
    head = np.frombuffer(prefix.encode(), np.uint8)
    width = len(head) + digits
    letters = np.empty((len(numbers), width), np.uint8)
    letters[:, : len(head)] = head
    rest = numbers.astype(np.int64)
    for position in range(width - 1, len(head) - 1, -1):
        rest, digit = np.divmod(rest, 10)
        letters[:, position] = digit + ord("0")
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * width
    return pa.Array.from_buffers(
        pa.string(), len(numbers), [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(letters.tobytes())]
    )
