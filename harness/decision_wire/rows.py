"""The kernel: one message after the other, from JSON into columns."""

from typing import NamedTuple

from harness.decision_wire.layout import (
    ABSENT,
    CUSTOMERS,
    DEFAULT_PATH,
    EMITTED,
    EMITTED_NS,
    EVENT_ID,
    FEATURES,
    ID_BYTES_MAX,
    KEY_BYTES,
    KEYS,
    MARGIN,
    OUTCOME,
    OUTCOME_BYTES,
    OUTCOME_CODE,
    OUTCOME_WORDS,
    PATH,
    PATH_BYTES,
    PATH_CODE,
    PATH_WORDS,
    REASONS,
    REQUIRED,
    SCORE,
    SHADOW,
    SPAN_OF_FIELD,
    SPANS,
    STAGE_KEYS,
    STAGES_FIELD,
    STAGES_NS,
    TAKEN,
    TAKEN_NS,
    WHOLE_MAX,
    WHOLES,
    Int64s,
    UInt8s,
)
from harness.decision_wire.numbers import past_number
from streams.kernels.base64 import decode_base64
from streams.kernels.compiled import compiled, inlined
from streams.kernels.json_fields import (
    CLOSE,
    CLOSE_LIST,
    COLON,
    COMMA,
    LETTERS,
    NO_WORD,
    NOT_PLAIN,
    OPEN,
    OPEN_LIST,
    is_null,
    past_space,
    past_string,
    whole_number,
    word_of,
)
from streams.kernels.memory import address_of, byte_at


class Rows(NamedTuple):
    """What the kernel fills for n messages, rows as `layout` names them: `spans` int64 [SPANS, n, 2], begin and end in
    the text, `whole` int64 [WHOLES, n], `codes` uint8 [CODES, n], `plain` uint8 [n]. `features` uint8 holds the bytes
    of all plain rows' features one behind the other, `feature_bytes` int64 [n] how many each has.

    What is not given is ABSENT."""

    spans: Int64s
    whole: Int64s
    codes: UInt8s
    plain: UInt8s
    features: UInt8s
    feature_bytes: Int64s


@compiled
def read_rows(text: UInt8s, starts: Int64s, ends: Int64s, rows: Rows) -> int:
    """Read the messages that stand in `text`, each from its place in `starts` to its place in `ends`; JSON_PADDING
    stands behind the last. Returns how many are plain: of the others nothing that was filled in counts."""
    spans, whole, codes, plain, features, feature_bytes = rows
    address, decoded = address_of(text), address_of(features)
    used, count = 0, 0
    for row in range(len(starts)):
        for kind in range(SPANS):
            spans[kind, row, 0] = spans[kind, row, 1] = ABSENT
        for kind in range(WHOLES):
            whole[kind, row] = ABSENT
        codes[PATH_CODE, row] = DEFAULT_PATH
        feature_bytes[row] = ABSENT
        is_plain, behind = _read_row(address, starts[row], ends[row], row, used, spans, whole, codes, decoded)
        plain[row] = is_plain
        if is_plain:
            if behind != ABSENT:
                feature_bytes[row] = behind - used
                used = behind
            count += 1
    return count


