"""Eight bytes at once, beside the same said of one after the other."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.kernels.compiled import compiled
from streams.kernels.memory import PADDING, address_of
from streams.kernels.words import byte_of, copied, ends_plain, first_bytes, packed, same_text, zero_byte

UInt8s = NDArray[np.uint8]
NONE = 8
odd_bytes = st.sampled_from(b'\x00\x01\x1f !"#[\\]\x7f\x80\xa2\xdc\xff')
eight = st.lists(st.integers(0, 255) | odd_bytes, min_size=8, max_size=8).map(bytes)


@compiled
def plain_before(word: np.uint64) -> int:
    found = ends_plain(word)
    return byte_of(found) if found else NONE


@compiled
def before_zero(word: np.uint64) -> int:
    found = zero_byte(word)
    return byte_of(found) if found else NONE


@compiled
def front(word: np.uint64, count: int) -> np.uint64:
    return first_bytes(word, count)


@compiled
def same(text: UInt8s, start: int, end: int, other: UInt8s, at: int) -> bool:
    return same_text(address_of(text), start, end, address_of(other), at)


@compiled
def copy(text: UInt8s, start: int, end: int, out: UInt8s, to: int) -> int:
    return copied(address_of(text), start, end, address_of(out), to)


def word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


def padded(text: bytes) -> UInt8s:
    return np.frombuffer(text + PADDING, np.uint8)


@given(eight)
@example(b'"' * 8)
@example(b"\x80\x80!!!!!!")
def test_where_plain_text_ends(text: bytes) -> None:
    ends = [place for place, byte in enumerate(text) if byte < 0x20 or byte >= 0x80 or byte in b'"\\']
    assert plain_before(word(text)) == (ends[0] if ends else NONE)


@given(eight)
@example(b"\x01\x00\x01\x00\x01\x01\x01\x01")
def test_where_a_zero_stands(text: bytes) -> None:
    assert before_zero(word(text)) == (text.index(0) if 0 in text else NONE)


@given(eight, st.integers(1, 8))
def test_the_first_bytes_of_a_word(text: bytes, count: int) -> None:
    assert int(front(word(text), count)) == int.from_bytes(text[:count], "little")


@given(st.text("ab", max_size=20), st.text("ab", max_size=20), st.integers(0, 20), st.integers(0, 20))
@example("abababababababab", "abababababababab", 0, 0)
def test_same_text(left: str, right: str, start: int, at: int) -> None:
    text, other = left.encode(), right.encode()
    start, at = min(start, len(text)), min(at, len(other))
    end = start + min(len(text) - start, len(other) - at)
    wanted = text[start:end] == other[at : at + end - start]
    assert same(padded(text), start, end, padded(other), at) == wanted


@given(st.binary(max_size=40), st.integers(0, 40), st.integers(0, 5))
def test_copied(text: bytes, start: int, to: int) -> None:
    start = min(start, len(text))
    out = np.zeros(to + len(text) + len(PADDING), np.uint8)
    end = copy(padded(text), start, len(text), out, to)
    assert end == to + len(text) - start
    assert out[:end].tobytes() == bytes(to) + text[start:]


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5), st.integers(1, 3))
def test_packed(texts: list[bytes], least: int) -> None:
    words, lengths = packed(texts, least)
    assert words.shape == (len(texts), max(least, *(-(-len(text) // 8) for text in texts)))
    assert lengths.tolist() == [len(text) for text in texts]
    assert [row.tobytes().rstrip(b"\0") for row in words] == [text.rstrip(b"\0") for text in texts]
