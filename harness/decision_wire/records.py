"""Audit records of plain decisions, and their chain: the bytes that `audit_trail.bodies` and `audit_trail.records`
make."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from harness.decision_wire.blake2b import DIGEST_AT, HASH_BYTES, digest, scratch
from harness.decision_wire.layout import (
    ABSENT,
    ID_SPAN,
    MODEL_SPAN,
    OUTCOME_BYTES,
    OUTCOME_CODE,
    OUTCOME_WORDS,
    PATH_BYTES,
    PATH_CODE,
    PATH_WORDS,
    RULES_SPAN,
    WORKER_SPAN,
    Int64s,
    UInt8s,
    UInt64s,
    read_only,
)
from harness.decision_wire.texts import Texts
from streams.kernels.compiled import compiled, inlined
from streams.kernels.json_fields import CLOSE_LIST, COMMA, MINUS, QUOTE, TABLE_BYTES, ZERO
from streams.kernels.memory import WORD_BYTES, address_of, byte_at, copy_bytes, put_byte

HEX_BYTES = 2 * HASH_BYTES
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
DIGITS_MAX = 20
"""Of a whole number of 64 bits, with its sign."""


def _piece(text: bytes) -> UInt8s:
    return np.frombuffer(text, np.uint8)


_EVENT, _INPUT, _FEATURES = _piece(b'"event_id":"'), _piece(b'","input":'), _piece(b',"features":')
_OUTCOME, _SCORE, _MARGIN = _piece(b',"outcome":'), _piece(b',"score":'), _piece(b',"margin":')
_THRESHOLDS, _PATH, _RULES = _piece(b',"thresholds":'), _piece(b',"path":'), _piece(b',"reasons":[],"rules_version":')
_MODEL, _WORKER, _RECEIVED = _piece(b',"model_version":'), _piece(b',"worker":'), _piece(b',"received_ns":')
_NULL, _END = _piece(b"null"), _piece(b"}")
_PIECES = (
    _EVENT, _INPUT, _FEATURES, _OUTCOME, _SCORE, _MARGIN, _THRESHOLDS, _PATH, _RULES, _MODEL, _WORKER, _RECEIVED, _END,
)  # fmt: skip
BODY_BYTES = (
    sum(map(len, _PIECES)) + 2 * (HEX_BYTES + 2) + 3 * 6 + DIGITS_MAX
    + 2 * TABLE_BYTES + len(_NULL)
)  # fmt: skip
"""What a body has at most beside its own texts, its numbers' and the thresholds."""
_ON_TIME, _TOO_LATE = (
    _piece(b'{"kind":"decision","late":false,"seq":'),
    _piece(b'{"kind":"decision","late":true,"seq":'),
)
_PREV, _HASH, _LINE_END = _piece(b',"prev":"'), _piece(b'"hash":"'), _piece(b'"}\n')
LINE_BYTES = len(_ON_TIME) + DIGITS_MAX + 1 + len(_PREV) + len(_HASH) + len(_LINE_END) + 2 + 2 * HEX_BYTES
"""What a line has at most beside its body."""


class Told(NamedTuple):
    """What bodies say of n plain decisions: `text` and `spans` int64 [SPANS, n, 2] in it, `codes` uint8 [CODES, n],
    `features` uint8 and `features_at` int64 [n + 1]; `has_features`, `has_margin` uint8 [n]; `scores` and `margins`:
    the numbers as they are written, uint8, each with a character behind and one before the first."""

    text: UInt8s
    spans: Int64s
    codes: UInt8s
    features: UInt8s
    features_at: Int64s
    has_features: UInt8s
    has_margin: UInt8s
    scores: UInt8s
    margins: UInt8s


@inlined
def _put(out: int, at: int, text: int, start: int, end: int) -> int:
    copy_bytes(out + at, text + start, end - start)
    return at + end - start


@inlined
def _put_piece(out: int, at: int, piece: UInt8s) -> int:
    return _put(out, at, address_of(piece), 0, len(piece))


@inlined
def _put_word(out: int, at: int, words: UInt64s, lengths: Int64s, word: int) -> int:
    """A word of a table."""
    start: Any = words.shape[1] * WORD_BYTES * np.int64(word)
    return _put(out, at, address_of(words), start, start + lengths[word])


@inlined
def _put_number(out: int, at: int, number: int) -> int:
    if number < 0:
        put_byte(out, at, MINUS)
        at, number = at + 1, -number
    digits, rest = 1, number // 10
    while rest > 0:
        digits, rest = digits + 1, rest // 10
    for place in range(digits):
        put_byte(out, at + digits - 1 - place, ZERO + number % 10)
        number //= 10
    return at + digits


@inlined
def _put_hex(out: int, at: int, work: int) -> int:
    """The digest."""
    for place in range(HASH_BYTES):
        value = byte_at(work, DIGEST_AT + place)
        put_byte(out, at + 2 * place, _HEX[value >> 4])
        put_byte(out, at + 2 * place + 1, _HEX[value & 15])
    return at + HEX_BYTES


@inlined
def _put_hash(out: int, at: int, given: bool, text: int, start: int, end: int, work: int) -> int:
    """The hash of a part of a text in quotes, or null."""
    if not given:
        return _put_piece(out, at, _NULL)
    digest(text, start, end, HASH_BYTES, work)
    put_byte(out, at, QUOTE)
    at = _put_hex(out, at + 1, work)
    put_byte(out, at, QUOTE)
    return at + 1


@inlined
def _put_given(out: int, at: int, given: bool, text: int, start: int, end: int) -> int:
    """A text as it is, or null."""
    return _put(out, at, text, start, end) if given else _put_piece(out, at, _NULL)


