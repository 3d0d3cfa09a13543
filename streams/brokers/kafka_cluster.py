"""Several Kafka nodes on this machine, each broker and controller, so that one can be killed and nothing is lost."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.brokers.apache import java_command, storage_template
from streams.brokers.child import ChildProcess, wait_until
from streams.brokers.connection import KafkaConnection
from streams.brokers.jars import KafkaHome, resolve_jars
from streams.brokers.java import Java, find_java
from streams.brokers.kafka_server import log4j_text, meta_properties_text, properties_text, server_settings
from streams.brokers.ports import LOOPBACK, free_ports
from streams.errors import BrokerError

_UP_LIMIT_S = 120.0
_STOP_GRACE_S = 5.0
_ASKING_S = 1.0


@dataclass(frozen=True, slots=True)
class NodePlace:
    """A node's number (from 1), ports and folder: they stay its own when it is started again."""

    number: int
    port: int
    controller_port: int
    folder: Path

    @property
    def data(self) -> Path:
        """Its log directory."""
        return self.folder / "data"


def cluster_settings(node: NodePlace, nodes: list[NodePlace]) -> dict[str, str]:
    """A node's settings: every topic has a copy on each node, and a record is acknowledged by more than half."""
    copies, majority = str(len(nodes)), str(len(nodes) // 2 + 1)
    replicated = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    overrides = {
        "node.id": str(node.number),
        "controller.quorum.voters": ",".join(f"{other.number}@{LOOPBACK}:{other.controller_port}" for other in nodes),
        "default.replication.factor": copies,
        "min.insync.replicas": majority,
        **{f"{name}.replication.factor": copies for name in replicated},
        **{f"{name}.min.isr": majority for name in replicated if name != "offsets.topic"},
        # A node that was killed is missed after three seconds, not nine.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",
        "controlled.shutdown.enable": "true",
    }
    return server_settings(node.data, node.port, node.controller_port, overrides)


@dataclass(slots=True)
class KafkaCluster:
    """`count` nodes below `run_dir`; a context manager. `kill` and `restart` one of them; the end removes their data.

    Raises `BrokerError` (with the end of a node's log) when they do not come up.
    """

    run_dir: Path
    cache_dir: Path
    count: int = 3
    heap_mib: int = 192
    environ: Mapping[str, str] | None = None
    clock: Callable[[], float] = time.monotonic
    nodes: list[NodePlace] = field(default_factory=list)
    _children: dict[int, ChildProcess] = field(default_factory=dict)

    @property
    def connection(self) -> KafkaConnection:
        """Reaches all nodes; a client goes on with those that are left."""
        if not self.nodes:
            raise BrokerError("the cluster is not started")
        return KafkaConnection(",".join(f"{LOOPBACK}:{node.port}" for node in self.nodes))

    def start(self) -> None:
        """Format each node's storage, start all, and wait until they know each other."""
        java, home = self._kafka()
        template = storage_template(java, home)
        ports = free_ports(2 * self.count)
        self.nodes = [
            NodePlace(number, ports[2 * number - 2], ports[2 * number - 1], self.run_dir.resolve() / f"node-{number}")
            for number in range(1, self.count + 1)
        ]
        cluster = str(self.run_dir.resolve())
        for node in self.nodes:
            shutil.rmtree(node.folder, ignore_errors=True)
            shutil.copytree(template, node.data)
            identity = meta_properties_text(node.data, node_id=node.number, cluster=cluster)
            (node.data / "meta.properties").write_text(identity, encoding="utf-8")
            settings = properties_text(cluster_settings(node, self.nodes))
            (node.folder / "server.properties").write_text(settings, encoding="utf-8")
            (node.folder / "log4j2.properties").write_text(log4j_text(), encoding="utf-8")
        for node in self.nodes:
            self._launch(node, java, home)
        self.await_members(self.count)

    def kill(self, number: int) -> None:
        """SIGKILL a node: it says goodbye to nobody, and writes nothing more."""
        self._children.pop(number).stop(0.0)

    def restart(self, number: int) -> None:
        """Start a node that was killed, with the data it had, and wait until the others know it again."""
        if number in self._children:
            raise BrokerError(f"node {number} runs; kill it first")
        java, home = self._kafka()
        self._launch(self.nodes[number - 1], java, home)
        self.await_members(len(self._children))

    def await_members(self, count: int) -> None:
        """Wait until so many brokers are members; raises `BrokerError` after two minutes."""
        if not wait_until(lambda: self._members() == count, timeout_s=_UP_LIMIT_S, pause_s=0.2, clock=self.clock):
            words = "\n".join(f"node {number}: {child.last_words()}" for number, child in self._children.items())
            raise BrokerError(f"{count} Kafka nodes were not up within {_UP_LIMIT_S:g} s; their last words:\n{words}")

    def stop(self) -> None:
        """End all nodes and remove their data; their logs stay."""
        for child in self._children.values():
            child.stop(_STOP_GRACE_S)
        self._children.clear()
        for node in self.nodes:
            shutil.rmtree(node.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _kafka(self) -> tuple[Java, KafkaHome]:
        return find_java(self.environ), resolve_jars(self.cache_dir)

    def _launch(self, node: NodePlace, java: Java, home: KafkaHome) -> None:
        logs = self.run_dir.resolve() / "logs"
        command = [
            *java_command(java, home, self.heap_mib),
            f"-Dlog4j2.configurationFile={node.folder / 'log4j2.properties'}",
            f"-Driskbench.log={logs / f'node-{node.number}.log'}",
            "kafka.Kafka",
            str(node.folder / "server.properties"),
        ]
        child = ChildProcess(command, logs / f"node-{node.number}-process.log")
        child.start()
        self._children[node.number] = child

    def _members(self) -> int:
        ended = [number for number, child in self._children.items() if child.exit_code is not None]
        if ended:
            words = self._children[ended[0]].last_words()
            raise BrokerError(f"Kafka node {ended[0]} ended by itself; its last words:\n{words}")
        try:
            client = AdminClient({**self.connection.for_confluent(), "log_level": 0, "error_cb": lambda _: None})
            return len(client.list_topics(timeout=_ASKING_S).brokers)
        except KafkaException:
            return 0
