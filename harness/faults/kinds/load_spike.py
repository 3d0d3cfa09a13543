"""For a while many times as many events come."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Signal
from harness.faults.load_fault import LoadFault


class LoadSpike(LoadFault):
    """`factor` times as many a second."""

    felt_by: ClassVar[tuple[Signal, ...]] = ("rate",)

    kind: Literal["load-spike"]
    duration_s: Annotated[float, Field(gt=0, le=3_600)] = 3.0
    factor: Annotated[float, Field(gt=1, le=1_000)] = 10.0

    def times(self, rate_per_s: float) -> float:
        """See `LoadFault`."""
        del rate_per_s
        return self.factor
