"""Messages that are no JSON, or no JSON object."""

from typing import ClassVar, Literal

import msgspec
import numpy as np

from harness.faults.input_fault import Fields, SpoiledInput


class InputMalformed(SpoiledInput):
    """Cut off, a key without its quotes, something after the end, a list, bytes that are no text, another encoding, or
    nothing at all: one of these, drawn at random."""

    told_by: ClassVar[tuple[str, ...]] = ("JSON", "truncated", "trailing", "Expected `object`", "utf-8", "UTF-8")

    kind: Literal["input-malformed"]

    def spoil(self, fields: Fields, rng: np.random.Generator) -> bytes:
        """See `SpoiledInput`."""
        message = msgspec.json.encode(fields)
        forms = (
            message[: rng.integers(1, len(message))],
            message.replace(b'"event_id"', b"event_id", 1),
            message + b"}",
            b"[" + message + b"]",
            b"\x00" + rng.bytes(40),
            message.replace(b'"input', b'"\xe9input', 1),
            b"",
        )
        return forms[rng.integers(len(forms))]
