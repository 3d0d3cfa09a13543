"""The server settings of a one-machine Kafka: small, quick to answer, and nothing kept by time."""

import base64
import uuid
from collections.abc import Mapping
from pathlib import Path

from streams.brokers.ports import LOOPBACK

NODE_ID = 1

_SETTINGS: Mapping[str, str | int] = {
    "process.roles": "broker,controller",
    "node.id": NODE_ID,
    "controller.listener.names": "CONTROLLER",
    # One machine, one copy of everything.
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    # A misspelt topic must fail, not come into being.
    "auto.create.topics.enable": "false",
    "num.partitions": 4,
    # Groups form at once, and may notice a dead member sooner than the default allows.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "controller.quorum.append.linger.ms": 0,
    "controlled.shutdown.enable": "false",
    # Sized for two cores. The cleaner's buffer is taken from the heap in advance, 128 MiB by default.
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "log.cleaner.threads": 1,
    "log.cleaner.dedupe.buffer.size": 4 * 1024 * 1024,
    "log.segment.bytes": 256 * 1024 * 1024,
    "log.index.size.max.bytes": 1024 * 1024,
    # Message times may be event times of other years: they must neither be refused nor make a message old.
    "log.retention.ms": -1,
    "log.message.timestamp.after.max.ms": 9223372036854775807,
}

_LOG4J = """\
status = error
appender.file.type = File
appender.file.name = FILE
appender.file.fileName = ${sys:riskbench.log}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d{ISO8601}] %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.file.ref = FILE
"""


def server_settings(
    data_dir: Path, port: int, controller_port: int, overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """All settings of the server, in Kafka's own names. `overrides` win, whatever they say."""
    settings = {
        **{name: str(value) for name, value in _SETTINGS.items()},
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": f"{NODE_ID}@{LOOPBACK}:{controller_port}",
        "log.dirs": str(data_dir),
    }
    settings.update(overrides or {})
    return settings


def with_proxied_listener(settings: Mapping[str, str], port: int, advertised_port: int) -> dict[str, str]:
    """The settings with a listener more, at `port`, whose clients are told to come to `advertised_port`."""
    more = {
        "listeners": f"PROXIED://{LOOPBACK}:{port}",
        "advertised.listeners": f"PROXIED://{LOOPBACK}:{advertised_port}",
        "listener.security.protocol.map": "PROXIED:PLAINTEXT",
    }
    return {**settings, **{name: f"{settings[name]},{value}" for name, value in more.items()}}


def properties_text(settings: Mapping[str, str]) -> str:
    """Settings as a `.properties` file."""
    return "".join(f"{name}={_escape(value)}\n" for name, value in sorted(settings.items()))


def log4j_text() -> str:
    """A logging configuration that writes warnings and errors to the file named by `-Driskbench.log`."""
    return _LOG4J


def meta_properties_text(data_dir: Path, *, node_id: int = NODE_ID, cluster: str | None = None) -> str:
    """The identity of a freshly formatted storage: made from its place, so that no two runs share one. Nodes of one
    cluster give the same name as `cluster`."""
    return properties_text(
        {
            "version": "1",
            "node.id": str(node_id),
            "cluster.id": kafka_uuid(f"cluster {cluster or data_dir}"),
            "directory.id": kafka_uuid(f"directory {data_dir}"),
        }
    )


def kafka_uuid(name: str) -> str:
    """A UUID that follows from `name`, as Kafka writes one (22 letters, URL-safe base64)."""
    return base64.urlsafe_b64encode(uuid.uuid5(uuid.NAMESPACE_URL, name).bytes).rstrip(b"=").decode()


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")
