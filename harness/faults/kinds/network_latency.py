"""The network between scorer and broker becomes slow."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets


class NetworkLatency(Fault):
    """Every piece of data takes `latency_ms` ± `jitter_ms` (uniform), each way, in its order."""

    family: ClassVar[Family] = "broker"
    need: ClassVar[Need] = "proxy"
    felt_by: ClassVar[tuple[Signal, ...]] = ("overdue", "latency")

    kind: Literal["network-latency"]
    latency_ms: Annotated[float, Field(gt=0, le=60_000)] = 100.0
    jitter_ms: Annotated[float, Field(ge=0, le=60_000)] = 20.0

    def inject(self, targets: Targets, seed: int) -> None:
        """From now on."""
        targets.of_link().delay(self.latency_ms, self.jitter_ms, seed)

    def lift(self, targets: Targets) -> None:
        """As it was."""
        targets.of_link().heal()