@inlined
def _read_row(
    text: int, at: int, end: int, row: int, used: int, spans: Int64s, whole: Int64s, codes: UInt8s, features: int
) -> tuple[bool, int]:
    """Whether the message from `at` to `end` is plain; then the row holds what it says. And where the bytes of its
    features end, if it has any."""
    behind = ABSENT
    if byte_at(text, at) != OPEN:
        return False, behind
    seen = likely = 0
    letter = COMMA
    while letter == COMMA:
        at = past_space(text, at + 1)
        field = word_of(text, at, KEYS, likely)
        if field == NO_WORD or seen & (1 << field):
            return False, behind
        at = past_space(text, at + KEY_BYTES[field])
        if field == FEATURES and not is_null(text, at):
            at, behind = decode_base64(text, at, features, used)
        elif field in (SCORE, MARGIN):
            at = _take_number(text, at, field, row, spans)
        elif field in (TAKEN, EMITTED):
            at = _take_instant(text, at, field, row, whole)
        elif field == STAGES_FIELD:
            at = _take_stages(text, at, end, row, whole)
        elif field in (OUTCOME, PATH):
            at = _take_word(text, at, field, row, codes)
        elif field in (REASONS, CUSTOMERS):
            at = _past_no_list(text, at)
        elif is_null(text, at):
            at = NOT_PLAIN if field == EVENT_ID else at + LETTERS
        else:
            at = NOT_PLAIN if field == SHADOW else _take_text(text, at, end, field, row, spans)
        if at == NOT_PLAIN:
            return False, behind
        seen |= 1 << field
        likely = field + 1
        at = past_space(text, at)
        letter = byte_at(text, at)
    return letter == CLOSE and at + 1 == end and seen & REQUIRED == REQUIRED, behind


@inlined
def _take_text(text: int, at: int, end: int, field: int, row: int, spans: Int64s) -> int:
    behind = past_string(text, at, end)
    if behind == NOT_PLAIN:
        return NOT_PLAIN
    kind = SPAN_OF_FIELD[field]
    spans[kind, row, 0], spans[kind, row, 1] = at + 1, behind - 1
    if field == EVENT_ID and not 0 < behind - at - 2 <= ID_BYTES_MAX:
        return NOT_PLAIN
    return behind


@inlined
def _take_number(text: int, at: int, field: int, row: int, spans: Int64s) -> int:
    if field == MARGIN and is_null(text, at):
        return at + LETTERS
    behind, is_share = past_number(text, at)
    kind = SPAN_OF_FIELD[field]
    spans[kind, row, 0], spans[kind, row, 1] = at, behind
    return behind if is_share or field == MARGIN else NOT_PLAIN


@inlined
def _take_instant(text: int, at: int, field: int, row: int, whole: Int64s) -> int:
    if is_null(text, at):
        return at + LETTERS
    whole[TAKEN_NS if field == TAKEN else EMITTED_NS, row], at = whole_number(text, at, WHOLE_MAX)
    return at


@inlined
def _take_word(text: int, at: int, field: int, row: int, codes: UInt8s) -> int:
    if field == OUTCOME:
        code = word_of(text, at, OUTCOME_WORDS, 0)
        codes[OUTCOME_CODE, row] = code
        return NOT_PLAIN if code == NO_WORD else at + OUTCOME_BYTES[code]
    code = word_of(text, at, PATH_WORDS, 0)
    codes[PATH_CODE, row] = code
    return NOT_PLAIN if code == NO_WORD else at + PATH_BYTES[code]


@inlined
def _past_no_list(text: int, at: int) -> int:
    """Past a list of nothing."""
    if byte_at(text, at) != OPEN_LIST:
        return NOT_PLAIN
    at = past_space(text, at + 1)
    return at + 1 if byte_at(text, at) == CLOSE_LIST else NOT_PLAIN


@inlined
def _take_stages(text: int, at: int, end: int, row: int, whole: Int64s) -> int:
    """Past how long each stage took. Of a stage that is said twice the last word counts; others have no column."""
    if byte_at(text, at) != OPEN:
        return NOT_PLAIN
    at = past_space(text, at + 1)
    if byte_at(text, at) == CLOSE:
        return at + 1
    at -= 1
    letter = COMMA
    while letter == COMMA:
        at = past_space(text, at + 1)
        stage = word_of(text, at, STAGE_KEYS, 0)
        at = past_string(text, at, end)
        if at == NOT_PLAIN or byte_at(text, at) != COLON:
            return NOT_PLAIN
        took, at = whole_number(text, past_space(text, at + 1), WHOLE_MAX)
        if at == NOT_PLAIN:
            return NOT_PLAIN
        if stage != NO_WORD:
            whole[STAGES_NS + stage, row] = took
        at = past_space(text, at)
        letter = byte_at(text, at)
    return at + 1 if letter == CLOSE else NOT_PLAIN
