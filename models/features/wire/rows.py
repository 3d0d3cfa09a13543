"""The kernel: messages in, one column an event out, as long as they are plain."""

from typing import NamedTuple

import numpy as np

from models.features.batch import MISSING_CODE, MISSING_E6, UNKNOWN_CATEGORY, Float32s, Int32s, Int64s, UInt8s
from models.features.kernel.hashing import hash_of
from models.features.wire.degrees import micro_degrees
from models.features.wire.layout import (
    AMOUNT,
    AMOUNT_MINOR,
    AMOUNT_MINOR_MAX,
    CATEGORY,
    CATEGORY_BYTES_MAX,
    CATEGORY_PLACE,
    CHANNEL,
    CHANNEL_PLACE,
    COUNTRY,
    EVENT_ID,
    EVENT_ID_SPAN,
    EVENT_TIME,
    HASH,
    ID_BYTES_MAX,
    IS_REFUND,
    KEY_BYTES,
    KEYS,
    KIND_OF_FIELD,
    KINDS_INTERNED,
    LATITUDE,
    LATITUDE_E6,
    LATITUDE_MAX,
    LONGITUDE,
    LONGITUDE_E6,
    LONGITUDE_MAX,
    REQUIRED,
    TIME_NS,
    TIME_NS_MAX,
)
from models.features.wire.names import UNMET, Addresses, NameTable, addresses_of, code_of
from streams.kernels.compiled import compiled, inlined
from streams.kernels.json_fields import (
    ALSE,
    CLOSE,
    COMMA,
    LETTERS,
    NO_WORD,
    NOT_PLAIN,
    OPEN,
    TRUE,
    is_null,
    is_word,
    past_space,
    past_string,
    whole_number,
    word_of,
)
from streams.kernels.memory import address_of, byte_at

LETTER_A, LETTER_Z = 65, 90
LETTER_F = 102


class Rows(NamedTuple):
    """What the kernel fills for n messages, rows as `layout` names them: `whole` int64 [WHOLES, n], `codes` int32
    [CODES, n], `places` float32 [PLACES, n], `refund` uint8 [n], `spans` int32 [n, SPANS, 2]: begin and end in the
    text."""

    whole: Int64s
    codes: Int32s
    places: Float32s
    refund: UInt8s
    spans: Int32s


@compiled
def read_rows(text: UInt8s, ends: Int64s, interned: int, table: NameTable, rows: Rows) -> int:
    """Read the messages that stand in `text` one behind the other, each up to its place in `ends`; JSON_PADDING
    stands behind the last, and ends whatever is looked at there.

    Codes are looked for of so many `interned` kinds; returns how many were not found (UNMET), or NOT_PLAIN when a
    message is for the decoder: then nothing that was filled in counts.
    """
    address, names = address_of(text), addresses_of(table)
    whole, codes, places, refund, spans = rows
    unmet, at = 0, 0
    for row in range(len(ends)):
        _empty(row, codes, places, refund)
        if not _read_row(address, at, ends[row], row, interned, names, whole, codes, places, refund, spans):
            return NOT_PLAIN
        unmet += _end_row(row, codes)
        at = ends[row]
    return unmet


@inlined
def _empty(row: int, codes: Int32s, places: Float32s, refund: UInt8s) -> None:
    """What a row says of fields that are left out."""
    for kind in range(KINDS_INTERNED):
        codes[kind, row] = MISSING_CODE
    codes[LATITUDE_E6, row] = codes[LONGITUDE_E6, row] = MISSING_E6
    places[CATEGORY_PLACE, row] = places[CHANNEL_PLACE, row] = np.nan
    refund[row] = 0


@inlined
def _end_row(row: int, codes: Int32s) -> int:
    """Half a position is none; how many ids have no code."""
    if codes[LATITUDE_E6, row] == MISSING_E6 or codes[LONGITUDE_E6, row] == MISSING_E6:
        codes[LATITUDE_E6, row] = codes[LONGITUDE_E6, row] = MISSING_E6
    unmet = 0
    for kind in range(KINDS_INTERNED):
        unmet += codes[kind, row] == UNMET
    return unmet


