"""What faults of the load have in common: they are in the schedule before the run begins."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from harness.faults.fault import Family, Fault, Need
from streams.arrivals import Surge


class LoadFault(Fault):
    """A stretch of the schedule at another rate."""

    family: ClassVar[Family] = "load"
    need: ClassVar[Need] = "schedule"

    @abstractmethod
    def times(self, rate_per_s: float) -> float:
        """The rate during it ÷ `rate_per_s`, the load's own."""


def surges_of(faults: Sequence[Fault], rate_per_s: float) -> list[Surge]:
    """The stretches of a schedule that its faults of the load change, in order of time."""
    found = [
        Surge(fault.at_s, fault.at_s + fault.duration_s, fault.times(rate_per_s))
        for fault in faults
        if isinstance(fault, LoadFault) and fault.at_s is not None
    ]
    return sorted(found, key=lambda surge: surge.from_s)
