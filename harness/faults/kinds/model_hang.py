"""No call of the model comes back."""

from typing import ClassVar, Literal

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets
from streams.fault_control import ModelFault


class ModelHang(Fault):
    """Until it is lifted, whoever tells it to stop."""

    family: ClassVar[Family] = "model"
    need: ClassVar[Need] = "model"
    felt_by: ClassVar[tuple[Signal, ...]] = ("breaker", "fallback")
    opens_breaker: ClassVar[bool] = True

    kind: Literal["model-hang"]

    def inject(self, targets: Targets, seed: int) -> None:
        """From the next call on."""
        targets.of_model().set(ModelFault(kind="hang", seed=seed))

    def lift(self, targets: Targets) -> None:
        """As it was; calls that hang come back."""
        targets.of_model().set(None)
