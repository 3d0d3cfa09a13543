"""Events in a currency that does not exist."""

from typing import ClassVar, Literal

import msgspec
import numpy as np

from harness.faults.input_fault import Fields, SpoiledInput
from streams.currencies import CURRENCIES

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class InputUnknownCurrency(SpoiledInput):
    """Three capital letters, drawn at random until they are no code of ISO 4217."""

    told_by: ClassVar[tuple[str, ...]] = ("$.currency",)

    kind: Literal["input-unknown-currency"]

    def spoil(self, fields: Fields, rng: np.random.Generator) -> bytes:
        """See `SpoiledInput`."""
        while True:
            code = "".join(LETTERS[place] for place in rng.integers(len(LETTERS), size=3))
            if code not in CURRENCIES:
                return msgspec.json.encode({**fields, "currency": code})
