"""Values of plain JSON as regular expressions find them."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.kernels import json_fields
from streams.kernels.compiled import compiled
from streams.kernels.json_fields import ALSE, JSON_PADDING, NO_WORD, NOT_PLAIN, NULL, TABLE_BYTES, TRUE, table_of
from streams.kernels.memory import address_of

UInt8s = NDArray[np.uint8]
LARGEST = 2**63 - 1
KEYS = ('"id":', '"idle":', '"amount":', '"amount_minor":', '"event_time_ns":')
TABLE, LENGTHS = table_of(KEYS)
WORDS = {b"null": NULL, b"true": TRUE, b"alse": ALSE}
places = st.integers(0, 10)


@compiled
def past_space(text: UInt8s, at: int) -> int:
    return json_fields.past_space(address_of(text), at)


@compiled
def past_string(text: UInt8s, at: int, end: int) -> int:
    return json_fields.past_string(address_of(text), at, end)


@compiled
def is_word(text: UInt8s, at: int, word: np.uint64) -> bool:
    return json_fields.is_word(address_of(text), at, word)


@compiled
def is_null(text: UInt8s, at: int) -> bool:
    return json_fields.is_null(address_of(text), at)


@compiled
def whole_number(text: UInt8s, at: int, most: int) -> tuple[int, int]:
    return json_fields.whole_number(address_of(text), at, most)


@compiled
def word_of(text: UInt8s, likely: int) -> int:
    return json_fields.word_of(address_of(text), 0, TABLE, likely)


def padded(text: bytes) -> UInt8s:
    return np.frombuffer(text + JSON_PADDING, np.uint8)


def past(pattern: bytes, text: bytes, at: int) -> int:
    found = re.compile(pattern).match(text, at)
    return found.end() if found else NOT_PLAIN


@given(st.text(" a\n", max_size=12), places)
def test_spaces(text: str, at: int) -> None:
    at = min(at, len(text))
    assert past_space(padded(text.encode()), at) == past(b" *", text.encode(), at)


@given(st.text('a"\\\x1f\x7fü b', max_size=30), places, places)
@example('"aaaaaaaaaaaaaaa"', 0, 0)
@example('"aaaaaaaa"', 0, 1)
def test_strings(text: str, at: int, missing: int) -> None:
    """A message ends at its end, whatever stands behind."""
    content = text.encode()
    end = max(0, len(content) - missing)
    at = min(at, end)
    assert past_string(padded(content), at, end) == past(rb'"[ !#-\[\]-\x7f]*"', content[:end], at)


@given(st.text("nultrefas", max_size=6) | st.sampled_from(("null", "true", "alse", "nulL", "nul", "nullnull")))
def test_words_of_four_letters(text: str) -> None:
    content = text.encode()
    for word, number in WORDS.items():
        assert is_word(padded(content), 0, number) == content.startswith(word)
    assert is_null(padded(content), 0) == content.startswith(b"null")


limits = st.sampled_from((9, 10, 99, 100, 10**12, LARGEST - 1, LARGEST)) | st.integers(9, LARGEST)


@given(st.text("0123456789", max_size=25) | st.integers(0, 2 * LARGEST).map(str), st.sampled_from(",}. -e"), limits)
@example(str(LARGEST), ",", LARGEST)
@example(str(LARGEST + 1), ",", LARGEST)
@example("9223372036854775809", ",", LARGEST)
@example("0", ",", 9)
@example("00", ",", 9)
def test_whole_numbers(digits: str, behind: str, most: int) -> None:
    plain = re.fullmatch("0|[1-9][0-9]*", digits) and int(digits) <= most
    wanted = (int(digits), len(digits)) if plain else (0, NOT_PLAIN)
    assert whole_number(padded(f"{digits}{behind}".encode()), 0, most) == wanted


@given(st.integers(9, LARGEST), st.integers(-20, 20))
def test_whole_numbers_next_to_the_largest(most: int, by: int) -> None:
    number = max(0, most + by)
    found, behind = whole_number(padded(b"%d" % number), 0, most)
    assert (found, behind) == ((number, len(str(number))) if number <= most else (0, NOT_PLAIN))


@given(st.sampled_from(KEYS), st.integers(0, 16), st.text('ab":', max_size=3), st.integers(0, len(KEYS)))
def test_words_of_a_table(key: str, cut: int, behind: str, likely: int) -> None:
    """Where one is looked for first changes nothing: none begins another."""
    text = key[: len(key) - cut] + behind
    wanted = [place for place, each in enumerate(KEYS) if text.startswith(each)]
    assert word_of(padded(text.encode()), likely) == (wanted[0] if wanted else NO_WORD)


def test_where_texts_begin_alike_the_likely_one_is_found() -> None:
    again, _ = table_of(["a", "ab", "abc"])

    @compiled
    def found(text: UInt8s, likely: int) -> int:
        return json_fields.word_of(address_of(text), 0, again, likely)

    assert [found(padded(b"abc"), likely) for likely in range(4)] == [0, 1, 2, 0]


def test_a_table_holds_what_two_words_hold() -> None:
    words, lengths = table_of(["x" * TABLE_BYTES])
    assert words.shape == (1, 4)
    assert lengths.tolist() == [TABLE_BYTES]
    with pytest.raises(ValueError, match="at most 16 bytes"):
        table_of(["a", "x" * (TABLE_BYTES + 1)])
