"""One call of the model takes long, and no other."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets
from streams.fault_control import ModelFault


class ModelStall(Fault):
    """The first call of each worker takes `stall_ms` more."""

    family: ClassVar[Family] = "model"
    need: ClassVar[Need] = "model"
    felt_by: ClassVar[tuple[Signal, ...]] = ("breaker", "fallback", "overdue", "latency")

    kind: Literal["model-stall"]
    stall_ms: Annotated[float, Field(gt=0, le=600_000)] = 1_500.0

    def inject(self, targets: Targets, seed: int) -> None:
        """The next call."""
        targets.of_model().set(ModelFault(kind="stall", delay_ms=self.stall_ms, seed=seed))

    def lift(self, targets: Targets) -> None:
        """As it was."""
        targets.of_model().set(None)
