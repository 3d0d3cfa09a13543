"""Events with a field of another type than the schema's."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec
import numpy as np

from harness.faults.input_fault import Fields, SpoiledInput

WRONG: Mapping[str, Any] = {
    "event_id": 7,
    "event_time_ns": "2026-03-07T10:00:00Z",
    "card_id": ["card"],
    "amount_minor": "12.34",
    "currency": 978,
    "merchant_id": {"name": "shop"},
    "latitude": "50.1",
    "is_refund": "no",
}
"""Mistakes that producers make: a time in words, money as text, the numeric code of a currency."""


class InputWrongType(SpoiledInput):
    """One field of eight, drawn at random."""

    told_by: ClassVar[tuple[str, ...]] = ("Expected",)

    kind: Literal["input-wrong-type"]

    def spoil(self, fields: Fields, rng: np.random.Generator) -> bytes:
        """See `SpoiledInput`."""
        name = list(WRONG)[rng.integers(len(WRONG))]
        return msgspec.json.encode({**fields, name: WRONG[name]})
