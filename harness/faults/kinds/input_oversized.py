"""Messages longer than any event can be."""

from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np
from pydantic import Field

from harness.faults.input_fault import Fields, SpoiledInput


class InputOversized(SpoiledInput):
    """An event as it should be, but for one field more that makes it `size_bytes` long."""

    told_by: ClassVar[tuple[str, ...]] = ("bytes",)

    kind: Literal["input-oversized"]
    share: Annotated[float, Field(gt=0, le=0.9)] = 0.02
    size_bytes: Annotated[int, Field(gt=65_536, le=500_000)] = 100_000

    def spoil(self, fields: Fields, rng: np.random.Generator) -> bytes:
        """See `SpoiledInput`."""
        del rng
        short = msgspec.json.encode({**fields, "padding": ""})
        return msgspec.json.encode({**fields, "padding": "x" * (self.size_bytes - len(short))})
