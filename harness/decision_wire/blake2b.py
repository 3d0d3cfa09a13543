"""BLAKE2b (RFC 7693) for kernels: without key, salt and personalisation, as `hashlib.blake2b` with a digest size."""

import numpy as np

from harness.decision_wire.layout import Int64s, UInt8s, UInt64s
from streams.kernels.compiled import compiled, inlined
from streams.kernels.memory import WORD_BYTES, address_of, copy_bytes, put_word, word_at

BLOCK_BYTES, BLOCK_WORDS, STATE_WORDS = 128, 16, 8
DIGEST_AT = WORD_BYTES * BLOCK_WORDS
SCRATCH_WORDS = BLOCK_WORDS + STATE_WORDS
"""What hashing needs room for: a block, then the state, which begins with the digest."""
HASH_BYTES = 32
SHORT_BYTES = 8
_IV = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    np.uint64,
)  # fmt: skip
_PARAMETERS = np.uint64(0x01010000)
"""No key, one leaf; the digest's size stands below."""
_WORD_BITS = np.uint64(64)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
Word = np.uint64
Four = tuple[Word, Word, Word, Word]
Rows = tuple[Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word, Word]


def scratch() -> UInt64s:
    """Room for hashing."""
    return np.zeros(SCRATCH_WORDS, np.uint64)


@inlined
def _turned(value: np.uint64, bits: np.uint64) -> np.uint64:
    return (value >> bits) | (value << (_WORD_BITS - bits))


@inlined
def _mixed(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, x: np.uint64, y: np.uint64) -> Four:
    """The mixing function G."""
    a = a + b + x
    d = _turned(d ^ a, np.uint64(32))
    c = c + d
    b = _turned(b ^ c, np.uint64(24))
    a = a + b + y
    d = _turned(d ^ a, np.uint64(16))
    c = c + d
    b = _turned(b ^ c, np.uint64(63))
    return a, b, c, d


@inlined
def _round(
    v: Rows,
    m0: Word, m1: Word, m2: Word, m3: Word, m4: Word, m5: Word, m6: Word, m7: Word,
    m8: Word, m9: Word, m10: Word, m11: Word, m12: Word, m13: Word, m14: Word, m15: Word,
) -> Rows:  # fmt: skip
    """A round: columns, then diagonals; the message's words are in this round's order."""
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15 = v
    v0, v4, v8, v12 = _mixed(v0, v4, v8, v12, m0, m1)
    v1, v5, v9, v13 = _mixed(v1, v5, v9, v13, m2, m3)
    v2, v6, v10, v14 = _mixed(v2, v6, v10, v14, m4, m5)
    v3, v7, v11, v15 = _mixed(v3, v7, v11, v15, m6, m7)
    v0, v5, v10, v15 = _mixed(v0, v5, v10, v15, m8, m9)
    v1, v6, v11, v12 = _mixed(v1, v6, v11, v12, m10, m11)
    v2, v7, v8, v13 = _mixed(v2, v7, v8, v13, m12, m13)
    v3, v4, v9, v14 = _mixed(v3, v4, v9, v14, m14, m15)
    return v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15


@compiled
def _compress(state: int, block: int, count: int, last: bool) -> None:
    """The compression function F: a block into the state, when `count` bytes have been taken with it; both are
    addresses."""
    m0, m1, m2, m3 = word_at(block, 0), word_at(block, 8), word_at(block, 16), word_at(block, 24)
    m4, m5, m6, m7 = word_at(block, 32), word_at(block, 40), word_at(block, 48), word_at(block, 56)
    m8, m9, m10, m11 = word_at(block, 64), word_at(block, 72), word_at(block, 80), word_at(block, 88)
    m12, m13, m14, m15 = word_at(block, 96), word_at(block, 104), word_at(block, 112), word_at(block, 120)
    h0, h1, h2, h3 = word_at(state, 0), word_at(state, 8), word_at(state, 16), word_at(state, 24)
    h4, h5, h6, h7 = word_at(state, 32), word_at(state, 40), word_at(state, 48), word_at(state, 56)
    ends = _ALL if last else np.uint64(0)
    v = (
        h0, h1, h2, h3, h4, h5, h6, h7,
        _IV[0], _IV[1], _IV[2], _IV[3], _IV[4] ^ np.uint64(count), _IV[5], _IV[6] ^ ends, _IV[7],
    )  # fmt: skip
    v = _round(v, m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15)
    v = _round(v, m14, m10, m4, m8, m9, m15, m13, m6, m1, m12, m0, m2, m11, m7, m5, m3)
    v = _round(v, m11, m8, m12, m0, m5, m2, m15, m13, m10, m14, m3, m6, m7, m1, m9, m4)
    v = _round(v, m7, m9, m3, m1, m13, m12, m11, m14, m2, m6, m5, m10, m4, m0, m15, m8)
    v = _round(v, m9, m0, m5, m7, m2, m4, m10, m15, m14, m1, m11, m12, m6, m8, m3, m13)
    v = _round(v, m2, m12, m6, m10, m0, m11, m8, m3, m4, m13, m7, m5, m15, m14, m1, m9)
    v = _round(v, m12, m5, m1, m15, m14, m13, m4, m10, m0, m7, m6, m3, m9, m2, m8, m11)
    v = _round(v, m13, m11, m7, m14, m12, m1, m3, m9, m5, m0, m15, m4, m8, m6, m2, m10)
    v = _round(v, m6, m15, m14, m9, m11, m3, m0, m8, m12, m2, m13, m7, m1, m4, m10, m5)
    v = _round(v, m10, m2, m8, m4, m7, m6, m1, m5, m15, m11, m9, m14, m3, m12, m13, m0)
    v = _round(v, m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15)
    v = _round(v, m14, m10, m4, m8, m9, m15, m13, m6, m1, m12, m0, m2, m11, m7, m5, m3)
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15 = v
    put_word(state, 0, h0 ^ v0 ^ v8)
    put_word(state, 8, h1 ^ v1 ^ v9)
    put_word(state, 16, h2 ^ v2 ^ v10)
    put_word(state, 24, h3 ^ v3 ^ v11)
    put_word(state, 32, h4 ^ v4 ^ v12)
    put_word(state, 40, h5 ^ v5 ^ v13)
    put_word(state, 48, h6 ^ v6 ^ v14)
    put_word(state, 56, h7 ^ v7 ^ v15)


@inlined
def digest(text: int, start: int, end: int, size: int, work: int) -> None:
    """Hash the text at an address from `start` to `end`: the digest stands from DIGEST_AT on in `work` (the address of
    `scratch`), `size` bytes of it."""
    state = work + DIGEST_AT
    for word in range(STATE_WORDS):
        put_word(state, WORD_BYTES * word, _IV[word])
    put_word(state, 0, _IV[0] ^ _PARAMETERS ^ np.uint64(size))
    at = start
    while end - at > BLOCK_BYTES:
        _compress(state, text + at, at + BLOCK_BYTES - start, False)
        at += BLOCK_BYTES
    for word in range(BLOCK_WORDS):
        put_word(work, WORD_BYTES * word, np.uint64(0))
    copy_bytes(work, text + at, end - at)
    _compress(state, work, end - start, True)


@compiled
def short_hashes(text: UInt8s, spans: Int64s, work: UInt64s, out: UInt64s) -> None:
    """Into `out` [n], of each span [n, 2] of a text its digest of SHORT_BYTES, as a number."""
    address, room = address_of(text), address_of(work)
    for row in range(len(spans)):
        digest(address, spans[row, 0], spans[row, 1], SHORT_BYTES, room)
        out[row] = work[BLOCK_WORDS]
