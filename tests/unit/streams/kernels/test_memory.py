"""Bytes at any place of a text, as the standard library reads and writes them."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.kernels.compiled import compiled
from streams.kernels.memory import (
    address_of,
    byte_at,
    copy_bytes,
    half_word_at,
    load_byte,
    number_at,
    put_byte,
    put_half,
    put_word,
    word_at,
)

UInt8s = NDArray[np.uint8]
STORES = {1: "B", 4: "I", 8: "Q"}
texts = st.binary(min_size=8, max_size=40).flatmap(lambda text: st.tuples(st.just(text), st.integers(0, len(text) - 8)))


@compiled
def loaded(text: UInt8s, at: int) -> Any:
    begin = address_of(text)
    return (
        *(byte_at(begin, at), load_byte(begin, at), half_word_at(begin, at)),
        *(word_at(begin, at), number_at(begin, at)),
    )


@compiled
def reckoned(text: UInt8s, at: int) -> Any:
    return byte_at(address_of(text), at) - 256


@compiled
def stored(text: UInt8s, at: int, value: np.uint64, size: int) -> None:
    begin = address_of(text)
    if size == 1:
        put_byte(begin, at, value)
    elif size == 4:
        put_half(begin, at, value)
    else:
        put_word(begin, at, value)


@compiled
def moved(source: UInt8s, first: int, target: UInt8s, to: int, count: int) -> None:
    copy_bytes(address_of(target) + to, address_of(source) + first, count)


@given(texts)
def test_numbers_are_read_from_any_place(given_text: tuple[bytes, int]) -> None:
    text, at = given_text
    found = loaded(np.frombuffer(text, np.uint8), at)
    assert found == tuple(struct.unpack_from(f"<{kind}", text, at)[0] for kind in "BBIQq")
    assert reckoned(np.frombuffer(text, np.uint8), at) == text[at] - 256


@pytest.mark.parametrize("size", STORES)
@given(texts, st.integers(0, 2**64 - 1))
def test_the_lowest_bytes_are_put_at_any_place(size: int, given_text: tuple[bytes, int], value: int) -> None:
    text, at = given_text
    found, wanted = np.frombuffer(text, np.uint8).copy(), bytearray(text)
    stored(found, at, np.uint64(value), size)
    struct.pack_into(f"<{STORES[size]}", wanted, at, value & (2 ** (8 * size) - 1))
    assert found.tobytes() == bytes(wanted)


@given(texts, st.binary(max_size=40))
def test_copies(given_text: tuple[bytes, int], source: bytes) -> None:
    text, to = given_text
    count = min(len(source), len(text) - to)
    found = np.frombuffer(text, np.uint8).copy()
    moved(np.frombuffer(source, np.uint8), len(source) - count, found, to, count)
    assert found.tobytes() == text[:to] + source[len(source) - count :] + text[to + count :]
