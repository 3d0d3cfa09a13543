"""Events whose time lies far behind the stream."""

from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np
from pydantic import Field

from harness.faults.input_fault import Fields, SpoiledInput
from streams.labels import NS_PER_DAY


class InputFarPast(SpoiledInput):
    """By `days`, more than the scorer believes (scorer.event_behind_days_max): there is no history to judge them by."""

    told_by: ClassVar[tuple[str, ...]] = ("event_time_ns",)

    kind: Literal["input-far-past"]
    days: Annotated[int, Field(ge=1, le=18_250)] = 3_650

    def spoil(self, fields: Fields, rng: np.random.Generator) -> bytes:
        """See `SpoiledInput`."""
        del rng
        return msgspec.json.encode({**fields, "event_time_ns": fields["event_time_ns"] - self.days * NS_PER_DAY})
