"""Writes eight bytes of a text at once, for kernels: the other side of `models.features.kernel.words`."""

from typing import Any

from numba import types
from numba.extending import intrinsic

from models.features.compiled import inlined
from models.features.kernel.words import WORD_BYTES, word_at


def _stores(kind: Any) -> Any:
    """A function that stores the lowest bytes of a word as a number of this type at an address and so many bytes
    behind it."""

    def store(_typing: Any, address: Any, at: Any, word: Any) -> Any:
        if not isinstance(address, types.Integer) or not isinstance(at, types.Integer) or word != types.uint64:
            return None

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            number = context.get_value_type(kind)
            place = builder.inttoptr(builder.add(*arguments[:2]), number.as_pointer())
            value = arguments[2] if kind == types.uint64 else builder.trunc(arguments[2], number)
            builder.store(value, place, align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.uint64), generate

    return store


@intrinsic  # type: ignore[untyped-decorator]
def put_word(typing: Any, address: Any, at: Any, word: Any) -> Any:
    """Put a word (uint64) so many bytes behind an address; nothing is checked."""
    return _stores(types.uint64)(typing, address, at, word)


@intrinsic  # type: ignore[untyped-decorator]
def put_half(typing: Any, address: Any, at: Any, word: Any) -> Any:
    """As `put_word`, the lower four bytes of it."""
    return _stores(types.uint32)(typing, address, at, word)


@inlined
def copied(text: int, start: int, end: int, out: int, to: int) -> int:
    """Put what stands in `text` from `start` to `end` into `out` from `to` on, in whole words; the place behind it."""
    for at in range(0, end - start, WORD_BYTES):
        put_word(out, to + at, word_at(text, start + at))
    return to + end - start
