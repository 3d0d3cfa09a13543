"""The kernel: the pieces of a micro-batch's decisions one behind the other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.batch import UInt8s
from streams.codec import encode_decision
from streams.decision import OUTCOMES, PATHS, Decision
from streams.kernels.base64 import put_base64
from streams.kernels.compiled import compiled, inlined
from streams.kernels.memory import WORD_BYTES, address_of, put_half, put_word, word_at
from streams.kernels.words import byte_of, copied, packed, zero_byte

Int8s = NDArray[np.int8]
BY_MODEL = PATHS.index("model")
SCORES, MARGINS, IDS, REST, REST_END = range(5)
"""Where in a text the first score, margin and id stand, and what all its decisions say of versions and instants."""

# A quote that ends an id is followed by a comma and the quote of the next one; a number by its comma.
_BEHIND_ID = 3
_BEHIND_NUMBER = 1
_QUOTES = np.uint64(0x2222222222222222)
_COMMAS = np.uint64(0x2C2C2C2C2C2C2C2C)


def said(**fields: Any) -> str:
    """What the encoder writes of these fields, between a decision's score and its end."""
    decision = encode_decision(Decision(event_id="", outcome="approve", score=0.0, **fields))
    return decision.decode().partition('"score":0.0')[2][:-1]


_BEFORE_ID, _BEFORE_ID_BYTES = packed([b'{"event_id":"'])
_BEFORE_SCORE, _BEFORE_SCORE_BYTES = packed([f'","outcome":"{outcome}","score":'.encode() for outcome in OUTCOMES])
_BEHIND_SCORE, _BEHIND_SCORE_BYTES = packed(
    [(said(path=path) + (',"margin":' if path == "model" else "")).encode() for path in PATHS]
)
_END = np.uint64(int.from_bytes(b'"}', "little"))
_END_BYTES = 2
_NOTHING = np.uint64(0)
_NUMBER_BYTES_MAX = len(b"-1.2345678901234567e-308")
PIECES_BYTES = int(
    _BEFORE_ID_BYTES[0] + _BEFORE_SCORE_BYTES.max() + _BEHIND_SCORE_BYTES.max() + 2 * _NUMBER_BYTES_MAX + _END_BYTES
)
"""What a decision has at most beside its id, its features and what it is given as `rest`."""


@compiled
def write_rows(text: UInt8s, places: tuple[int, ...], kinds: Int8s, features: UInt8s, width: int, out: UInt8s) -> None:
    """Write n decisions into `out`, each from a place of its own on, `width` bytes behind the one before, and zeros
    behind it.

    In `text`, from `places` on, stand lists of JSON: n scores, n margins and n ids without escapes, a comma behind
    each; and what stands in all decisions between margin and features. `kinds` int8 [n]: outcome's place times the
    number of paths, and the path's. `features` uint8 [n, B]. Behind `text` there is room for a word, behind the last
    decision for one more.
    """
    words, to_words, bytes_at, row_bytes = address_of(text), address_of(out), address_of(features), features.shape[1]
    score, margin, event_id = places[SCORES], places[MARGINS], places[IDS]
    for row in range(len(kinds)):
        outcome, path = divmod(int(kinds[row]), len(PATHS))
        to = _put(_BEFORE_ID, 0, to_words, row * width) + _BEFORE_ID_BYTES[0]
        begin, event_id = event_id, _copy_to(words, event_id, _QUOTES, to_words, to)
        to = _put(_BEFORE_SCORE, outcome, to_words, to + event_id - begin) + _BEFORE_SCORE_BYTES[outcome]
        begin, score = score, _copy_to(words, score, _COMMAS, to_words, to)
        to = _put(_BEHIND_SCORE, path, to_words, to + score - begin) + _BEHIND_SCORE_BYTES[path]
        begin, margin = margin, _copy_to(words, margin, _COMMAS, to_words, to)
        if path == BY_MODEL:
            to += margin - begin
        to = copied(words, places[REST], places[REST_END], to_words, to)
        to = put_base64(bytes_at, row * row_bytes, (row + 1) * row_bytes, to_words, to)
        put_half(to_words, to, _END)
        for behind in range(to + _END_BYTES, (row + 1) * width, WORD_BYTES):
            put_word(to_words, behind, _NOTHING)
        event_id, score, margin = event_id + _BEHIND_ID, score + _BEHIND_NUMBER, margin + _BEHIND_NUMBER


@inlined
def _put(pieces: NDArray[np.uint64], piece: int, out: int, to: int) -> int:
    for word in range(pieces.shape[1]):
        put_word(out, to + WORD_BYTES * word, pieces[piece, word])
    return to


@inlined
def _copy_to(text: int, at: int, sign: np.uint64, out: int, to: int) -> int:
    """Copy up to the next such sign (eight of it, in a word); its place."""
    while True:
        word = word_at(text, at)
        put_word(out, to, word)
        found = zero_byte(word ^ sign)
        if found:
            return at + byte_of(found)
        at += WORD_BYTES
        to += WORD_BYTES
