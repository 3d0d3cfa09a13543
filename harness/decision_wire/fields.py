"""Reads one value of a flat JSON object (RFC 8259). Each returns the place behind it, or NOT_PLAIN for what is left to
the decoder.

`text` is an address. A value that does not end within its message is read on behind it, up to the zeros behind the last
one: a place behind the end is none for a message to end at.
"""

import numpy as np

from harness.decision_wire.compiled import inlined
from harness.decision_wire.layout import KEY_BYTES, KEYS, NULL, NULL_BYTES, WHOLE_MAX, Int64s, UInt64s
from harness.decision_wire.memory import (
    WORD_BYTES,
    byte_at,
    byte_of,
    ends_plain,
    load_byte,
    put_byte,
    same_start,
    word_at,
)

NOT_PLAIN = -1
NO_WORD = -1
QUOTE, SPACE, DELETE = 34, 32, 127
ZERO, ONE, NINE, MINUS, PLUS, POINT, EQUALS = 48, 49, 57, 45, 43, 46, 61
LETTER_E = 101
LOWER_CASE = 32
EXPONENT_DIGITS_MAX = 2
"""No number that has no more is too large for a float."""
NUMBER_BYTES_MAX = 40
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
NO_SEXTET = 64
SEXTETS = np.full(256, NO_SEXTET, np.uint32)
SEXTETS[np.frombuffer(_ALPHABET, np.uint8)] = np.arange(64)
"""What a letter of base64 stands for."""


_NULL_MASK, _NULL = np.uint64(2 ** (8 * NULL_BYTES) - 1), np.uint64(NULL)


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
            return at + 1 if byte_at(text, at) == QUOTE else NOT_PLAIN
        at += WORD_BYTES
    return NOT_PLAIN


@inlined
def is_null(text: int, at: int) -> bool:
    """Whether nothing is given there."""
    return word_at(text, at) & _NULL_MASK == _NULL  # type: ignore[no-any-return]


@inlined
def word_of(text: int, at: int, words: UInt64s, lengths: Int64s, likely: int) -> int:
    """Which word of a table stands there, looked for from `likely` on."""
    count = len(lengths)
    for step in range(count):
        word = likely + step
        if word >= count:
            word -= count
        if same_start(text, at, words[word, 0], words[word, 1], lengths[word]):
            return word
    return NO_WORD


@inlined
def field_at(text: int, at: int, likely: int) -> int:
    """Which field's name stands there in quotes, with a colon behind; looked for from `likely` on."""
    return word_of(text, at, KEYS, KEY_BYTES, likely)


@inlined
def whole_number(text: int, at: int) -> tuple[int, int]:
    """A whole number that 64 bits hold, without sign and needless zeros in front, and the place behind it."""
    start, value = at, 0
    while ZERO <= byte_at(text, at) <= NINE:
        digit = byte_at(text, at) - ZERO
        if value > (WHOLE_MAX - digit) // 10:
            return 0, NOT_PLAIN
        value = 10 * value + digit
        at += 1
    if at == start or (at - start > 1 and byte_at(text, start) == ZERO):
        return 0, NOT_PLAIN
    return value, at


@inlined
def past_digits(text: int, at: int) -> tuple[int, bool]:
    """Past digits, and whether any of them is not zero."""
    some = False
    while ZERO <= byte_at(text, at) <= NINE:
        some |= byte_at(text, at) != ZERO
        at += 1
    return at, some


@inlined
def past_number(text: int, at: int) -> tuple[int, bool]:
    """Past a number that a float has room for; and whether its digits show that it lies from 0 to 1. A zero with a sign
    and no point is the decoder's: it may be a whole number, which has none."""
    start, is_share = at, True
    if byte_at(text, at) == MINUS:
        at, is_share = at + 1, False
    first = at
    at, _ = past_digits(text, at)
    whole = at - first
    if whole == 0 or (whole > 1 and byte_at(text, first) == ZERO):
        return NOT_PLAIN, False
    is_whole, beyond = True, byte_at(text, first) != ZERO
    if byte_at(text, at) == POINT:
        behind, some = past_digits(text, at + 1)
        if behind == at + 1:
            return NOT_PLAIN, False
        at, is_whole, beyond = behind, False, byte_at(text, first) != ZERO and (some or byte_at(text, first) != ONE)
    elif byte_at(text, first) == ONE:
        beyond = False
    beyond = beyond or whole > 1
    if byte_at(text, at) | LOWER_CASE == LETTER_E:
        sign = byte_at(text, at + 1)
        begin = at + 2 if sign in (MINUS, PLUS) else at + 1
        at, lower = past_digits(text, begin)
        if at == begin or at - begin > EXPONENT_DIGITS_MAX:
            return NOT_PLAIN, False
        is_whole, beyond = False, whole > 1 or sign != MINUS or not lower
    if at - start > NUMBER_BYTES_MAX or (is_whole and byte_at(text, start) == MINUS and byte_at(text, first) == ZERO):
        return NOT_PLAIN, False
    return at, is_share and not beyond


@inlined
def decode_base64(text: int, at: int, out: int, used: int) -> tuple[int, int]:
    """Decode a string of base64 (RFC 4648, padded, no bits to spare) into `out` from `used` on: the place behind the
    string, and where in `out` its bytes end."""
    if byte_at(text, at) != QUOTE:
        return NOT_PLAIN, used
    at += 1
    while True:
        first, second = SEXTETS[load_byte(text, at)], SEXTETS[load_byte(text, at + 1)]
        third, fourth = SEXTETS[load_byte(text, at + 2)], SEXTETS[load_byte(text, at + 3)]
        if (first | second | third | fourth) >= NO_SEXTET:
            break
        bits = first << np.uint32(18) | second << np.uint32(12) | third << np.uint32(6) | fourth
        put_byte(out, used, bits >> np.uint32(16))
        put_byte(out, used + 1, (bits >> np.uint32(8)) & np.uint32(255))
        put_byte(out, used + 2, bits & np.uint32(255))
        used, at = used + 3, at + 4
    if byte_at(text, at) == QUOTE:
        return at + 1, used
    if byte_at(text, at + 3) != EQUALS or byte_at(text, at + 4) != QUOTE:
        return NOT_PLAIN, used
    first, second, third = SEXTETS[byte_at(text, at)], SEXTETS[byte_at(text, at + 1)], np.uint32(0)
    two = byte_at(text, at + 2) != EQUALS
    if two:
        third = SEXTETS[byte_at(text, at + 2)]
    spare = third & np.uint32(3) if two else second & np.uint32(15)
    if (first | second | third) >= NO_SEXTET or spare != 0:
        return NOT_PLAIN, used
    put_byte(out, used, (first << np.uint32(2) | second >> np.uint32(4)) & np.uint32(255))
    if two:
        put_byte(out, used + 1, (second << np.uint32(4) | third >> np.uint32(2)) & np.uint32(255))
    return at + 5, used + (2 if two else 1)
