"""Every call of the model takes longer."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets
from streams.fault_control import Delay, ModelFault


class ModelSlow(Fault):
    """By `delay_ms` on average; `distribution` says how it varies, `sigma` how widely where it is lognormal."""

    family: ClassVar[Family] = "model"
    need: ClassVar[Need] = "model"
    felt_by: ClassVar[tuple[Signal, ...]] = ("breaker", "fallback", "overdue", "latency")

    kind: Literal["model-slow"]
    delay_ms: Annotated[float, Field(gt=0, le=600_000)] = 1_200.0
    distribution: Delay = "constant"
    sigma: Annotated[float, Field(gt=0, le=5)] = 0.5

    def inject(self, targets: Targets, seed: int) -> None:
        """From the next call on."""
        fault = ModelFault(kind="slow", delay_ms=self.delay_ms, delay=self.distribution, sigma=self.sigma, seed=seed)
        targets.of_model().set(fault)

    def lift(self, targets: Targets) -> None:
        """As it was."""
        targets.of_model().set(None)
