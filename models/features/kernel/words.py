"""Eight bytes of a text at once, for kernels: little-endian words from any place, as x86-64 and AArch64 load them."""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from models.features.compiled import inlined

WORD_BYTES = 8
PADDING = bytes(WORD_BYTES)
"""Behind every text: words are loaded whole."""
_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES = np.uint64(0x2222222222222222)
_BACKSLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_SPACES = np.uint64(0x2020202020202020)
_THREE = np.uint64(3)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_EIGHT = np.uint64(8)


def _loads(kind: Any) -> Any:
    """A function that loads a number of this type from an address and so many bytes behind it."""

    def load(_typing: Any, address: Any, at: Any) -> Any:
        if not isinstance(address, types.Integer) or not isinstance(at, types.Integer):
            return None

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            number = context.get_value_type(kind)
            place = builder.inttoptr(builder.add(*arguments), number.as_pointer())
            return builder.load(place, align=1)

        return kind(types.int64, types.int64), generate

    return load


@intrinsic  # type: ignore[untyped-decorator]
def address_of(_typing: Any, array: Any) -> Any:
    """Where an array begins. A kernel that is handed arrays counts references to them, atomically, at each call that
    the compiler cannot see through; an address is a number. The array must outlive its use."""
    if not isinstance(array, types.Array):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(made.data, context.get_value_type(types.int64))

    return types.int64(array), generate


@intrinsic  # type: ignore[untyped-decorator]
def byte_at(typing: Any, address: Any, at: Any) -> Any:
    """The byte (uint8) so many bytes behind an address; nothing is checked."""
    return _loads(types.uint8)(typing, address, at)


@intrinsic  # type: ignore[untyped-decorator]
def word_at(typing: Any, address: Any, at: Any) -> Any:
    """As `byte_at`, the word (uint64) that begins there."""
    return _loads(types.uint64)(typing, address, at)


@intrinsic  # type: ignore[untyped-decorator]
def number_at(typing: Any, address: Any, at: Any) -> Any:
    """As `word_at`, as an int64."""
    return _loads(types.int64)(typing, address, at)


@intrinsic  # type: ignore[untyped-decorator]
def first_set(_typing: Any, word: Any) -> Any:
    """The place of the lowest bit set in a word (uint64) that is not zero."""
    if word != types.uint64:
        return None

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.uint64(word), generate


@inlined
def ends_plain(word: np.uint64) -> np.uint64:
    """Not zero where plain text ends in the word: the lowest bit set is of the first quote, backslash, control
    character or byte beyond ASCII (the search for a zero byte: Mycroft 1987; Warren, Hacker's Delight, 6-1)."""
    quotes, backslashes = word ^ _QUOTES, word ^ _BACKSLASHES
    found = ((quotes - _ONES) & ~quotes) | ((backslashes - _ONES) & ~backslashes) | ((word - _SPACES) & ~word) | word
    return found & _HIGH


@inlined
def byte_of(bits: np.uint64) -> int:
    """The byte in which the lowest bit set lies."""
    return np.int64(first_set(bits) >> _THREE)  # type: ignore[return-value]


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
