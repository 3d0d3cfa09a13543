"""Base64 as Python's own library writes and reads it."""

import binascii

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.kernels.base64 import base64_bytes, decode_base64, put_base64
from streams.kernels.compiled import compiled
from streams.kernels.json_fields import JSON_PADDING, NOT_PLAIN
from streams.kernels.memory import address_of

UInt8s = NDArray[np.uint8]


@compiled
def encode(text: UInt8s, out: UInt8s) -> int:
    return put_base64(address_of(text), 0, len(text), address_of(out), 0)


@compiled
def decode(text: UInt8s, out: UInt8s) -> tuple[int, int]:
    return decode_base64(address_of(text), 0, address_of(out), 0)


def read(content: bytes) -> bytes | None:
    """A string of JSON by the kernel; None: it is not plain, or something stands behind it."""
    out = np.zeros(len(content) + 4, np.uint8)
    behind, end = decode(np.frombuffer(content + JSON_PADDING, np.uint8), out)
    return out[:end].tobytes() if behind == len(content) and behind != NOT_PLAIN else None


def oracle(content: bytes) -> bytes | None:
    """Base64 that is written as it would be."""
    if len(content) < 2 or not content.startswith(b'"') or not content.endswith(b'"'):
        return None
    try:
        found = binascii.a2b_base64(content[1:-1], strict_mode=True)
    except binascii.Error:
        return None
    return found if binascii.b2a_base64(found, newline=False) == content[1:-1] else None


@given(st.binary(max_size=400))
@example(bytes(range(256)))
@example(b"\xff" * 2)
def test_bytes_are_written_as_base64(text: bytes) -> None:
    out = np.zeros(base64_bytes(len(text)), np.uint8)
    length = encode(np.frombuffer(text, np.uint8), out)
    assert out[:length].tobytes() == binascii.b2a_base64(text, newline=False)


@given(st.binary(max_size=100))
@example(bytes(range(256)))
def test_base64_is_read(text: bytes) -> None:
    assert read(b'"' + binascii.b2a_base64(text, newline=False) + b'"') == text


@given(st.lists(st.sampled_from(b'Zgm98+/-_=" A\\\x00\xff'), max_size=12).map(bytes))
@example(b"Zg==")
@example(b"Zh==")
@example(b"Zm9=")
@example(b"====")
@example(b"AAAA====")
def test_what_is_no_base64_is_left_to_the_decoder(inner: bytes) -> None:
    content = b'"' + inner + b'"'
    assert read(content) == oracle(content)
