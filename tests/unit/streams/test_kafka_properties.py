"""The `--kafka-config` file: what it may say, what is refused and where, and what each client library is told."""

import logging
import ssl
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaProducer

from streams.brokers.connection import KafkaConnection, KafkaSecurity, connection_from, parse_addresses, read_properties
from streams.brokers.properties import Secret, parse_properties
from streams.errors import BadInputError

PASSWORD = "hunter2 with=odd:signs"  # noqa: S105
SERVERS = "a.example:9092,b.example:9093"


def write(folder: Path, text: str) -> Path:
    path = folder / "client.properties"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def java_style(tmp_path: Path) -> Path:
    return write(
        tmp_path,
        "# a comment\n! another\n\n"
        "security.protocol=SASL_PLAINTEXT\n"
        "sasl.mechanism = SCRAM-SHA-512\n"
        "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n"
        f'    username="alice" \\\n    password="{PASSWORD}";\n',
    )


@pytest.fixture
def librdkafka_style(tmp_path: Path) -> Path:
    return write(
        tmp_path,
        "security.protocol=sasl_plaintext\nsasl.mechanisms=SCRAM-SHA-512\n"
        f"sasl.username=alice\nsasl.password={PASSWORD}\n",
    )


def test_both_dialects_say_the_same(java_style: Path, tmp_path: Path, librdkafka_style: Path) -> None:
    other = tmp_path / "other.properties"
    other.write_text(librdkafka_style.read_text(encoding="utf-8"), encoding="utf-8")
    first = read_properties(other)
    assert first == KafkaSecurity("SASL_PLAINTEXT", "SCRAM-SHA-512", "alice", Secret(PASSWORD))


def test_java_style(java_style: Path) -> None:
    assert read_properties(java_style) == KafkaSecurity("SASL_PLAINTEXT", "SCRAM-SHA-512", "alice", Secret(PASSWORD))


