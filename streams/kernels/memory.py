"""Bytes by their addresses, for kernels: little-endian, from any place, as x86-64 and AArch64 load and store them.

To an array's own index numba adds a look at its sign, which keeps loops from running eight bytes at a time; and an
array that is handed on is counted, atomically, at each call that the compiler cannot see through. An address is a
number. Nothing is checked: whoever hands over an address sees to it that the array outlives the call and has the bytes.
"""

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WORD_BYTES = 8
PADDING = bytes(WORD_BYTES)
"""Behind every text that is read: words are loaded whole."""


def _are_whole(*given: Any) -> bool:
    return all(isinstance(each, types.Integer) for each in given)


def _loads(kind: Any, found: Any) -> Any:
    """A function that loads a number of this type from an address and so many bytes behind it, as one of type
    `found`, no narrower and without sign to extend."""

    def load(_typing: Any, address: Any, at: Any) -> Any:
        if not _are_whole(address, at):
            return None

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            place = builder.inttoptr(builder.add(*arguments), context.get_value_type(kind).as_pointer())
            return builder.zext(builder.load(place, align=1), context.get_value_type(found))

        return found(types.int64, types.int64), generate

    return load


def _stores(kind: Any) -> Any:
    """A function that stores the lowest bytes of a whole number, as one of this type, so many bytes behind an
    address."""

    def store(_typing: Any, address: Any, at: Any, value: Any) -> Any:
        if not _are_whole(address, at, value):
            return None

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            place = builder.inttoptr(builder.add(*arguments[:2]), context.get_value_type(kind).as_pointer())
            builder.store(arguments[2], place, align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, kind), generate

    return store


@intrinsic  # type: ignore[untyped-decorator]
def address_of(_typing: Any, array: Any) -> Any:
    """Where an array begins (int64)."""
    if not isinstance(array, types.Array):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.ptrtoint(made.data, context.get_value_type(types.int64))

    return types.int64(array), generate


@intrinsic  # type: ignore[untyped-decorator]
def byte_at(typing: Any, address: Any, at: Any) -> Any:
    """The byte so many bytes behind an address, as a number to reckon with (int64)."""
    return _loads(types.uint8, types.int64)(typing, address, at)


@intrinsic  # type: ignore[untyped-decorator]
def load_byte(typing: Any, address: Any, at: Any) -> Any:
    """As `byte_at`, as it is (uint8): a place in a table of 256, of which numba knows that it has no sign."""
    return _loads(types.uint8, types.uint8)(typing, address, at)


@intrinsic  # type: ignore[untyped-decorator]
def half_word_at(typing: Any, address: Any, at: Any) -> Any:
    """The four bytes (uint32) that begin there."""
    return _loads(types.uint32, types.uint32)(typing, address, at)


@intrinsic  # type: ignore[untyped-decorator]
def word_at(typing: Any, address: Any, at: Any) -> Any:
    """The eight bytes (uint64) that begin there."""
    return _loads(types.uint64, types.uint64)(typing, address, at)


@intrinsic  # type: ignore[untyped-decorator]
def number_at(typing: Any, address: Any, at: Any) -> Any:
    """As `word_at`, as an int64."""
    return _loads(types.int64, types.int64)(typing, address, at)


@intrinsic  # type: ignore[untyped-decorator]
def put_byte(typing: Any, address: Any, at: Any, value: Any) -> Any:
    """Put the lowest byte of a number so many bytes behind an address."""
    return _stores(types.uint8)(typing, address, at, value)


@intrinsic  # type: ignore[untyped-decorator]
def put_half(typing: Any, address: Any, at: Any, value: Any) -> Any:
    """As `put_byte`, the lowest four."""
    return _stores(types.uint32)(typing, address, at, value)


@intrinsic  # type: ignore[untyped-decorator]
def put_word(typing: Any, address: Any, at: Any, value: Any) -> Any:
    """As `put_byte`, all eight."""
    return _stores(types.uint64)(typing, address, at, value)


@intrinsic  # type: ignore[untyped-decorator]
def copy_bytes(_typing: Any, target: Any, source: Any, count: Any) -> Any:
    """Copy so many bytes from an address to another; they do not overlap."""
    if not _are_whole(target, source, count):
        return None

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        byte = context.get_value_type(types.uint8).as_pointer()
        into, from_ = (builder.inttoptr(each, byte) for each in arguments[:2])
        cgutils.raw_memcpy(builder, into, from_, arguments[2], 1, align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate
