"""Reads a position's degrees from JSON as whole millionths; `text` is an address."""

import numpy as np

from models.features.wire.layout import DIGITS_EXACT
from streams.kernels.compiled import inlined
from streams.kernels.json_fields import MINUS, NINE, NOT_PLAIN, POINT, ZERO
from streams.kernels.memory import byte_at

NO_POINT = -1
WHOLE_DIGITS_MAX = 3
"""Digits before the point of any degree."""
UNSURE = 1e-4
"""What digits after the first DIGITS_EXACT can add to millionths, a hundred times."""


@inlined
def micro_degrees(text: int, at: int, most: float) -> tuple[int, int]:
    """A number without exponent from -most to most in whole millionths, and the place behind it or NOT_PLAIN.

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
