"""The control plane: topics, offsets, lag and readiness of a Kafka (kafka-python)."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from kafka import KafkaAdminClient, OffsetSpec, TopicPartition
from kafka import errors as kafka_errors

from streams.brokers.child import wait_until
from streams.brokers.connection import KafkaConnection
from streams.brokers.contract import named, unreachable
from streams.errors import BrokerError

_log = logging.getLogger("riskbench.streams")

COMPACTED: Mapping[str, str] = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": "86400000",
    "max.compaction.lag.ms": str(2**63 - 1),  # Kafka's own; a cluster whose default is shorter would refuse the topic
}
"""Of each key the newest message stays, and all messages for a day. Where each key is written once, as a day table is,
a broker would copy the topic again and again to no effect, hundreds of megabytes at once while a stream is measured."""
_MISSING = frozenset({kafka_errors.UnknownTopicOrPartitionError.errno})


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic to be made. `settings` are the broker's (for example `COMPACTED`); -1 replicas: as many as it likes."""

    name: str
    partitions: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    replicas: int = -1


class ControlPlane:
    """Everything about a Kafka that is not on the hot path. A context manager; errors are `BrokerError`."""

    def __init__(self, connection: KafkaConnection, *, timeout_s: float = 10.0) -> None:
        self._servers = connection.bootstrap_servers
        self._timeout_s = timeout_s
        timeout_ms = max(int(timeout_s * 1000), 1)
        try:
            self._admin = KafkaAdminClient(
                **connection.for_kafka_python(),
                client_id="riskbench-control",
                bootstrap_timeout_ms=timeout_ms,
                request_timeout_ms=timeout_ms,
                reconnect_backoff_max_ms=500,
            )
        except (kafka_errors.KafkaError, OSError, ValueError) as error:
            raise unreachable(connection, timeout_s, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._admin.close()

    def create_topics(self, topics: Iterable[TopicSpec] | Mapping[str, int]) -> None:
        """Make topics and wait until each partition has a leader. A mapping gives partitions by name.

        Raises `BrokerError` naming each topic that could not be made and why.
        """
        specs = [TopicSpec(name, count) for name, count in topics.items()] if isinstance(topics, Mapping) else [*topics]
        if not specs:
            return
        wanted = {
            spec.name: {
                "num_partitions": spec.partitions,
                "replication_factor": spec.replicas,
                "configs": dict(spec.settings),
            }
            for spec in specs
        }
        answer = self._ask("create topics", lambda: self._admin.create_topics(wanted, raise_errors=False))
        self._raise_for(answer["topics"], "create", ignore=frozenset())
        self._ask("wait for topics", lambda: self._admin.wait_for_topics(list(wanted), self._timeout_s * 1000))

    def delete_topics(self, names: Sequence[str], *, missing_ok: bool = True) -> None:
        """Remove topics and wait until they are gone. `BrokerError` names each that could not be removed, and why."""
        if not names:
            return
        answer = self._ask("delete topics", lambda: self._admin.delete_topics(list(names), raise_errors=False))
        self._raise_for(answer["topics"], "delete", ignore=_MISSING if missing_ok else frozenset())
        # The answer comes before the broker's own view of its topics has changed.
        gone = wait_until(lambda: set(names).isdisjoint(self.topics()), timeout_s=self._timeout_s)
        if not gone:
            raise BrokerError(
                f"topics at {self._servers} are still there after {self._timeout_s:g} s: {', '.join(names)}"
            )

    def topics(self) -> list[str]:
        """Names of all topics, sorted."""
        return sorted(self._ask("list topics", self._admin.list_topics))

    def partitions(self, topic: str) -> list[int]:
        """Partition numbers of a topic, sorted; `BrokerError` when there is no such topic."""
        found = self._ask("describe topic", lambda: self._admin.describe_topics([topic]))
        known = [entry for entry in found if entry["name"] == topic and entry["error_code"] == 0]
        if not known:
            raise BrokerError(f"topic {topic} does not exist at {self._servers}; create it first or check its name")
        return sorted(part["partition_index"] for part in known[0]["partitions"])

    def end_offsets(self, topic: str) -> dict[int, int]:
        """Per partition: the offset that the next message will get."""
        return self._offsets(topic, OffsetSpec.LATEST)

    def start_offsets(self, topic: str) -> dict[int, int]:
        """Per partition: the offset of the oldest message kept."""
        return self._offsets(topic, OffsetSpec.EARLIEST)

    def committed_offsets(self, group: str, topic: str) -> dict[int, int]:
        """Per partition: the offset a group goes on from; partitions it never committed are left out."""
        places = [TopicPartition(topic, partition) for partition in self.partitions(topic)]
        found = self._ask("read group offsets", lambda: self._admin.list_group_offsets({group: places}))
        return {place.partition: at.offset for place, at in found.get(group, {}).items() if at.offset >= 0}

    def lag(self, group: str, topic: str) -> dict[int, int]:
        """Per partition: messages that a group has not committed yet (from the oldest kept where it never did)."""
        committed = self.committed_offsets(group, topic)
        start = self.start_offsets(topic)
        return {
            partition: max(end - committed.get(partition, start[partition]), 0)
            for partition, end in self.end_offsets(topic).items()
        }

    def delete_group(self, group: str) -> None:
        """Forget a consumer group's offsets; no error when there is no such group or it is still in use."""
        answer = self._ask("delete group", lambda: self._admin.delete_groups([group]))
        _log.debug("delete group %s: %s", group, answer)

    def version(self) -> str:
        """The broker's version as far as its protocol tells it, for example `4.1`."""
        version: Any = self._admin._manager.broker_version
        return ".".join(str(part) for part in version)

    def _offsets(self, topic: str, spec: Any) -> dict[int, int]:
        wanted = {TopicPartition(topic, partition): spec for partition in self.partitions(topic)}
        found = self._ask("read offsets", lambda: self._admin.list_partition_offsets(wanted))
        return {place.partition: at.offset for place, at in found.items()}

    def _ask(self, what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (kafka_errors.KafkaError, OSError) as error:
            raise BrokerError(f"cannot {what} at {self._servers}: {named(error)}") from error

    def _raise_for(self, answers: Sequence[Mapping[str, Any]], verb: str, *, ignore: frozenset[int]) -> None:
        failed = [entry for entry in answers if entry["error_code"] not in ignore | {0}]
        if failed:
            reasons = "; ".join(
                f"{entry['name']}: {kafka_errors.for_code(entry['error_code']).__name__}"
                + (f" ({entry['error_message']})" if entry.get("error_message") else "")
                for entry in failed
            )
            raise BrokerError(f"cannot {verb} topics at {self._servers}: {reasons}")


def wait_until_ready(connection: KafkaConnection, *, timeout_s: float = 10.0) -> str:
    """Wait until a Kafka answers and knows a broker; returns its version. `BrokerError` after `timeout_s`."""
    # Connecting is waiting: kafka-python goes on until the metadata it gets names a broker.
    with ControlPlane(connection, timeout_s=timeout_s) as control:
        control.topics()
        return control.version()
