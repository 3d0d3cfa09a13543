"""`apache`: a real Apache Kafka in KRaft mode (broker and controller in one process), without Docker."""

import logging
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from streams.brokers.child import ChildProcess, wait_until
from streams.brokers.child_broker import ChildBroker
from streams.brokers.connection import KafkaConnection, KafkaSecurity
from streams.brokers.contract import BrokerInfo
from streams.brokers.jars import KafkaHome, Progress, exclusive, resolve_jars
from streams.brokers.java import Java, find_java
from streams.brokers.java_archive import ClassArchive
from streams.brokers.java_attach import collect_garbage
from streams.brokers.kafka_server import (
    log4j_text,
    meta_properties_text,
    properties_text,
    server_settings,
    with_proxied_listener,
)
from streams.brokers.ports import LOOPBACK, answers, free_ports, require_free
from streams.errors import BrokerError

_log = logging.getLogger("riskbench.streams")

_START_TIMEOUT_S = 90.0
_STOP_GRACE_S = 5.0
YOUNG_SHARE = 0.5
"""Of the heap, for new objects; what a broker of a benchmark keeps is some 35 MiB."""


class ApacheBroker(ChildBroker):
    """Apache Kafka as a child process: its data in `run_dir/broker` (removed at the end), its logs in `run_dir/logs`.

    `cache_dir` keeps the jars, a formatted storage to copy and a class archive for a quick start, for all runs.
    `overrides` are server settings in Kafka's own names that win over ours; where they ask clients for TLS or a
    password, `security` is what a client answers. With `proxied_port` it has a second listener, whose clients are told
    to come to that port: where a proxy listens, and passes them on to `behind_proxy`.
    """

    name = "apache"

    def __init__(
        self,
        run_dir: Path,
        cache_dir: Path,
        *,
        port: int | None = None,
        heap_mib: int = 384,
        environ: Mapping[str, str] | None = None,
        maven_settings: Path | None = None,
        overrides: Mapping[str, str] | None = None,
        security: KafkaSecurity | None = None,
        progress: Progress | None = None,
        clock: Callable[[], float] = time.monotonic,
        proxied_port: int | None = None,
    ) -> None:
        super().__init__(run_dir, port, clock)
        self._cache_dir = cache_dir
        self._heap_mib = heap_mib
        self._environ = environ
        self._maven_settings = maven_settings
        self._overrides = overrides
        self._security = security or KafkaSecurity()
        self._progress = progress
        self._proxied_port = proxied_port
        self._behind_proxy: int | None = None

    @property
    def behind_proxy(self) -> tuple[str, int]:
        """Where the proxy that was named by `proxied_port` finds the broker; `BrokerError` without one."""
        if self._behind_proxy is None:
            raise BrokerError("the apache broker was not started behind a proxy")
        return LOOPBACK, self._behind_proxy

    @property
    def connection(self) -> KafkaConnection:
        """How to reach it; `BrokerError` before `start`."""
        return KafkaConnection(self.info.bootstrap_servers, self._security)

    def start(self) -> BrokerInfo:
        """Start Kafka and wait until it answers. The first time ever, its jars are fetched and it is made ready.

        Raises `JarsMissingError` or `JavaMissingError` where Kafka cannot be had, and `BrokerError` (with the end of
        its log) when it does not come up.
        """
        if self._info is not None:
            return self._info
        if self._port is not None:
            require_free(self._port)
        java = find_java(self._environ)
        home = resolve_jars(self._cache_dir, maven_settings=self._maven_settings, progress=self._progress)
        template = storage_template(java, home)
        archive = ClassArchive(java, home, java_command(java, home, self._heap_mib))
        if archive.wanted and not archive.ready:
            self._record(java, home, template, archive)
        begin = self._clock()
        port = self._start_server(java, home, template, archive.use_options())
        self._info = BrokerInfo(
            name=self.name,
            version=home.version,
            bootstrap_servers=f"{LOOPBACK}:{port}",
            start_s=self._clock() - begin,
            pid=self.pid,
        )
        return self._info

    def settle(self) -> None:
        """Collect Java's garbage now (Linux): the first collections after the start copy what is there for good, and
        would hold the broker for some 50 ms each while it is measured. One that cannot be had is said in the log."""
        pid = self.pid
        if pid is None or not sys.platform.startswith("linux"):
            return
        try:
            collect_garbage(pid)
        except BrokerError as error:
            _log.warning("%s", error)

    def stop(self) -> None:
        """End Kafka and remove its data. Its logs stay."""
        self._drop(_STOP_GRACE_S)

    def _drop(self, grace_s: float) -> None:
        self._end(grace_s)
        shutil.rmtree(self._data_dir.parent, ignore_errors=True)

    @property
    def _data_dir(self) -> Path:
        return self._run_dir / "broker" / "data"

    def _start_server(self, java: Java, home: KafkaHome, template: Path, options: list[str]) -> int:
        """Start the server on a port that is free, and return it."""
        command = self._command(java, home, options)

        def launch(port: int) -> None:
            controller_port, behind_port = free_ports(2)
            self._behind_proxy = None if self._proxied_port is None else behind_port
            self._lay_out(template, port, controller_port)
            self._child = ChildProcess(command, self._logs / "broker-process.log")
            self._child.start()
            self._await(port)

        return self._launch(launch, lambda: self._drop(0.0))

    @property
    def _logs(self) -> Path:
        return self._run_dir / "logs"

    def _lay_out(self, template: Path, port: int, controller_port: int) -> None:
        """Write storage and configuration of a fresh server."""
        folder = self._data_dir.parent
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        shutil.copytree(template, self._data_dir)
        (self._data_dir / "meta.properties").write_text(meta_properties_text(self._data_dir), encoding="utf-8")
        settings = server_settings(self._data_dir, port, controller_port, self._overrides)
        if self._proxied_port is not None and self._behind_proxy is not None:
            settings = with_proxied_listener(settings, self._behind_proxy, self._proxied_port)
        (folder / "server.properties").write_text(properties_text(settings), encoding="utf-8")
        (folder / "log4j2.properties").write_text(log4j_text(), encoding="utf-8")

    def _command(self, java: Java, home: KafkaHome, extra: list[str]) -> list[str]:
        folder = self._data_dir.parent
        return [
            *java_command(java, home, self._heap_mib),
            *extra,
            f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}",
            f"-Driskbench.log={self._logs / 'broker.log'}",
            f"-XX:ErrorFile={self._logs / 'broker-crash.log'}",
            "kafka.Kafka",
            str(folder / "server.properties"),
        ]

    def _await_answer(self) -> None:
        self._await(self.connection.addresses[0][1])

    def _await(self, port: int) -> None:
        child = self._child
        if child is None:
            raise BrokerError("the apache broker is not started")
        up = wait_until(
            lambda: child.exit_code is not None or answers(LOOPBACK, port),
            timeout_s=_START_TIMEOUT_S,
            clock=self._clock,
        )
        if not up or child.exit_code is not None:
            ended = "did not answer" if child.exit_code is None else f"ended with {child.exit_code}"
            raise BrokerError(f"Apache Kafka {ended} while starting; its last words were:\n{self._last_words()}")
        from streams.brokers.control import wait_until_ready  # noqa: PLC0415 (loads kafka-python)

        wait_until_ready(KafkaConnection(f"{LOOPBACK}:{port}", self._security), timeout_s=_START_TIMEOUT_S)

    def _last_words(self) -> str:
        child = "" if self._child is None else self._child.last_words()
        try:
            log = (self._logs / "broker.log").read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
        except OSError:
            log = []
        return "\n".join([*log, child])

    def _record(self, java: Java, home: KafkaHome, template: Path, archive: ClassArchive) -> None:
        """Run Kafka once to record which classes it loads, so that every later start is quick."""
        with exclusive(home.folder / ".archive-lock"):
            if archive.ready:
                return
            if self._progress is not None:
                self._progress("preparing Apache Kafka for quick starts", 0, 1)
            archive.record(
                lambda run_dir, options: _run_once(
                    ApacheBroker(run_dir, self._cache_dir, heap_mib=self._heap_mib), java, home, template, options
                )
            )
            if self._progress is not None:
                self._progress("preparing Apache Kafka for quick starts", 1, 1)


