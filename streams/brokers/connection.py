"""How to reach a Kafka: one description, said in the words of each of the three client libraries."""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.brokers.properties import Property, Secret, parse_properties
from streams.errors import BadInputError

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_ADDRESS = re.compile(r"^(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:/,\[\]]+)):(?P<port>\d{1,5})$")


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """TLS and SASL settings, as read from a `--kafka-config` file. All certificate files are PEM."""

    protocol: str = "PLAINTEXT"
    mechanism: str | None = None
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: Secret | None = None
    check_hostname: bool = True

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def sasl(self) -> bool:
        """Whether the client says who it is by name and password."""
        return self.protocol.startswith("SASL_")


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """The address of a Kafka and how to be let in. `repr` never shows a secret.

    `bootstrap_servers` is `HOST:PORT,HOST:PORT`; refused with `BadInputError` when it is anything else.
    """

    bootstrap_servers: str
    security: KafkaSecurity = field(default_factory=KafkaSecurity)

    def __post_init__(self) -> None:
        parse_addresses(self.bootstrap_servers)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The bootstrap servers as (host, port)."""
        return parse_addresses(self.bootstrap_servers)

    def for_confluent(self) -> dict[str, Any]:
        """Settings for confluent-kafka (librdkafka's names)."""
        security = self.security
        settings: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": security.protocol.lower(),
        }
        if security.sasl:
            settings["sasl.mechanism"] = security.mechanism
            settings["sasl.username"] = security.username
            settings["sasl.password"] = security.password
        if security.tls:
            optional = {
                "ssl.ca.location": security.ca_file,
                "ssl.certificate.location": security.certificate_file,
                "ssl.key.location": security.key_file,
            }
            settings.update({name: str(path) for name, path in optional.items() if path is not None})
            if security.key_password is not None:
                settings["ssl.key.password"] = security.key_password
            settings["ssl.endpoint.identification.algorithm"] = "https" if security.check_hostname else "none"
        return settings

    def for_kafka_python(self) -> dict[str, Any]:
        """Keyword arguments for kafka-python's clients."""
        settings = self._for_python_clients()
        if self.security.tls:
            settings["ssl_context"] = self.ssl_context()
            settings["ssl_check_hostname"] = self.security.check_hostname
        return settings

    def for_aiokafka(self) -> dict[str, Any]:
        """Keyword arguments for aiokafka's clients."""
        settings = self._for_python_clients()
        if self.security.tls:
            settings["ssl_context"] = self.ssl_context()
        return settings

    def ssl_context(self) -> ssl.SSLContext:
        """The TLS context of this connection; raises `BadInputError` naming the file that cannot be used."""
        security = self.security
        try:
            context = ssl.create_default_context(cafile=None if security.ca_file is None else str(security.ca_file))
            context.check_hostname = security.check_hostname
            if security.certificate_file is not None:
                context.load_cert_chain(
                    security.certificate_file, security.key_file, password=_password(security.key_password)
                )
        except (OSError, ssl.SSLError) as error:
            files = [str(p) for p in (security.ca_file, security.certificate_file, security.key_file) if p is not None]
            raise BadInputError(
                f"TLS files of the Kafka configuration cannot be used ({', '.join(files)}): {error}. "
                "They must be readable PEM files, and the key's password the right one."
            ) from error
        return context

    def _for_python_clients(self) -> dict[str, Any]:
        security = self.security
        settings: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "security_protocol": security.protocol,
        }
        if security.sasl:
            settings["sasl_mechanism"] = security.mechanism
            settings["sasl_plain_username"] = security.username
            settings["sasl_plain_password"] = security.password
        return settings


def _password(secret: Secret | None) -> Callable[[], str]:
    # A callable even without a password: OpenSSL would otherwise ask for it on the terminal and wait.
    return lambda: "" if secret is None else str(secret)


