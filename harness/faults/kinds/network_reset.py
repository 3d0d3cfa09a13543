"""All connections between scorer and broker break, and new ones too."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets


class NetworkReset(Fault):
    """By RST; for `duration_s` every new connection breaks at once."""

    family: ClassVar[Family] = "broker"
    need: ClassVar[Need] = "proxy"
    felt_by: ClassVar[tuple[Signal, ...]] = ("overdue", "latency", "lag")

    kind: Literal["network-reset"]
    duration_s: Annotated[float, Field(gt=0, le=3_600)] = 1.0

    def inject(self, targets: Targets, seed: int) -> None:
        """Now."""
        targets.of_link().refuse()

    def lift(self, targets: Targets) -> None:
        """New connections are let through."""
        targets.of_link().heal()
