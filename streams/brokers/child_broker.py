"""A broker that is a child process of ours: started on a free port, looked into, ended with its data."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.brokers.child import ChildProcess
from streams.brokers.contract import BrokerInfo
from streams.brokers.ports import free_ports
from streams.errors import BrokerError

_log = logging.getLogger("riskbench.streams")

_PORT_TRIES = 3


class ChildBroker(ABC):
    """What `apache` and `embedded` share. `port` is the asked one, or None for any that is free."""

    name: str

    def __init__(self, run_dir: Path, port: int | None, clock: Callable[[], float]) -> None:
        self._run_dir = run_dir.resolve()
        self._port = port
        self._clock = clock
        self._child: ChildProcess | None = None
        self._info: BrokerInfo | None = None

    @abstractmethod
    def start(self) -> BrokerInfo:
        """Start it and wait until it answers."""

    @abstractmethod
    def stop(self) -> None:
        """End it and remove its data."""

    @property
    def info(self) -> BrokerInfo:
        """What is running; `BrokerError` before `start`."""
        if self._info is None:
            raise BrokerError(f"the {self.name} broker is not started")
        return self._info

    @property
    def pid(self) -> int | None:
        """Its process."""
        return None if self._child is None else self._child.pid

    def memory_bytes(self) -> int | None:
        """Resident memory of its process."""
        return None if self._child is None else self._child.memory_bytes()

    def kill(self) -> None:
        """End its process by SIGKILL, on purpose; its data stays, and `revive` starts it on that."""
        self._running().kill()

    def revive(self) -> None:
        """Start it again on its data and its port; returns when it answers. Raises `BrokerError` when it does not."""
        child = self._running()
        if child.pid is None:
            child.start()
            self._await_answer()

    def pause(self) -> None:
        """Stop its process where it is."""
        self._running().pause()

    def go_on(self) -> None:
        """Let it go on."""
        self._running().go_on()

    def _running(self) -> ChildProcess:
        if self._child is None or self._info is None:
            raise BrokerError(f"the {self.name} broker is not started")
        return self._child

    @abstractmethod
    def _await_answer(self) -> None:
        """Wait until the started process answers at the address in `info`; `BrokerError` when it does not."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self, grace_s: float) -> None:
        """End the process and forget it; what it has on disk stays."""
        self._info = None
        if self._child is not None:
            self._child.stop(grace_s)
            self._child = None

    def _launch(self, launch: Callable[[int], None], drop: Callable[[], None]) -> int:
        """`launch` on a free port, and return the port. Somebody may take it first: then on another one.

        `drop` clears away what a failed launch left. Raises `BrokerError` when the run's folder cannot be used.
        """
        for attempt in range(1, _PORT_TRIES + 1):
            port = self._port or free_ports(1)[0]
            try:
                launch(port)
            except OSError as error:
                drop()
                raise BrokerError(f"the broker's folder {self._run_dir} cannot be used: {error}") from error
            except BaseException as error:
                taken = "in use" in str(error)
                drop()
                if not taken or attempt == _PORT_TRIES:
                    raise
                _log.debug("port %d was taken meanwhile; trying another", port)
            else:
                return port
        raise AssertionError  # pragma: no cover (the last attempt returns or raises)
