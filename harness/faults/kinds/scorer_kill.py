"""A worker of the scorer ends by SIGKILL, and is started again."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets


class ScorerKill(Fault):
    """Started again `duration_s` later, as a supervisor would; until its group has given it its share, events wait."""

    family: ClassVar[Family] = "scorer"
    need: ClassVar[Need] = "processes"
    felt_by: ClassVar[tuple[Signal, ...]] = ("health", "overdue", "latency", "lag")

    kind: Literal["scorer-kill"]
    duration_s: Annotated[float, Field(gt=0, le=3_600)] = 1.0
    worker: Annotated[int, Field(ge=1, le=64)] = 1

    def inject(self, targets: Targets, seed: int) -> None:
        """SIGKILL."""
        targets.of_processes().kill(self.worker)

    def lift(self, targets: Targets) -> None:
        """Start it again."""
        targets.of_processes().restart(self.worker)
