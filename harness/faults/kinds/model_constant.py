"""The model answers in time, and always the same: no guard of calls sees it, only a look at the scores does."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets
from streams.fault_control import ModelFault


class ModelConstant(Fault):
    """Every raw margin (log-odds) is `margin`; the default is of an event that nobody would look at."""

    family: ClassVar[Family] = "model"
    need: ClassVar[Need] = "model"
    felt_by: ClassVar[tuple[Signal, ...]] = ("score",)

    kind: Literal["model-constant"]
    margin: Annotated[float, Field(ge=-50, le=50)] = -8.0

    def inject(self, targets: Targets, seed: int) -> None:
        """From the next call on."""
        targets.of_model().set(ModelFault(kind="constant", margin=self.margin, seed=seed))

    def lift(self, targets: Targets) -> None:
        """As it was."""
        targets.of_model().set(None)
