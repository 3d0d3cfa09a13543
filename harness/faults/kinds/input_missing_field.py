"""Events that lack a field which every event must have."""

from typing import ClassVar, Literal

import msgspec
import numpy as np

from harness.faults.input_fault import Fields, SpoiledInput

REQUIRED = ("event_id", "event_time_ns", "card_id", "amount_minor", "currency")


class InputMissingField(SpoiledInput):
    """One of the five, drawn at random."""

    told_by: ClassVar[tuple[str, ...]] = ("missing required field",)

    kind: Literal["input-missing-field"]

    def spoil(self, fields: Fields, rng: np.random.Generator) -> bytes:
        """See `SpoiledInput`."""
        del fields[REQUIRED[rng.integers(len(REQUIRED))]]
        return msgspec.json.encode(fields)
