"""Events with a value that no event can have."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import msgspec
import numpy as np

from harness.faults.input_fault import Fields, SpoiledInput

BEYOND: Mapping[str, Any] = {
    "amount_minor": -1,
    "event_time_ns": -1,
    "card_id": "c" * 129,
    "merchant_id": "",
    "latitude": 90.5,
    "longitude": -180.5,
    "country": "deu",
    "channel": "telepathy",
}


class InputOutOfRange(SpoiledInput):
    """One field of eight, drawn at random: below or above its bounds, too long, empty, or no word of its list."""

    told_by: ClassVar[tuple[str, ...]] = ("Expected", "Invalid enum value")

    kind: Literal["input-out-of-range"]

    def spoil(self, fields: Fields, rng: np.random.Generator) -> bytes:
        """See `SpoiledInput`."""
        name = list(BEYOND)[rng.integers(len(BEYOND))]
        return msgspec.json.encode({**fields, name: BEYOND[name]})
