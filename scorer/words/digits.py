"""Bytes as base64 (RFC 4648), for kernels: three of them are two pairs of digits, each found in a table."""

import numpy as np

from models.features.batch import UInt8s
from models.features.compiled import compiled, inlined
from models.features.kernel.words import address_of, byte_at
from scorer.words.stores import put_half

_DIGITS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
_PAIRS = _DIGITS[np.arange(4096) >> 6].astype(np.uint64) | _DIGITS[np.arange(4096) & 63].astype(np.uint64) << 8
"""Of twelve bits the two digits, the first of them in the lower byte."""
_PAIR_MASK = 4095
_HALF_WAY = np.uint64(16)
_FILLS = np.array([0, 0x3D3D0000, 0x3D000000], np.uint64)
"""'=' in the place of the digits of bytes that are not there, by how many there are."""
_KEPT = np.array([0, 0x0000FFFF, 0x00FFFFFF], np.uint64)


@inlined
def _four(first: np.int64, second: np.int64, third: np.int64) -> np.uint64:
    bits = first << 16 | second << 8 | third
    return _PAIRS[bits >> 12] | _PAIRS[bits & _PAIR_MASK] << _HALF_WAY  # type: ignore[no-any-return]


@inlined
def put_base64(text: int, start: int, end: int, out: int, to: int) -> int:
    """Put the bytes from `start` to `end` into `out` from `to` on as base64; the place behind it."""
    left = (end - start) % 3
    for at in range(start, end - left, 3):
        first, second, third = np.int64(byte_at(text, at)), np.int64(byte_at(text, at + 1)), byte_at(text, at + 2)
        put_half(out, to, _four(first, second, np.int64(third)))
        to += 4
    if left:
        first = np.int64(byte_at(text, end - left))
        second = np.int64(byte_at(text, end - 1)) if left == 2 else np.int64(0)
        put_half(out, to, _four(first, second, np.int64(0)) & _KEPT[left] | _FILLS[left])
        to += 4
    return to


@compiled
def base64(text: UInt8s, out: UInt8s) -> int:
    """`put_base64` of all of a text by itself; `out` has room for it. How long it is."""
    return put_base64(address_of(text), 0, len(text), address_of(out), 0)


def base64_bytes(count: int) -> int:
    """How long the base64 of so many bytes is."""
    return 4 * ((count + 2) // 3)
