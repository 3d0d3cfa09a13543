"""Reads one value of a flat JSON object (RFC 8259). Each returns the place behind it, or NOT_PLAIN for what is left to
the decoder."""

import numpy as np

from models.features.compiled import inlined
from models.features.kernel.words import WORD_BYTES, byte_at, byte_of, ends_plain, first_bytes, word_at
from models.features.wire.layout import DIGITS_EXACT, KEY_BYTES, KEY_WORDS

NOT_PLAIN = -1
NO_FIELD = -1
NO_POINT = -1
QUOTE, SPACE = 34, 32
ZERO, NINE, MINUS, POINT = 48, 57, 45, 46
NULL, TRUE, ALSE = (np.frombuffer(word, np.uint32)[0] for word in (b"null", b"true", b"alse"))
WHOLE_DIGITS_MAX = 3
"""Digits before the point of any degree."""
UNSURE = 1e-4
"""What digits after the first DIGITS_EXACT can add to millionths, a hundred times."""
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
def micro_degrees(text: int, at: int, most: float) -> tuple[int, int]:
    """A number without exponent from -most to most in whole millionths, and the place behind it.

    Up to DIGITS_EXACT digits are the float that a decoder makes of them. Of more, those behind cannot change the
    millionths, unless they are next to where the rounding turns: that is the decoder's.
    """
    negative = byte_at(text, at) == MINUS
    if negative:
        at += 1
    start, digits, scale, count, whole = at, 0, 1, 0, NO_POINT
    while True:
        letter = byte_at(text, at)
        if letter == POINT and whole == NO_POINT:
            whole = count
        elif ZERO <= letter <= NINE:
            if count < DIGITS_EXACT:
                digits = 10 * digits + (letter - ZERO)
                scale *= 1 if whole == NO_POINT else 10
            count += 1
        else:
            break
        at += 1
    if whole == NO_POINT:
        whole = count
    elif whole == count:
        return 0, NOT_PLAIN
    if whole == 0 or whole > WHOLE_DIGITS_MAX or (byte_at(text, start) == ZERO and whole > 1):
        return 0, NOT_PLAIN
    degrees = float(digits) / float(scale)
    millionths = degrees * 1e6
    sure = count <= DIGITS_EXACT or (abs(millionths - np.floor(millionths) - 0.5) > UNSURE and degrees < most - UNSURE)
    if degrees > most or not sure:
        return 0, NOT_PLAIN
    found = int(np.rint(millionths))
    return (-found if negative else found), at


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
