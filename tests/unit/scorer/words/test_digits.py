"""Base64 as Python's own library writes it."""

import base64
import binascii

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from scorer.words import digits


@given(st.binary(max_size=400))
@example(bytes(range(256)))
@example(b"\xff" * 2)
def test_bytes_are_written_as_base64(text: bytes) -> None:
    out = np.zeros(digits.base64_bytes(len(text)), np.uint8)
    length = digits.base64(np.frombuffer(text, np.uint8), out)
    assert out[:length].tobytes() == binascii.b2a_base64(text, newline=False) == base64.b64encode(text)
