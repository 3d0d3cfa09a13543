"""Reads one value of a flat JSON object (RFC 8259). Each returns the place behind it, or NOT_PLAIN for what is left to
the decoder."""

import numpy as np

from models.features.compiled import inlined
from models.features.kernel.words import WORD_BYTES, byte_at, byte_of, ends_plain, first_bytes, word_at
from models.features.wire.layout import DIGITS_EXACT, KEY_BYTES, KEY_WORDS

NOT_PLAIN = -1
NO_FIELD = -1
QUOTE, SPACE = 34, 32
ZERO, NINE, MINUS, POINT = 48, 57, 45, 46
NULL, TRUE, ALSE = (np.frombuffer(word, np.uint32)[0] for word in (b"null", b"true", b"alse"))
_FOUR = np.uint64(0xFFFFFFFF)


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
def is_word(text: int, at: int, word: np.uint32) -> bool:
    """Whether these four letters stand there."""
    return word_at(text, at) & _FOUR == np.uint64(word)  # type: ignore[no-any-return]


@inlined
def whole_number(text: int, at: int, most: int) -> tuple[int, int]:
    """A whole number from 0 to `most` without needless zeros in front, and the place behind it."""
    start, value, tenth = at, 0, most // 10
    while ZERO <= byte_at(text, at) <= NINE:
        if value > tenth:
            return 0, NOT_PLAIN
        value = 10 * value + (byte_at(text, at) - ZERO)
        at += 1
    if at == start or value > most or (byte_at(text, start) == ZERO and at - start > 1):
        return 0, NOT_PLAIN
    return value, at


@inlined
def decimal(text: int, at: int, most: float) -> tuple[float, int]:
    """A number without exponent from -most to most, and the place behind it; too many digits to be sure of its last bit
    are the decoder's."""
    negative = byte_at(text, at) == MINUS
    if negative:
        at += 1
    start, digits, behind, scale = at, 0, 0, 1
    while ZERO <= byte_at(text, at) <= NINE and at - start <= DIGITS_EXACT:
        digits = 10 * digits + (byte_at(text, at) - ZERO)
        at += 1
    count = at - start
    if count == 0 or (byte_at(text, start) == ZERO and count > 1):
        return 0.0, NOT_PLAIN
    if byte_at(text, at) == POINT:
        at += 1
        while ZERO <= byte_at(text, at) <= NINE and count <= DIGITS_EXACT:
            digits = 10 * digits + (byte_at(text, at) - ZERO)
            scale *= 10
            at += 1
            count += 1
            behind += 1
        if behind == 0:
            return 0.0, NOT_PLAIN
    value = float(digits) / float(scale)
    if count > DIGITS_EXACT or value > most:
        return 0.0, NOT_PLAIN
    return (-value if negative else value), at


@inlined
def field_at(text: int, at: int, likely: int) -> int:
    """Which field's name stands there in quotes, with a colon behind; looked for from `likely` on."""
    first, second = word_at(text, at), word_at(text, at + WORD_BYTES)
    fields = len(KEY_BYTES)
    for step in range(fields):
        field = likely + step
        if field >= fields:
            field -= fields
        apart, more = first ^ KEY_WORDS[field, 0], second ^ KEY_WORDS[field, 1]
        if apart == 0 and first_bytes(more, KEY_BYTES[field] - WORD_BYTES) == 0:
            return field
    return NO_FIELD
