"""The broker is stopped (SIGSTOP) and goes on (SIGCONT)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets


class BrokerPause(Fault):
    """Connections stay; nobody answers on them."""

    family: ClassVar[Family] = "broker"
    need: ClassVar[Need] = "broker"
    felt_by: ClassVar[tuple[Signal, ...]] = ("overdue", "latency", "lag")

    kind: Literal["broker-pause"]
    duration_s: Annotated[float, Field(gt=0, le=3_600)] = 5.0

    def inject(self, targets: Targets, seed: int) -> None:
        """SIGSTOP."""
        targets.of_broker().pause()

    def lift(self, targets: Targets) -> None:
        """SIGCONT."""
        targets.of_broker().go_on()
