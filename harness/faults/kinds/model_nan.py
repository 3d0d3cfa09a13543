"""The model answers in time, but with no numbers."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets
from streams.fault_control import ModelFault


class ModelNan(Fault):
    """In a `share` of the calls, drawn at random, every margin is NaN."""

    family: ClassVar[Family] = "model"
    need: ClassVar[Need] = "model"
    felt_by: ClassVar[tuple[Signal, ...]] = ("breaker", "fallback")
    opens_breaker: ClassVar[bool] = True

    kind: Literal["model-nan"]
    share: Annotated[float, Field(gt=0, le=1)] = 1.0

    def inject(self, targets: Targets, seed: int) -> None:
        """From the next call on."""
        targets.of_model().set(ModelFault(kind="nan", share=self.share, seed=seed))

    def lift(self, targets: Targets) -> None:
        """As it was."""
        targets.of_model().set(None)
