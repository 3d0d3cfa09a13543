"""A Kafka that asks for TLS and a password, reached through one `--kafka-config` file by each of the three clients."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer
from kafka import KafkaProducer

from streams.brokers import ApacheBroker, ExternalBroker
from streams.brokers.clients import producer
from streams.brokers.connection import connection_from, read_properties
from streams.brokers.control import ControlPlane
from streams.brokers.java import find_java
from streams.errors import BrokerError

pytestmark = pytest.mark.broker("apache")

ROOT = Path(__file__).parents[2]
SCENARIO = """
name: secured
world: {history_days: 60, cards: 500, fraud_share: 0.02}
load: {rate_per_s: 200.0, duration_s: 5.0, warmup_s: 1.0, partitions: 3}
measure: {k: 20, event_timeout_s: 20.0, floor_s: 2.0}
slo: {response_p99_ms: 15000.0}
"""

STORE_PASSWORD = "store-password"  # noqa: S105
USER_PASSWORD = "user-password"  # noqa: S105


def keytool(*arguments: str) -> None:
    tool = find_java(os.environ).home / "bin" / "keytool"
    subprocess.run([tool, *arguments, "-storepass", STORE_PASSWORD], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key store for the server, its certificate for clients, and two configuration files: a right and a wrong one."""
    place = tmp_path_factory.mktemp("secured")
    store = str(place / "server.p12")
    keytool(
        *("-genkeypair", "-alias", "server", "-keyalg", "RSA", "-keysize", "2048", "-validity", "2"),
        *("-dname", "CN=127.0.0.1", "-ext", "SAN=IP:127.0.0.1", "-keystore", store, "-storetype", "PKCS12"),
    )
    keytool("-exportcert", "-rfc", "-alias", "server", "-keystore", store, "-file", str(place / "ca.pem"))
    for name, password in (("right", USER_PASSWORD), ("wrong", "guessed")):
        (place / f"{name}.properties").write_text(
            "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n"
            "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'username="alice" password="{password}";\n'
            "ssl.truststore.type=PEM\nssl.truststore.location=ca.pem\n",
            encoding="utf-8",
        )
    return place


@pytest.fixture(scope="module")
def secured(folder: Path, broker_cache_dir: Path) -> Iterator[ApacheBroker]:
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    overrides = {
        "listener.security.protocol.map": "PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.plaintext.plain.sasl.jaas.config": (
            f'{login} username="alice" password="{USER_PASSWORD}" user_alice="{USER_PASSWORD}";'
        ),
        "ssl.keystore.location": str(folder / "server.p12"),
        "ssl.keystore.password": STORE_PASSWORD,
        "ssl.truststore.location": str(folder / "ca.pem"),
        "ssl.truststore.type": "PEM",
    }
    with ApacheBroker(
        folder / "run",
        broker_cache_dir,
        environ=os.environ,
        overrides=overrides,
        security=read_properties(folder / "right.properties"),
    ) as broker:
        yield broker


def test_every_client_is_let_in(secured: ApacheBroker, folder: Path) -> None:
    connection = connection_from(secured.info.bootstrap_servers, folder / "right.properties")
    with ExternalBroker(connection) as external:
        assert external.info.bootstrap_servers == secured.info.bootstrap_servers
    with ControlPlane(connection) as control:
        control.create_topics({"secured": 1})
        ours = producer(connection)
        ours.produce("secured", value=b"confluent")
        assert ours.flush(20) == 0
        other = KafkaProducer(**connection.for_kafka_python())
        other.send("secured", value=b"kafka-python").get(20)
        other.close()
        assert asyncio.run(receive(connection.for_aiokafka(), 2)) == [b"confluent", b"kafka-python"]
        control.delete_topics(["secured"])


async def receive(settings: dict[str, object], count: int) -> list[bytes]:
    source = AIOKafkaConsumer("secured", **settings, auto_offset_reset="earliest")
    await source.start()
    try:
        return [(await asyncio.wait_for(source.getone(), 20)).value for _ in range(count)]
    finally:
        await source.stop()


def test_a_wrong_password_is_told_with_the_address(secured: ApacheBroker, folder: Path) -> None:
    connection = connection_from(secured.info.bootstrap_servers, folder / "wrong.properties")
    with pytest.raises(BrokerError, match=rf"no Kafka answers at {secured.info.bootstrap_servers} .*password") as told:
        ExternalBroker(connection).start()
    assert "Authentication failed" in str(told.value)
    assert "guessed" not in str(told.value)


def test_no_password_at_all_is_told(secured: ApacheBroker) -> None:
    connection = connection_from(secured.info.bootstrap_servers)
    with pytest.raises(BrokerError, match="give --kafka-config"):
        ExternalBroker(connection, timeout_s=4.0).start()


def looked_at(process: "subprocess.Popen[bytes]", deadline_s: float) -> set[str]:
    """Every command line and environment of a run's processes, while it runs."""
    seen: set[str] = set()
    limit = time.monotonic() + deadline_s
    while process.poll() is None:
        assert time.monotonic() < limit
        for one in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
            try:
                seen |= {" ".join(one.cmdline()), *one.environ().values()}
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        time.sleep(0.2)
    return seen


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ["faust", "native"])
def test_a_whole_run_behind_tls_and_password_tells_nobody_the_password(
    engine: str, secured: ApacheBroker, folder: Path, broker_cache_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "secured.yaml").write_text(SCENARIO, encoding="utf-8")
    out, printed = tmp_path / "runs", tmp_path / "printed"
    command = [
        *(sys.executable, "-m", "harness.cli", "run", "fraud", "--scenario", str(tmp_path / "secured.yaml")),
        *("--engine", engine, "--bootstrap-servers", secured.info.bootstrap_servers, "--json"),
        *("--kafka-config", str(folder / "right.properties")),
        *("--cache-dir", str(broker_cache_dir), "--out", str(out)),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with printed.open("wb") as sink, subprocess.Popen(command, stdout=sink, stderr=sink, env=environment) as process:
        seen = looked_at(process, 280)
    assert process.returncode == 0, printed.read_text()[-4000:]
    assert any(f"--engine {engine}" in words and "--kafka-config" in words for words in seen)
    assert not any(USER_PASSWORD in words for words in seen)
    (run,) = out.iterdir()
    results: dict[str, Any] = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert results["broker"]["name"] == "external"
    assert results["counts"]["decided"] == results["counts"]["sent"] > 900
    files = [path for path in run.rglob("*") if path.is_file()]
    assert run / "report.html" in files
    for path in [printed, *files]:
        assert USER_PASSWORD.encode() not in path.read_bytes(), path
