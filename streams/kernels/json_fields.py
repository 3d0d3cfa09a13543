"""Reads one value of a flat JSON object (RFC 8259), for kernels. Each returns the place behind it, or NOT_PLAIN for
what is left to a decoder.

`text` is an address. A value that does not end within its message may be read on behind it, up to the zeros behind the
last one (JSON_PADDING): a place behind the end is none for a message to end at.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streams.kernels.compiled import inlined
from streams.kernels.memory import PADDING, WORD_BYTES, byte_at, word_at
from streams.kernels.words import byte_of, ends_plain, packed

JSON_PADDING = 2 * PADDING
"""Behind the last message: words are loaded two at a time."""
NOT_PLAIN = -1
NO_WORD = -1
OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, COMMA, COLON, QUOTE, SPACE = b'{}[],:" '
MINUS, PLUS, POINT, ZERO, ONE, NINE = b"-+.019"
TABLE_WORDS = 2
TABLE_BYTES = TABLE_WORDS * WORD_BYTES
"""What a text of a table has at most."""
LETTERS = 4
NULL, TRUE, ALSE = (np.frombuffer(word.ljust(WORD_BYTES, b"\0"), np.uint64)[0] for word in (b"null", b"true", b"alse"))
"""Words of as many LETTERS, as `is_word` looks for them."""
_LETTERS_MASK = np.uint64(2 ** (8 * LETTERS) - 1)


@inlined
def past_space(text: int, at: int) -> int:
    """The next place that is no space. Other white space is the decoder's."""
    while byte_at(text, at) == SPACE:
        at += 1
    return at


@inlined
def past_string(text: int, at: int, end: int) -> int:
    """Past a string of ASCII without escapes; `at` is its first quote."""
    if byte_at(text, at) != QUOTE:
        return NOT_PLAIN
    at += 1
    while at < end:
        found = ends_plain(word_at(text, at))
        if found:
            at += byte_of(found)
            return at + 1 if at < end and byte_at(text, at) == QUOTE else NOT_PLAIN
        at += WORD_BYTES
    return NOT_PLAIN


@inlined
def is_word(text: int, at: int, word: np.uint64) -> bool:
    """Whether these four letters stand there."""
    return word_at(text, at) & _LETTERS_MASK == word  # type: ignore[no-any-return]


@inlined
def is_null(text: int, at: int) -> bool:
    """Whether nothing is given there."""
    return is_word(text, at, NULL)


@inlined
def whole_number(text: int, at: int, most: int) -> tuple[int, int]:
    """A whole number from 0 to `most` (int64, 9 or more) without needless zeros in front, and the place behind it."""
    start, value, tenth = at, 0, most // 10
    while ZERO <= byte_at(text, at) <= NINE:
        digit = byte_at(text, at) - ZERO
        if value >= tenth and (value > tenth or digit > most - 10 * tenth):
            return 0, NOT_PLAIN
        value = 10 * value + digit
        at += 1
    if at == start or (at - start > 1 and byte_at(text, start) == ZERO):
        return 0, NOT_PLAIN
    return value, at


def table_of(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Texts that `word_of` finds: uint64 [n, 4], of each its two words and which bits of them count; and how many bytes
    each has, int64 [n]. Raises `ValueError` for one that is longer than two words."""
    encoded = [text.encode() for text in texts]
    words, lengths = packed(encoded, least=TABLE_WORDS)
    if words.shape[1] > TABLE_WORDS:
        raise ValueError(f"texts of at most {TABLE_BYTES} bytes can be looked for, not {texts}")
    counted, _ = packed([b"\xff" * len(text) for text in encoded], least=TABLE_WORDS)
    return np.concatenate([words, counted], axis=1), lengths


@inlined
def word_of(text: int, at: int, table: NDArray[np.uint64], likely: int) -> int:
    """Which text of a table (`table_of`) stands there, looked for from `likely` on; or NO_WORD."""
    first, second, count = word_at(text, at), word_at(text, at + WORD_BYTES), len(table)
    word = likely
    for _ in range(count):
        if word >= count:
            word = 0
        if ((first ^ table[word, 0]) & table[word, 2]) | ((second ^ table[word, 1]) & table[word, 3]) == 0:
            return word
        word += 1
    return NO_WORD
