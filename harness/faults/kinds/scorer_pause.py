"""A worker of the scorer is stopped (SIGSTOP) and goes on (SIGCONT), as on a machine that runs out of breath."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets


class ScorerPause(Fault):
    """Longer than the group's session time-out, its partitions are taken away meanwhile."""

    family: ClassVar[Family] = "scorer"
    need: ClassVar[Need] = "processes"
    felt_by: ClassVar[tuple[Signal, ...]] = ("health", "overdue", "latency", "lag")

    kind: Literal["scorer-pause"]
    duration_s: Annotated[float, Field(gt=0, le=3_600)] = 5.0
    worker: Annotated[int, Field(ge=1, le=64)] = 1

    def inject(self, targets: Targets, seed: int) -> None:
        """SIGSTOP."""
        targets.of_processes().pause(self.worker)

    def lift(self, targets: Targets) -> None:
        """SIGCONT."""
        targets.of_processes().go_on(self.worker)
