"""Bytes by their addresses, for kernels. To an array's own index numba adds a look at its sign, which keeps loops from
running eight bytes at a time; and an array that is handed on is counted, atomically.

Nothing is checked: whoever hands over an address sees to it that the array outlives the call and has the bytes.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from harness.decision_wire.compiled import inlined

WORD_BYTES = 8
PADDING = bytes(2 * WORD_BYTES)
"""Behind every text that is read: words are loaded whole, two at a time."""
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
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            number = context.get_value_type(kind)
            place = builder.inttoptr(builder.add(*arguments), number.as_pointer())
            return builder.load(place, align=1)

        return kind(types.int64, types.int64), generate

    return load


@intrinsic  # type: ignore[untyped-decorator]
def address_of(_typing: Any, array: Any) -> Any:
    """Where an array begins."""
    if not isinstance(array, types.Array):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(made.data, context.get_value_type(types.int64))

    return types.int64(array), generate


@intrinsic  # type: ignore[untyped-decorator]
def load_byte(typing: Any, address: Any, at: Any) -> Any:
    """The byte (uint8) so many bytes behind an address."""
    return _loads(types.uint8)(typing, address, at)


@intrinsic  # type: ignore[untyped-decorator]
def word_at(typing: Any, address: Any, at: Any) -> Any:
    """The little-endian word (uint64) that begins there."""
    return _loads(types.uint64)(typing, address, at)


@intrinsic  # type: ignore[untyped-decorator]
def half_word_at(typing: Any, address: Any, at: Any) -> Any:
    """As `word_at`, half of one (uint32)."""
    return _loads(types.uint32)(typing, address, at)


@inlined
def byte_at(address: int, at: int) -> int:
    """The byte so many bytes behind an address."""
    return np.int64(load_byte(address, at))  # type: ignore[return-value]


def _stores(kind: Any) -> Any:
    """A function that stores a number of this type so many bytes behind an address."""

    def store(_typing: Any, address: Any, at: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            number = context.get_value_type(kind)
            place = builder.inttoptr(builder.add(arguments[0], arguments[1]), number.as_pointer())
            builder.store(arguments[2], place, align=1)
            return context.get_dummy_value()

        return types.none(types.int64, types.int64, kind), generate

    return store


@intrinsic  # type: ignore[untyped-decorator]
def put_byte(typing: Any, address: Any, at: Any, value: Any) -> Any:
    """Put a byte so many bytes behind an address."""
    return _stores(types.uint8)(typing, address, at, value)


@intrinsic  # type: ignore[untyped-decorator]
def put_word(typing: Any, address: Any, at: Any, value: Any) -> Any:
    """As `put_byte`, a little-endian word."""
    return _stores(types.uint64)(typing, address, at, value)


@intrinsic  # type: ignore[untyped-decorator]
def copy_bytes(_typing: Any, target: Any, source: Any, count: Any) -> Any:
    """Copy so many bytes from an address to another; they do not overlap."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        byte = context.get_value_type(types.uint8).as_pointer()
        into, from_ = (builder.inttoptr(each, byte) for each in arguments[:2])
        cgutils.raw_memcpy(builder, into, from_, arguments[2], 1, align=1)
        return context.get_dummy_value()

    return types.none(types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def first_set(_typing: Any, word: Any) -> Any:
    """The place of the lowest bit set in a word (uint64) that is not zero."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.uint64(types.uint64), generate


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
def same_start(text: int, at: int, first: np.uint64, second: np.uint64, length: int) -> bool:
    """Whether the text there begins with the first `length` bytes, 1 to 16, of these two words."""
    apart = word_at(text, at) ^ first
    if length <= WORD_BYTES:
        return apart << (np.uint64(WORD_BYTES - length) * _EIGHT) == 0  # type: ignore[no-any-return]
    more = word_at(text, at + WORD_BYTES) ^ second
    return apart == 0 and more << (np.uint64(2 * WORD_BYTES - length) * _EIGHT) == 0  # type: ignore[no-any-return]
