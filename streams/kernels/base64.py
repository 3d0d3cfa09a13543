"""Bytes as base64 (RFC 4648, padded), for kernels, written and read. Written, three bytes are two pairs of digits, each
found in a table."""

import numpy as np

from streams.kernels.compiled import inlined
from streams.kernels.json_fields import NOT_PLAIN, QUOTE
from streams.kernels.memory import byte_at, load_byte, put_byte, put_half

_DIGITS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
_PAIRS = _DIGITS[np.arange(4096) >> 6].astype(np.uint64) | _DIGITS[np.arange(4096) & 63].astype(np.uint64) << 8
"""Of twelve bits the two digits, the first of them in the lower byte."""
_PAIR_MASK = 4095
_HALF_WAY = np.uint64(16)
_FILLS = np.array([0, 0x3D3D0000, 0x3D000000], np.uint64)
"""'=' in the place of the digits of bytes that are not there, by how many there are."""
_KEPT = np.array([0, 0x0000FFFF, 0x00FFFFFF], np.uint64)
_EQUALS = 61
_NO_SEXTET = 64
_SEXTETS = np.full(256, _NO_SEXTET, np.uint32)
_SEXTETS[_DIGITS] = np.arange(64)
"""What a digit stands for."""


@inlined
def _four(first: int, second: int, third: int) -> np.uint64:
    bits = first << 16 | second << 8 | third
    return _PAIRS[bits >> 12] | _PAIRS[bits & _PAIR_MASK] << _HALF_WAY  # type: ignore[no-any-return]


@inlined
def put_base64(text: int, start: int, end: int, out: int, to: int) -> int:
    """Put the bytes from `start` to `end` into `out` from `to` on as base64; the place behind it."""
    left = (end - start) % 3
    for at in range(start, end - left, 3):
        put_half(out, to, _four(byte_at(text, at), byte_at(text, at + 1), byte_at(text, at + 2)))
        to += 4
    if left:
        second = byte_at(text, end - 1) if left == 2 else 0
        put_half(out, to, _four(byte_at(text, end - left), second, 0) & _KEPT[left] | _FILLS[left])
        to += 4
    return to


def base64_bytes(count: int) -> int:
    """How long the base64 of so many bytes is."""
    return 4 * ((count + 2) // 3)


@inlined
def decode_base64(text: int, at: int, out: int, used: int) -> tuple[int, int]:
    """Decode a JSON string of base64 without bits to spare into `out` from `used` on: the place behind the string, or
    NOT_PLAIN, and where in `out` its bytes end."""
    if byte_at(text, at) != QUOTE:
        return NOT_PLAIN, used
    at += 1
    while True:
        first, second = _SEXTETS[load_byte(text, at)], _SEXTETS[load_byte(text, at + 1)]
        third, fourth = _SEXTETS[load_byte(text, at + 2)], _SEXTETS[load_byte(text, at + 3)]
        if (first | second | third | fourth) >= _NO_SEXTET:
            break
        bits = first << np.uint32(18) | second << np.uint32(12) | third << np.uint32(6) | fourth
        put_byte(out, used, bits >> np.uint32(16))
        put_byte(out, used + 1, bits >> np.uint32(8))
        put_byte(out, used + 2, bits)
        used, at = used + 3, at + 4
    if byte_at(text, at) == QUOTE:
        return at + 1, used
    if byte_at(text, at + 3) != _EQUALS or byte_at(text, at + 4) != QUOTE:
        return NOT_PLAIN, used
    first, second, third = _SEXTETS[load_byte(text, at)], _SEXTETS[load_byte(text, at + 1)], np.uint32(0)
    two = byte_at(text, at + 2) != _EQUALS
    if two:
        third = _SEXTETS[load_byte(text, at + 2)]
    spare = third & np.uint32(3) if two else second & np.uint32(15)
    if (first | second | third) >= _NO_SEXTET or spare != 0:
        return NOT_PLAIN, used
    put_byte(out, used, first << np.uint32(2) | second >> np.uint32(4))
    if two:
        put_byte(out, used + 1, second << np.uint32(4) | third >> np.uint32(2))
    return at + 5, used + (2 if two else 1)
