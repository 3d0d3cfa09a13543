"""Kafka's classes, loaded and checked in advance: an archive beside the jars that halves the time to start.

Java 17 to 24 write a dynamic class-data archive on exit, on top of the base archive that they bring; from 25 on an
ahead-of-time cache, which needs none. Java ignores an archive that does not fit: the start is then slower, not wrong.
"""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from confluent_kafka import KafkaException

from streams.brokers.clients import consumer, producer, receive
from streams.brokers.connection import KafkaConnection
from streams.brokers.jars import KafkaHome
from streams.brokers.java import JAVA_AOT_CACHE_MIN, Java
from streams.errors import BrokerError

_log = logging.getLogger("riskbench.streams")

RECORD_GRACE_S = 60.0
_MESSAGES = 500


class ClassArchive:
    """The archive of one Java, one set of jars and one command line."""

    def __init__(self, java: Java, home: KafkaHome, command: Sequence[str] = ()) -> None:
        self._java = java
        identity = f"{java.program} {java.version} {home.class_path} {' '.join(command)}"
        name = hashlib.sha256(identity.encode()).hexdigest()[:12]
        self._ahead_of_time = java.major >= JAVA_AOT_CACHE_MIN
        self.path = home.folder / f"classes-{java.major}-{name}.{'aot' if self._ahead_of_time else 'jsa'}"
        self._failed = self.path.with_suffix(".failed")

    @property
    def wanted(self) -> bool:
        """Whether this Java can make one (and has not failed to before)."""
        return (self._ahead_of_time or self._java.has_class_archive) and not self._failed.exists()

    @property
    def ready(self) -> bool:
        """Whether it is there."""
        return self.path.is_file()

    def use_options(self) -> list[str]:
        """Java options that use it; none when it is not there."""
        if not self.ready:
            return []
        return [f"-XX:{'AOTCache' if self._ahead_of_time else 'SharedArchiveFile'}={self.path}"]

    def record(self, run: Callable[[Path, list[str]], None]) -> None:
        """Make it: `run(folder, options)` runs Kafka once with the given Java options and ends it in peace.

        A failure is logged and remembered: Kafka works without an archive, only slower to start.
        """
        with tempfile.TemporaryDirectory(prefix=".record-", dir=self.path.parent) as scratch:
            made = Path(scratch) / self.path.name
            option = "AOTCacheOutput" if self._ahead_of_time else "ArchiveClassesAtExit"
            try:
                run(Path(scratch), [f"-XX:{option}={made}"])
            except (BrokerError, KafkaException):
                _log.warning("Kafka could not be run once to prepare quick starts; it will start slower", exc_info=True)
            if made.is_file():
                made.rename(self.path)
            else:
                self._failed.touch()


def exercise(connection: KafkaConnection) -> None:
    """Use a broker in every way a run does, so that what it needs is loaded when the archive is written."""
    from streams.brokers.control import COMPACTED, ControlPlane, TopicSpec  # noqa: PLC0415 (loads kafka-python)

    topic, group = "archive-exercise", "archive-exercise"
    with ControlPlane(connection) as control:
        control.create_topics([TopicSpec(topic, 2), TopicSpec(f"{topic}-compacted", 1, COMPACTED)])
        sender = producer(connection)
        for number in range(_MESSAGES):
            sender.produce(topic, key=str(number), value=b"x" * 200)
            sender.poll(0)
        sender.flush(10)
        receiver = consumer(connection, group)
        try:
            receiver.subscribe([topic])
            seen = 0
            for _ in range(100):
                seen += len(receive(receiver, _MESSAGES, 0.1))
                if seen >= _MESSAGES:
                    break
            receiver.commit(offsets=receiver.position(receiver.assignment()), asynchronous=False)
        finally:
            receiver.close()
        control.lag(group, topic)
        control.delete_topics([topic, f"{topic}-compacted"])