def _run_once(broker: ApacheBroker, java: Java, home: KafkaHome, template: Path, options: list[str]) -> None:
    from streams.brokers.java_archive import RECORD_GRACE_S, exercise  # noqa: PLC0415

    try:
        port = broker._start_server(java, home, template, options)
        exercise(KafkaConnection(f"{LOOPBACK}:{port}"))
    finally:
        broker._drop(RECORD_GRACE_S)


def java_command(java: Java, home: KafkaHome, heap_mib: int) -> list[str]:
    """The Java command line up to the main class: heap, collector and what keeps the machine undisturbed."""
    return [
        str(java.program),
        f"-Xms{heap_mib}m",
        f"-Xmx{heap_mib}m",
        # Requests leave much behind: a larger part for it is collected less often, and each time takes some 10 ms.
        f"-Xmn{heap_mib * YOUNG_SHARE:.0f}m",
        "-XX:+UseSerialGC",
        # The first compiler only: in runs of minutes the second costs more processor time than it gives back.
        "-XX:TieredStopAtLevel=1",
        "-Xss512k",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        # Java's own remarks about its class archive are of no use to anybody here; its errors are.
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        "-Djava.awt.headless=true",
        "-Djdk.nio.maxCachedBufferSize=262144",
        "-cp",
        home.class_path,
    ]


def storage_template(java: Java, home: KafkaHome) -> Path:
    """A storage formatted by Kafka's own tool, to be copied for each run: formatting takes a second, copying nothing.

    What the tool writes depends on the Kafka version alone, but for the identity in `meta.properties`.
    """
    template = home.folder / "format"
    if template.is_dir():
        return template
    with exclusive(home.folder / ".format-lock"):
        if template.is_dir():
            return template
        staged = home.folder / ".format"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        settings = staged.with_suffix(".properties")
        settings.write_text(properties_text(server_settings(staged, 9092, 9093)), encoding="utf-8")
        command = [*java_command(java, home, 64), "kafka.tools.StorageTool", "format"]
        command += ["-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", str(settings)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise BrokerError(
                f"Kafka's storage tool ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-600:]}"
            )
        (staged / "meta.properties").unlink()
        staged.rename(template)
    return template
