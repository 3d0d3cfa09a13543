"""The network between scorer and broker lets nothing through, and says nothing."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets


class NetworkBlackhole(Fault):
    """Connections stay; what was sent meanwhile arrives afterwards, as TCP sends it again."""

    family: ClassVar[Family] = "broker"
    need: ClassVar[Need] = "proxy"
    felt_by: ClassVar[tuple[Signal, ...]] = ("overdue", "latency", "lag")

    kind: Literal["network-blackhole"]
    duration_s: Annotated[float, Field(gt=0, le=3_600)] = 5.0

    def inject(self, targets: Targets, seed: int) -> None:
        """From now on."""
        targets.of_link().blackhole()

    def lift(self, targets: Targets) -> None:
        """As it was."""
        targets.of_link().heal()
