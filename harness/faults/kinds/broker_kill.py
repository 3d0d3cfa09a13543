"""The broker ends by SIGKILL, and is started again on its data."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from harness.faults.fault import Family, Fault, Need, Signal
from harness.faults.targets import Targets


class BrokerKill(Fault):
    """It is down for `duration_s`, and then for as long as it takes to start. The load goes on: its producer keeps
    what is due meanwhile."""

    family: ClassVar[Family] = "broker"
    need: ClassVar[Need] = "broker"
    felt_by: ClassVar[tuple[Signal, ...]] = ("overdue", "latency", "lag")
    durable_log: ClassVar[bool] = True

    kind: Literal["broker-kill"]
    duration_s: Annotated[float, Field(gt=0, le=3_600)] = 2.0

    def inject(self, targets: Targets, seed: int) -> None:
        """SIGKILL."""
        targets.of_broker().kill()

    def lift(self, targets: Targets) -> None:
        """Start it again, and wait until it answers."""
        targets.of_broker().revive()
