"""One of several workers ends by SIGKILL: the others take its partitions over, and give them back."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets


class WorkerKill(Fault):
    """It is started again `duration_s` later. Shorter than the group's session time-out, nothing is taken over."""

    family: ClassVar[Family] = "scorer"
    need: ClassVar[Need] = "processes"
    felt_by: ClassVar[tuple[Signal, ...]] = ("health", "overdue", "latency", "lag")
    workers_min: ClassVar[int] = 2

    kind: Literal["worker-kill"]
    duration_s: Annotated[float, Field(gt=0, le=3_600)] = 15.0
    worker: Annotated[int, Field(ge=1, le=64)] = 2

    def inject(self, targets: Targets, seed: int) -> None:
        """SIGKILL."""
        targets.of_processes().kill(self.worker)

    def lift(self, targets: Targets) -> None:
        """Start it again."""
        targets.of_processes().restart(self.worker)
