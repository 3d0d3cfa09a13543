"""The kernel's BLAKE2b beside the standard library's."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decision_wire.blake2b import DIGEST_AT, HASH_BYTES, SHORT_BYTES, digest, scratch, short_hashes
from harness.decision_wire.layout import UInt8s, UInt64s, read_only
from harness.decision_wire.texts import Texts
from streams.kernels.compiled import compiled
from streams.kernels.memory import address_of


@compiled
def hashed(text: UInt8s, work: UInt64s) -> None:
    digest(address_of(text), 0, len(text), HASH_BYTES, address_of(work))


def hash_of(content: bytes) -> bytes:
    work = scratch()
    hashed(np.frombuffer(content, np.uint8), work)
    return work.tobytes()[DIGEST_AT : DIGEST_AT + HASH_BYTES]


@given(st.binary(max_size=400))
def test_of_any_bytes(content: bytes) -> None:
    assert hash_of(content) == hashlib.blake2b(content, digest_size=HASH_BYTES).digest()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 255, 256, 257, 384, 70_000])
def test_of_whole_blocks_and_a_byte_more_or_less(size: int) -> None:
    content = np.random.default_rng(size).bytes(size)
    assert hash_of(content) == hashlib.blake2b(content, digest_size=HASH_BYTES).digest()


@given(st.lists(st.binary(max_size=200)))
def test_short_hashes_of_many(values: list[bytes]) -> None:
    texts, found = Texts.of(values), np.empty(len(values), np.uint64)
    spans = np.stack([texts.bounds[:-1], texts.bounds[1:]], axis=1)
    short_hashes(texts.content, read_only(spans), scratch(), found)
    assert found.tobytes() == b"".join(hashlib.blake2b(each, digest_size=SHORT_BYTES).digest() for each in values)
