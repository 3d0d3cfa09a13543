"""What every broker offers, whichever it is."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from streams.brokers.connection import KafkaConnection
from streams.errors import BrokerError


@dataclass(frozen=True, slots=True)
class BrokerInfo:
    """A broker that is up. `start_s` is the time from the call to readiness; `pid` is None for an external one.

    `warning` belongs in the results: it says what this broker cannot do as well as a real Kafka would.
    `joins_one_by_one`: two members that join a consumer group at the same time may never be given anything.
    """

    name: str
    version: str
    bootstrap_servers: str
    start_s: float
    pid: int | None = None
    warning: str | None = None
    joins_one_by_one: bool = False


class Broker(Protocol):
    """A Kafka for one run: `start` returns when it answers, `stop` when nothing of it is left."""

    name: str

    @property
    def info(self) -> BrokerInfo:
        """What runs; raises `BrokerError` before `start`."""

    @property
    def connection(self) -> KafkaConnection:
        """How to reach it; raises `BrokerError` before `start`."""

    def start(self) -> BrokerInfo:
        """Start it, or reach it; raises `BrokerError`."""

    def stop(self) -> None:
        """End it and remove its data. May be called twice, and before `start`."""

    def memory_bytes(self) -> int | None:
        """Resident memory now, or None when it is not ours to look into."""

    def settle(self) -> None:
        """Let it clear up what it has left behind, so that this does not fall into what is measured next."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def named(error: BaseException) -> str:
    """An error with its type, which some clients' errors say more with than with their text."""
    name, said = type(error).__name__, str(error)
    if not said or said.startswith(name) or f"] {name}" in said:
        return said or name
    return f"{name}: {said}"


def unreachable(connection: KafkaConnection, timeout_s: float, error: BaseException) -> BrokerError:
    """The error for a Kafka that did not answer: names the address and what to check."""
    hint = "check that it runs, that the address is right and that no firewall is between"
    if connection.security.tls or connection.security.sasl:
        hint += (
            f"; and that security.protocol={connection.security.protocol}, name, password and certificates are right"
        )
    else:
        hint += "; if it asks for TLS or a password, give --kafka-config"
    return BrokerError(
        f"no Kafka answers at {connection.bootstrap_servers} (waited at most {timeout_s:.3g} s): {named(error)}; {hint}"
    )
