"""Looks at numbers as JSON writes them (RFC 8259), without making one; `text` is an address."""

from streams.kernels.compiled import inlined
from streams.kernels.json_fields import MINUS, NINE, NOT_PLAIN, ONE, PLUS, POINT, ZERO
from streams.kernels.memory import byte_at

LETTER_E = 101
LOWER_CASE = 32
EXPONENT_DIGITS_MAX = 2
"""No number that has no more is too large for a float."""
NUMBER_BYTES_MAX = 40


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
    """Past a number that a float has room for, or NOT_PLAIN; and whether its digits show that it lies from 0 to 1. A
    zero with a sign and no point is the decoder's: it may be a whole number, which has none."""
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