@inlined
def _read_row(
    text: int, at: int, end: int, row: int, interned: int, names: Addresses,
    whole: Int64s, codes: Int32s, places: Float32s, refund: UInt8s, spans: Int32s,
) -> bool:  # fmt: skip
    """Whether the message from `at` to `end` is plain; then the row holds what it says."""
    if byte_at(text, at) != OPEN:
        return False
    seen = likely = 0
    letter = COMMA
    while letter == COMMA:
        at = past_space(text, at + 1)
        field = word_of(text, at, KEYS, likely)
        if field == NO_WORD or seen & (1 << field):
            return False
        at = past_space(text, at + KEY_BYTES[field])
        if field in (EVENT_TIME, AMOUNT):
            at = _take_number(text, at, field, row, whole)
        elif is_null(text, at):
            at = NOT_PLAIN if REQUIRED & (1 << field) else at + LETTERS
        elif field in (LATITUDE, LONGITUDE):
            at = _take_degrees(text, at, field, row, codes)
        elif field == IS_REFUND:
            at = _take_flag(text, at, row, refund)
        else:
            behind = past_string(text, at, end)
            if behind != NOT_PLAIN and not _take_text(
                text, at + 1, behind - 1, field, row, interned, names, whole, codes, places, spans
            ):
                return False
            at = behind
        if at == NOT_PLAIN:
            return False
        seen |= 1 << field
        likely = field + 1
        letter = byte_at(text, at)
    return letter == CLOSE and at + 1 == end and seen & REQUIRED == REQUIRED


@inlined
def _take_number(text: int, at: int, field: int, row: int, whole: Int64s) -> int:
    if field == EVENT_TIME:
        whole[TIME_NS, row], at = whole_number(text, at, TIME_NS_MAX)
    else:
        whole[AMOUNT_MINOR, row], at = whole_number(text, at, AMOUNT_MINOR_MAX)
    return at


@inlined
def _take_degrees(text: int, at: int, field: int, row: int, codes: Int32s) -> int:
    found, at = micro_degrees(text, at, LATITUDE_MAX if field == LATITUDE else LONGITUDE_MAX)
    codes[LATITUDE_E6 if field == LATITUDE else LONGITUDE_E6, row] = found
    return at


@inlined
def _take_flag(text: int, at: int, row: int, refund: UInt8s) -> int:
    if is_word(text, at, TRUE):
        refund[row] = 1
        return at + LETTERS
    return at + 1 + LETTERS if byte_at(text, at) == LETTER_F and is_word(text, at + 1, ALSE) else NOT_PLAIN


@inlined
def _take_text(
    text: int, start: int, end: int, field: int, row: int, interned: int, names: Addresses,
    whole: Int64s, codes: Int32s, places: Float32s, spans: Int32s,
) -> bool:  # fmt: skip
    """Whether the field may say this; then it is taken."""
    kind = KIND_OF_FIELD[field]
    if kind == CATEGORY:
        code = code_of(text, start, end, CATEGORY, names)
        places[CATEGORY_PLACE, row] = UNKNOWN_CATEGORY if code == UNMET else code
        return end - start <= CATEGORY_BYTES_MAX
    if field == EVENT_ID:
        spans[row, EVENT_ID_SPAN, 0], spans[row, EVENT_ID_SPAN, 1] = start, end
        whole[HASH, row] = np.int64(hash_of(text, start, end))
    elif 0 <= kind < interned:
        spans[row, kind, 0], spans[row, kind, 1] = start, end
        codes[kind, row] = code_of(text, start, end, kind, names)
    elif kind >= KINDS_INTERNED:
        code = code_of(text, start, end, kind, names)
        if kind == CHANNEL:
            places[CHANNEL_PLACE, row] = code
        return code != UNMET
    return _is_country(text, start, end) if kind == COUNTRY else 0 < end - start <= ID_BYTES_MAX


@inlined
def _is_country(text: int, start: int, end: int) -> bool:
    first, second = byte_at(text, start), byte_at(text, start + 1)
    return end - start == 2 and LETTER_A <= first <= LETTER_Z and LETTER_A <= second <= LETTER_Z