def test_what_each_client_is_told(java_style: Path) -> None:
    connection = connection_from("a.example:9092, b.example:9093", java_style)
    assert connection.for_confluent() == {
        "bootstrap.servers": SERVERS,
        "security.protocol": "sasl_plaintext",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "alice",
        "sasl.password": PASSWORD,
    }
    told = {
        "bootstrap_servers": ["a.example:9092", "b.example:9093"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "alice",
        "sasl_plain_password": PASSWORD,
    }
    assert connection.for_kafka_python() == told
    assert connection.for_aiokafka() == told


def test_plain_connection_needs_nothing() -> None:
    connection = KafkaConnection("127.0.0.1:9092")
    assert connection.for_confluent() == {"bootstrap.servers": "127.0.0.1:9092", "security.protocol": "plaintext"}
    assert connection.for_kafka_python() == {"bootstrap_servers": ["127.0.0.1:9092"], "security_protocol": "PLAINTEXT"}
    assert connection.for_aiokafka() == connection.for_kafka_python()


def test_tls_without_files_uses_the_systems_authorities(tmp_path: Path) -> None:
    connection = connection_from(SERVERS, write(tmp_path, "security.protocol=SSL\n"))
    context = connection.for_aiokafka()["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert connection.for_confluent()["ssl.endpoint.identification.algorithm"] == "https"


def test_names_of_hosts_need_not_be_checked(tmp_path: Path) -> None:
    path = write(tmp_path, "security.protocol=SSL\nssl.endpoint.identification.algorithm=\n")
    connection = connection_from(SERVERS, path)
    assert not connection.ssl_context().check_hostname
    assert connection.ssl_context().verify_mode is ssl.CERT_REQUIRED
    assert connection.for_confluent()["ssl.endpoint.identification.algorithm"] == "none"
    assert connection.for_kafka_python()["ssl_check_hostname"] is False


def test_the_libraries_know_every_setting(java_style: Path) -> None:
    connection = connection_from("127.0.0.1:1", java_style)
    Producer({**connection.for_confluent(), "log_level": 0}).flush(0)
    assert set(connection.for_kafka_python()) <= set(KafkaProducer.DEFAULT_CONFIG)
    assert set(connection.for_aiokafka()) <= set(AIOKafkaProducer.__init__.__kwdefaults__ or {})


def test_secrets_are_never_shown(java_style: Path, caplog: pytest.LogCaptureFixture) -> None:
    connection = connection_from("127.0.0.1:9092", java_style)
    shown = [repr(connection), str(connection), repr(connection.for_confluent()), f"{connection.for_kafka_python()}"]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("settings: %s", connection.for_aiokafka())
    assert not any(PASSWORD in text for text in [*shown, caplog.text])
    assert "[hidden]" in caplog.text


@given(st.text(min_size=1))
def test_a_secret_is_still_the_string(text: str) -> None:
    assert Secret(text) == text
    assert Secret(text).encode("utf-8", "surrogatepass") == text.encode("utf-8", "surrogatepass")
    assert repr(Secret(text)) == "'[hidden]'"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("security.protocol=TLS\n", r"line 1: security.protocol=TLS is not supported; one of PLAINTEXT"),
        ("\nsasl.mechanism=GSSAPI\n", r"line 2: sasl.mechanism=GSSAPI is not supported; one of PLAIN"),
        ("acks=all\n", r"line 1: acks is not understood here"),
        ("security.protocol\n", r"line 1: expected name=value"),
        ("sasl.username=a\nsasl.username=b\n", r"line 2: sasl.username says again what line 1 says"),
        ("security.protocol=SASL_SSL\n", r"needs a name and a password"),
        ("sasl.username=a\nsasl.password=b\n", r"would not send it"),
        ("sasl.jaas.config=Nonsense\n", r"line 1: sasl.jaas.config is not understood"),
        ("ssl.ca.location=missing.pem\n", r"line 1: ssl.ca.location=missing.pem: there is no such file"),
        ("ssl.truststore.location=trust.jks\n", r"line 1: .*trust.jks: only PEM files"),
        ("ssl.truststore.type=PKCS12\n", r"line 1: ssl.truststore.type=PKCS12: only PEM files"),
    ],
)
def test_what_is_refused_and_where(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        read_properties(write(tmp_path, text))


def test_a_refusal_never_shows_the_password(tmp_path: Path) -> None:
    for text in (
        f"sasl.jaas.config=Bad password={PASSWORD}\n",
        f"sasl.password={PASSWORD}\nsasl.password={PASSWORD}\n",
    ):
        with pytest.raises(BadInputError) as refused:
            read_properties(write(tmp_path, text))
        assert PASSWORD not in str(refused.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read_properties(tmp_path / "none.properties")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_properties(tmp_path / "binary")


def test_tls_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate", encoding="utf-8")
    path = write(tmp_path, "security.protocol=SSL\nssl.ca.location=ca.pem\n")
    with pytest.raises(BadInputError, match=r"cannot be used .*ca\.pem"):
        connection_from(SERVERS, path)
    lone = write(tmp_path, "ssl.ca.location=ca.pem\n")
    with pytest.raises(BadInputError, match="would not encrypt"):
        read_properties(lone)


def test_escapes_and_continued_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "sasl.username = a\\\n   b\\u0041\\=c\nsasl.password: x\\\\y\n")
    found = parse_properties(path)
    assert found["username"].value == "abA=c"
    assert (found["password"].value, found["password"].line) == ("x\\y", 3)


@pytest.mark.parametrize(
    "servers", ["", "localhost", "localhost:", ":9092", "a:0", "a:65536", "a:1,,b:2", "http://a:1"]
)
def test_addresses_that_are_none(servers: str) -> None:
    with pytest.raises(BadInputError, match="is not HOST:PORT"):
        KafkaConnection(servers)


def test_addresses() -> None:
    assert parse_addresses("a.example:9092,10.0.0.1:1,[::1]:65535") == [
        ("a.example", 9092),
        ("10.0.0.1", 1),
        ("::1", 65535),
    ]
