"""`external`: a Kafka that somebody else runs, reached with `--bootstrap-servers` and `--kafka-config`."""

import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.brokers.connection import KafkaConnection
from streams.brokers.contract import BrokerInfo, unreachable
from streams.errors import BrokerError

_DIAL_SHARE = 0.4
# Trying again cannot help.
_FINAL = (KafkaError._AUTHENTICATION, KafkaError._SSL)


class ExternalBroker:
    """Somebody else's Kafka: reached within `timeout_s`, never started, never ended."""

    name = "external"

    def __init__(
        self, connection: KafkaConnection, *, timeout_s: float = 9.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._clock = clock
        self._info: BrokerInfo | None = None

    @property
    def info(self) -> BrokerInfo:
        """What was reached; `BrokerError` before `start`."""
        if self._info is None:
            raise BrokerError("the external broker has not been reached yet")
        return self._info

    @property
    def connection(self) -> KafkaConnection:
        """How to reach it."""
        return self._connection

    def start(self) -> BrokerInfo:
        """Reach it. `BrokerError` names each address, why it did not answer and what to check, within `timeout_s`."""
        if self._info is not None:
            return self._info
        from streams.brokers.control import wait_until_ready  # noqa: PLC0415 (loads kafka-python)

        begin = self._clock()
        self._dial()
        self._greet(begin + self._timeout_s)
        left_s = max(begin + self._timeout_s - self._clock(), 1.0)
        release = wait_until_ready(self._connection, timeout_s=left_s)
        servers = self._connection.bootstrap_servers
        self._info = BrokerInfo(self.name, f"Kafka protocol {release}", servers, self._clock() - begin)
        return self._info

    def stop(self) -> None:
        """Forget it; it goes on running."""
        self._info = None

    def memory_bytes(self) -> int | None:
        """Not ours to look into."""
        return None

    def settle(self) -> None:
        """Not ours to disturb."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _dial(self) -> None:
        """Open a plain TCP connection to each address, which says better than a Kafka client why one is not up."""
        limit_s = self._timeout_s * _DIAL_SHARE
        outcomes: dict[tuple[str, int], str | None] = {}
        # Threads, because looking up a name cannot be given a time limit.
        threads = [
            threading.Thread(target=_dial, args=(address, limit_s, outcomes), daemon=True)
            for address in self._connection.addresses
        ]
        for thread in threads:
            thread.start()
        until = self._clock() + limit_s
        for thread in threads:
            thread.join(max(until - self._clock(), 0.01))
        answered = dict(outcomes)
        if any(failure is None for failure in answered.values()):
            return
        reasons = "; ".join(
            f"{host}:{port}: {answered.get((host, port), 'no answer in time')}"
            for host, port in self._connection.addresses
        )
        raise unreachable(self._connection, self._timeout_s, ConnectionError(reasons))

    def _greet(self, until: float) -> None:
        """Ask for metadata with librdkafka, which tells a refused password or certificate at once and in words."""
        seen: list[KafkaError] = []
        client = AdminClient({**self._connection.for_confluent(), "log_level": 0, "error_cb": seen.append})
        failure = "no answer in time"
        while self._clock() < until:
            try:
                client.list_topics(timeout=0.3)
            except KafkaException as error:
                failure = error.args[0].str()
            else:
                return
            client.poll(0)
            refused = [error for error in seen if error.code() in _FINAL]
            if refused:
                raise unreachable(self._connection, self._timeout_s, ConnectionError(refused[0].str()))
        # Several addresses down come after the reason why: the first says more.
        reason = seen[0].str() if seen else failure
        raise unreachable(self._connection, self._timeout_s, ConnectionError(reason))


def _dial(address: tuple[str, int], limit_s: float, outcomes: dict[tuple[str, int], str | None]) -> None:
    try:
        with socket.create_connection(address, timeout=limit_s):
            outcomes[address] = None
    except socket.gaierror as error:
        outcomes[address] = f"the name cannot be resolved ({error.strerror})"
    except TimeoutError:
        outcomes[address] = "no answer in time"
    except OSError as error:
        outcomes[address] = error.strerror or str(error)
