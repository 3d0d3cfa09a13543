"""Writes `kafka.lock` anew for a Kafka version: `python -m streams.brokers.relock 4.4.0`.

Run by hand when Kafka is to be renewed; the change is then reviewed like any other.
"""

import hashlib
import logging
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from streams.brokers.jars import LOCK_FILE
from streams.brokers.maven_settings import remote_repositories

_log = logging.getLogger("riskbench.streams")


def lock_text(version: str, scratch: Path) -> str:
    """The lock of Kafka `version`: its resolved run-time dependencies, and the logging back end of its own download."""
    context = MavenContext(repo_cache=scratch, local_repos=[], remote_repos=remote_repositories())
    kafka = context.create_dependency(f"org.apache.kafka:kafka_2.13:{version}")
    inputs, others = context.resolver.resolve([kafka])
    artifacts = {dep.artifactId: dep.artifact for dep in [*inputs, *others] if dep.scope != "test"}
    # Asked for together with Kafka, it would bring its own idea of other versions (down to an older kafka-clients).
    logging_back_end = f"org.apache.logging.log4j:log4j-slf4j-impl:{artifacts['log4j-core'].version}"
    artifacts["log4j-slf4j-impl"] = context.create_dependency(logging_back_end).artifact
    lines = [
        f"{a.groupId}:{a.artifactId}:{a.version} {hashlib.sha256(a.resolve().read_bytes()).hexdigest()}"
        for a in artifacts.values()
    ]
    head = [
        f"# Apache Kafka {version} and everything it runs with: group:artifact:version and the SHA-256 of its jar.",
        f"# Made by: python -m streams.brokers.relock {version}",
    ]
    return "\n".join([*head, *sorted(lines)]) + "\n"


def main(arguments: list[str]) -> int:
    """Write the lock; returns the exit code."""
    if len(arguments) != 1:
        _log.error("usage: python -m streams.brokers.relock VERSION")
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        LOCK_FILE.write_text(lock_text(arguments[0], Path(scratch)), encoding="utf-8")
    _log.info("wrote %s", LOCK_FILE)
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main(sys.argv[1:]))
