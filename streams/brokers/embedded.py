"""`embedded`: `noida-db`, one small program that speaks Kafka, for machines where Kafka itself cannot be had."""

import os
import shutil
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from streams.brokers.child import ChildProcess, wait_until
from streams.brokers.child_broker import ChildBroker
from streams.brokers.connection import KafkaConnection
from streams.brokers.contract import BrokerInfo
from streams.brokers.ports import LOOPBACK, answers, require_free
from streams.errors import BrokerError

_START_TIMEOUT_S = 30.0

EMBEDDED_WARNING = (
    "the embedded broker (noida-db) is not Apache Kafka: it rewrites its whole log every few seconds and its fetches "
    "slow down as the log grows, so latencies rise with the length of the run, and a killed broker loses messages. "
    "Use it for short runs only, and never quote its latencies as Kafka's."
)


class EmbeddedBroker(ChildBroker):
    """noida-db as a child process: its data in `run_dir/broker` (removed at the end), its log in `run_dir/logs`.

    `because` is why it was taken instead of Kafka; it becomes part of the warning in the results.
    """

    name = "embedded"

    def __init__(
        self,
        run_dir: Path,
        *,
        port: int | None = None,
        because: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(run_dir, port, clock)
        self._warning = EMBEDDED_WARNING if because is None else f"{because}. Instead: {EMBEDDED_WARNING}"

    @property
    def connection(self) -> KafkaConnection:
        """How to reach it; `BrokerError` before `start`."""
        return KafkaConnection(self.info.bootstrap_servers)

    def start(self) -> BrokerInfo:
        """Start it and wait until it answers; `BrokerError` when it is not installed or does not come up."""
        if self._info is not None:
            return self._info
        if self._port is not None:
            require_free(self._port)
        program, release = _program()
        begin = self._clock()
        port = self._launch(lambda port: self._start_program(program, port), self.stop)
        self._info = BrokerInfo(
            name=self.name,
            version=f"noida-db {release}",
            bootstrap_servers=f"{LOOPBACK}:{port}",
            start_s=self._clock() - begin,
            pid=self.pid,
            warning=self._warning,
            joins_one_by_one=True,
        )
        return self._info

    def settle(self) -> None:
        """Nothing: it leaves nothing behind."""

    def stop(self) -> None:
        """End it at once (what it would still write is not wanted) and remove its data."""
        self._end(0.0)
        shutil.rmtree(self._run_dir / "broker", ignore_errors=True)

    def _start_program(self, program: Path, port: int) -> None:
        folder = self._run_dir / "broker"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = [str(program), "start", "--only", "kafka", "--kafka-port", str(port)]
        command += ["--host", LOOPBACK, "--data-dir", str(folder)]
        # It answers a fetch that finds nothing at once, whatever wait was asked for, and so is asked again at once, by
        # every consumer, without end: served before the others it would keep them from coming to anything.
        self._child = ChildProcess(command, self._run_dir / "logs" / "broker-process.log", gives_way=True)
        self._child.start()
        self._await(self._child, port)

    def _await_answer(self) -> None:
        self._await(self._running(), self.connection.addresses[0][1])

    def _await(self, child: ChildProcess, port: int) -> None:
        up = wait_until(
            lambda: child.exit_code is not None or answers(LOOPBACK, port),
            timeout_s=_START_TIMEOUT_S,
            clock=self._clock,
        )
        if not up or child.exit_code is not None:
            ended = "did not answer" if child.exit_code is None else f"ended with {child.exit_code}"
            raise BrokerError(f"noida-db {ended} while starting; its last words were:\n{child.last_words()}")
        from streams.brokers.control import wait_until_ready  # noqa: PLC0415 (loads kafka-python)

        wait_until_ready(KafkaConnection(f"{LOOPBACK}:{port}"), timeout_s=_START_TIMEOUT_S)


def _program() -> tuple[Path, str]:
    """The program that the noida-db package brings, and its version."""
    try:
        package = files("noida_db")
        release = version("noida-db")
    except (ImportError, PackageNotFoundError) as error:
        raise BrokerError("the embedded broker needs the package noida-db, which is not installed here") from error
    program = Path(str(package / "noida-db"))
    try:
        if not os.access(program, os.X_OK):
            program.chmod(0o755)
    except OSError as error:
        raise BrokerError(f"{program} cannot be made executable: {error}") from error
    return program, release
