"""A Kafka for a run: `apache` (a real one, started here), `embedded` (noida-db) or `external` (somebody else's)."""

import logging
from collections.abc import Mapping
from pathlib import Path

from streams.brokers.apache import ApacheBroker
from streams.brokers.connection import KafkaConnection
from streams.brokers.contract import Broker, BrokerInfo
from streams.brokers.embedded import EmbeddedBroker
from streams.brokers.external import ExternalBroker
from streams.brokers.jars import JarsMissingError, Progress
from streams.brokers.java import JavaMissingError
from streams.errors import BrokerError

__all__ = [
    "BROKERS",
    "ApacheBroker",
    "Broker",
    "BrokerInfo",
    "EmbeddedBroker",
    "ExternalBroker",
    "KafkaConnection",
    "open_broker",
]

_log = logging.getLogger("riskbench.streams")

BROKERS: Mapping[str, type[ApacheBroker] | type[EmbeddedBroker] | type[ExternalBroker]] = {
    ApacheBroker.name: ApacheBroker,
    EmbeddedBroker.name: EmbeddedBroker,
    ExternalBroker.name: ExternalBroker,
}


def open_broker(
    name: str | None = None,
    *,
    run_dir: Path,
    cache_dir: Path,
    connection: KafkaConnection | None = None,
    port: int | None = None,
    environ: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    proxied_port: int | None = None,
) -> Broker:
    """A broker that is up; the caller stops it (it is a context manager).

    `name` is one of `BROKERS`. None means the default: `external` where a `connection` is given, else `apache`, and
    where Kafka's jars or a Java cannot be had, `embedded` with a warning in its `info`. A broker asked for by name is
    never replaced by another. `environ` is the environment as the command line saw it (JAVA_HOME, PATH).
    `proxied_port` is as for `ApacheBroker`, which alone can be behind a proxy.
    Raises `BrokerError`.
    """
    if name is not None and name not in BROKERS:
        raise BrokerError(f"broker {name!r} is unknown; one of {', '.join(BROKERS)}")
    if (name or ExternalBroker.name) == ExternalBroker.name and connection is not None:
        return _started(ExternalBroker(connection))
    if name == ExternalBroker.name:
        raise BrokerError("broker external needs the address of a running Kafka: give --bootstrap-servers HOST:PORT")
    if connection is not None:
        raise BrokerError(f"broker {name} is started here: leave out --bootstrap-servers, or choose external")
    if name == EmbeddedBroker.name:
        if proxied_port is not None:
            raise BrokerError("the embedded broker cannot be behind a proxy: it tells its clients its own address")
        return _started(EmbeddedBroker(run_dir, port=port))
    apache = ApacheBroker(run_dir, cache_dir, port=port, environ=environ, progress=progress, proxied_port=proxied_port)
    try:
        return _started(apache)
    except (JarsMissingError, JavaMissingError) as error:
        if name is not None or proxied_port is not None:
            raise
        _log.warning("Apache Kafka cannot be had here, taking the embedded broker: %s", error)
        return _started(EmbeddedBroker(run_dir, port=port, because=f"Apache Kafka could not be had: {error}"))


def _started(broker: Broker) -> Broker:
    broker.start()
    return broker
