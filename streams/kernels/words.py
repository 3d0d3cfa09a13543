"""Eight bytes of a text at once, for kernels; a text is given by its address. Behind it stands PADDING."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from streams.kernels.compiled import inlined
from streams.kernels.memory import WORD_BYTES, put_word, word_at

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES = np.uint64(0x2222222222222222)
_BACKSLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_SPACES = np.uint64(0x2020202020202020)
_THREE = np.uint64(3)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_EIGHT = np.uint64(8)


def packed(texts: Sequence[bytes], least: int = 1) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Texts as words, uint64 [n, W], zeros behind each; and how many bytes each has, int64 [n]. W is as many as the
    longest needs, and `least`."""
    lengths = np.array([len(text) for text in texts], np.int64)
    room = max(least, -(-int(lengths.max()) // WORD_BYTES)) * WORD_BYTES
    joined = b"".join(text.ljust(room, b"\0") for text in texts)
    return np.frombuffer(joined, np.uint64).reshape(len(texts), -1).copy(), lengths


@intrinsic  # type: ignore[untyped-decorator]
def first_set(_typing: Any, word: Any) -> Any:
    """The place of the lowest bit set in a word (uint64) that is not zero."""
    if word != types.uint64:
        return None

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.uint64(word), generate


@inlined
def byte_of(bits: np.uint64) -> int:
    """The byte in which the lowest bit set lies."""
    return np.int64(first_set(bits) >> _THREE)  # type: ignore[return-value]


@inlined
def zero_byte(word: np.uint64) -> np.uint64:
    """Not zero where a byte of the word is zero: the lowest bit set is of the first one (Mycroft 1987; Warren, Hacker's
    Delight, 6-1)."""
    return (word - _ONES) & ~word & _HIGH


@inlined
def ends_plain(word: np.uint64) -> np.uint64:
    """Not zero where plain text ends in the word: the lowest bit set is of the first quote, backslash, control
    character or byte beyond ASCII (the search of `zero_byte`)."""
    quotes, backslashes = word ^ _QUOTES, word ^ _BACKSLASHES
    found = ((quotes - _ONES) & ~quotes) | ((backslashes - _ONES) & ~backslashes) | ((word - _SPACES) & ~word) | word
    return found & _HIGH


@inlined
def first_bytes(word: np.uint64, count: int) -> np.uint64:
    """The first `count` bytes of a word, 1 to 8, the others zero."""
    return word & (_ALL >> (np.uint64(WORD_BYTES - count) * _EIGHT))


@inlined
def same_text(text: int, start: int, end: int, other: int, at: int) -> bool:
    """Whether `text` from `start` to `end` says what `other` says from `at` on."""
    while end - start > WORD_BYTES:
        if word_at(text, start) != word_at(other, at):
            return False
        start += WORD_BYTES
        at += WORD_BYTES
    if end == start:
        return True
    return first_bytes(word_at(text, start) ^ word_at(other, at), end - start) == 0  # type: ignore[no-any-return]


@inlined
def copied(text: int, start: int, end: int, out: int, to: int) -> int:
    """Put what stands in `text` from `start` to `end` into `out` from `to` on, in whole words; the place behind it."""
    for at in range(0, end - start, WORD_BYTES):
        put_word(out, to + at, word_at(text, start + at))
    return to + end - start