@inlined
def _put_text(out: int, at: int, text: int, start: int, end: int) -> int:
    """A text in quotes, or null."""
    return _put_given(out, at, start != ABSENT, text, start - 1, end + 1)


@inlined
def _next_number(numbers: int, at: int) -> int:
    """Past a number of a list: where the comma or bracket behind it stands."""
    at += 1
    while byte_at(numbers, at) not in (COMMA, CLOSE_LIST):
        at += 1
    return at


@compiled
def write_bodies(
    told: Told, received_ns: Int64s, ordinals: Int64s, events: UInt8s, events_at: Int64s, thresholds: UInt8s,
    work: UInt64s, out: UInt8s, bounds: Int64s,
) -> None:  # fmt: skip
    """Into `out` the bodies of n decisions, and where they end into `bounds` [n + 1]. `events` are the events' messages
    by ordinal, as they were sent; `thresholds` is how those are written."""
    spans, codes, features_at = told.spans, told.codes, told.features_at
    text, features, sent = address_of(told.text), address_of(told.features), address_of(events)
    scores, margins = address_of(told.scores), address_of(told.margins)
    into, room = address_of(out), address_of(work)
    at, score_at, margin_at = 0, 0, 0
    bounds[0] = 0
    for row in range(len(received_ns)):
        known = ordinals[row] >= 0
        begin, end = (events_at[ordinals[row]], events_at[ordinals[row] + 1]) if known else (0, 0)
        score_end, margin_end = _next_number(scores, score_at), _next_number(margins, margin_at)
        at = _put_piece(into, at, _EVENT)
        at = _put(into, at, text, spans[ID_SPAN, row, 0], spans[ID_SPAN, row, 1])
        at = _put_piece(into, at, _INPUT)
        at = _put_hash(into, at, known, sent, begin, end, room)
        at = _put_piece(into, at, _FEATURES)
        given = told.has_features[row] != 0
        at = _put_hash(into, at, given, features, features_at[row], features_at[row + 1], room)
        at = _put_piece(into, at, _OUTCOME)
        at = _put_word(into, at, OUTCOME_WORDS, OUTCOME_BYTES, codes[OUTCOME_CODE, row])
        at = _put_piece(into, at, _SCORE)
        at = _put(into, at, scores, score_at + 1, score_end)
        at = _put_piece(into, at, _MARGIN)
        at = _put_given(into, at, told.has_margin[row] != 0, margins, margin_at + 1, margin_end)
        at = _put_piece(into, at, _THRESHOLDS)
        at = _put_piece(into, at, thresholds)
        at = _put_piece(into, at, _PATH)
        at = _put_word(into, at, PATH_WORDS, PATH_BYTES, codes[PATH_CODE, row])
        at = _put_piece(into, at, _RULES)
        at = _put_text(into, at, text, spans[RULES_SPAN, row, 0], spans[RULES_SPAN, row, 1])
        at = _put_piece(into, at, _MODEL)
        at = _put_text(into, at, text, spans[MODEL_SPAN, row, 0], spans[MODEL_SPAN, row, 1])
        at = _put_piece(into, at, _WORKER)
        at = _put_text(into, at, text, spans[WORKER_SPAN, row, 0], spans[WORKER_SPAN, row, 1])
        at = _put_piece(into, at, _RECEIVED)
        at = _put_number(into, at, received_ns[row])
        at = _put_piece(into, at, _END)
        bounds[row + 1] = at
        score_at, margin_at = score_end, margin_end


def chained_lines(bodies: Texts, late: npt.NDArray[np.bool_], seq: int, head: str) -> tuple[bytes, str]:
    """The lines of decisions that count by their bodies, the first of them record number `seq`, and the last one's
    hash; `head` is the hash of the line before."""
    last = np.frombuffer(head.encode(), np.uint8).copy()
    out = np.empty(int(bodies.bounds[-1] - bodies.bounds[0]) + len(bodies) * LINE_BYTES, np.uint8)
    content, bounds, are_late = (read_only(each) for each in (bodies.content, bodies.bounds, late.view(np.uint8)))
    end = chain_decisions(content, bounds, are_late, seq, last, scratch(), out)
    return out[:end].tobytes(), last.tobytes().decode()


@compiled
def chain_decisions(
    bodies: UInt8s, bounds: Int64s, late: UInt8s, seq: int, head: UInt8s, work: UInt64s, out: UInt8s
) -> int:
    """Into `out` the lines of `chained_lines`; `head` uint8 [64] is the hash of the line before in hexadecimal digits,
    then of the last one. Returns where they end."""
    into, room, body, last = address_of(out), address_of(work), address_of(bodies), address_of(head)
    at = 0
    for row in range(len(late)):
        start = at
        at = _put_piece(into, at, _TOO_LATE) if late[row] else _put_piece(into, at, _ON_TIME)
        at = _put_number(into, at, seq + row)
        put_byte(into, at, COMMA)
        at = _put(into, at + 1, body, bounds[row], bounds[row + 1] - 1)
        at = _put_piece(into, at, _PREV)
        at = _put(into, at, last, 0, HEX_BYTES)
        put_byte(into, at, QUOTE)
        at = _put_piece(into, at + 1, _END)
        digest(into, start, at, HASH_BYTES, room)
        _put_hex(last, 0, room)
        put_byte(into, at - 1, COMMA)
        at = _put_piece(into, at, _HASH)
        at = _put(into, at, last, 0, HEX_BYTES)
        at = _put_piece(into, at, _LINE_END)
    return at
