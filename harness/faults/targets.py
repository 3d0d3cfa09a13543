"""What faults act on while a stream runs: only what this run's faults need is there."""

from dataclasses import dataclass
from typing import Protocol

from streams.fault_control import FaultSwitch


class Processes(Protocol):
    """The scorer's worker processes. Workers are counted from 1."""

    def kill(self, worker: int) -> None:
        """End it by SIGKILL, on purpose."""

    def restart(self, worker: int) -> None:
        """Start it again with the same options; returns at once."""

    def pause(self, worker: int) -> None:
        """SIGSTOP."""

    def go_on(self, worker: int) -> None:
        """SIGCONT."""


class BrokerProcess(Protocol):
    """The broker, where it is ours."""

    def kill(self) -> None:
        """End it by SIGKILL; its data stays."""

    def revive(self) -> None:
        """Start it again on its data and its address; returns when it answers."""

    def pause(self) -> None:
        """SIGSTOP."""

    def go_on(self) -> None:
        """SIGCONT."""


class Link(Protocol):
    """The network between scorer and broker."""

    def delay(self, latency_ms: float, jitter_ms: float, seed: int) -> None:
        """Let every piece of data take this long, each way."""

    def refuse(self) -> None:
        """Break all connections now, by RST, and every new one at once, until healed."""

    def blackhole(self) -> None:
        """Let nothing through; connections stay."""

    def heal(self) -> None:
        """As it was before."""


@dataclass(frozen=True, slots=True)
class Targets:
    """A run's own; None where this run has none."""

    model: FaultSwitch | None = None
    processes: Processes | None = None
    broker: BrokerProcess | None = None
    link: Link | None = None

    def of_model(self) -> FaultSwitch:
        """The model's switch."""
        if self.model is None:
            raise RuntimeError("a fault of the model without a switch")
        return self.model

    def of_processes(self) -> Processes:
        """The scorer's processes."""
        if self.processes is None:
            raise RuntimeError("a fault of the scorer without its processes")
        return self.processes

    def of_broker(self) -> BrokerProcess:
        """The broker's process."""
        if self.broker is None:
            raise RuntimeError("a fault of the broker without its process")
        return self.broker

    def of_link(self) -> Link:
        """The network between scorer and broker."""
        if self.link is None:
            raise RuntimeError("a fault of the network without a link")
        return self.link
