"""For a while more events come than can be decided: they have to wait, and all of them must come through."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Signal
from harness.faults.load_fault import LoadFault


class LoadOverload(LoadFault):
    """`rate_per_s` must lie above what the scorer can decide (`bench capacity fraud` finds out), or it is not felt."""

    felt_by: ClassVar[tuple[Signal, ...]] = ("lag", "overdue")

    kind: Literal["load-overload"]
    rate_per_s: Annotated[float, Field(gt=0, le=1_000_000)] = 10_000.0

    def times(self, rate_per_s: float) -> float:
        """See `LoadFault`."""
        return self.rate_per_s / rate_per_s