def parse_addresses(bootstrap_servers: str) -> list[tuple[str, int]]:
    """(host, port) of every address in `HOST:PORT,HOST:PORT`; `BadInputError` names the one that is wrong."""
    addresses = []
    for part in bootstrap_servers.split(","):
        match = _ADDRESS.match(part.strip())
        if match is None or not 1 <= int(match["port"]) <= 65535:
            raise BadInputError(
                f"bootstrap servers {bootstrap_servers!r}: {part!r} is not HOST:PORT (port 1 to 65535); "
                "write for example 127.0.0.1:9092 or a.example:9092,b.example:9092"
            )
        addresses.append((match["v6"] or match["host"], int(match["port"])))
    return addresses


def read_properties(path: Path) -> KafkaSecurity:
    """Read a `--kafka-config` file (Java client or librdkafka names, `key=value` lines).

    Raises `BadInputError` naming file, line, key, value and what is allowed. Relative file names are taken
    from the properties file's own folder.
    """
    return _security(parse_properties(path), path)


def connection_from(bootstrap_servers: str, config_file: Path | None = None) -> KafkaConnection:
    """The connection that `--bootstrap-servers` and `--kafka-config` describe together; `BadInputError` as they say."""
    security = KafkaSecurity() if config_file is None else read_properties(config_file)
    connection = KafkaConnection(bootstrap_servers.replace(" ", ""), security)
    if security.tls:
        # Now, where the file can be named, and not in a client's background thread.
        connection.ssl_context()
    return connection


def _security(found: Mapping[str, Property], path: Path) -> KafkaSecurity:
    protocol = _choice(found, path, "protocol", PROTOCOLS) or "PLAINTEXT"
    mechanism = _choice(found, path, "mechanism", MECHANISMS)
    security = KafkaSecurity(
        protocol=protocol,
        mechanism=mechanism if mechanism or not protocol.startswith("SASL_") else "PLAIN",
        username=_text(found, "username"),
        password=_secret(found, "password"),
        ca_file=_file(found, path, "ca_file"),
        certificate_file=_file(found, path, "certificate_file"),
        key_file=_file(found, path, "key_file") or _file(found, path, "certificate_file"),
        key_password=_secret(found, "key_password"),
        check_hostname=_text(found, "check_hostname") in (None, "https"),
    )
    _check_complete(security, path)
    return security


def _check_complete(security: KafkaSecurity, path: Path) -> None:
    if security.sasl and not (security.username and security.password):
        raise BadInputError(
            f"{path}: security.protocol={security.protocol} needs a name and a password; "
            "give sasl.jaas.config with username and password, or sasl.username and sasl.password"
        )
    if not security.sasl and security.username:
        raise BadInputError(
            f"{path}: a SASL user name is given, but security.protocol={security.protocol} would not send it; "
            "set security.protocol to SASL_SSL or SASL_PLAINTEXT"
        )
    if not security.tls and (security.ca_file or security.certificate_file):
        raise BadInputError(
            f"{path}: TLS files are given, but security.protocol={security.protocol} would not encrypt; "
            "set security.protocol to SSL or SASL_SSL"
        )


def _text(found: Mapping[str, Property], key: str) -> str | None:
    return str(found[key].value) if key in found else None


def _secret(found: Mapping[str, Property], key: str) -> Secret | None:
    return Secret(found[key].value) if key in found else None


def _choice(found: Mapping[str, Property], path: Path, key: str, allowed: tuple[str, ...]) -> str | None:
    if key not in found:
        return None
    entry = found[key]
    if entry.value.upper() not in allowed:
        raise BadInputError(
            f"{path}, line {entry.line}: {entry.name}={entry.value} is not supported; one of {', '.join(allowed)}"
        )
    return entry.value.upper()


def _file(found: Mapping[str, Property], path: Path, key: str) -> Path | None:
    if key not in found:
        return None
    entry = found[key]
    location = path.parent / Path(entry.value).expanduser()
    if not location.is_file():
        raise BadInputError(f"{path}, line {entry.line}: {entry.name}={entry.value}: there is no such file")
    return location
