"""Kafka's jars: the lock, the cache, the two ways of fetching, and what happens when neither works."""

import hashlib
import stat
from pathlib import Path

import pytest

from streams.brokers import EmbeddedBroker, apache, jars, open_broker
from streams.brokers.jars import JarsMissingError, KafkaLock, LockedJar, read_lock, resolve_jars
from streams.brokers.maven_settings import central_mirror, remote_repositories
from streams.errors import BadInputError, BrokerError

CONTENT = b"a jar"
LOCK = KafkaLock(
    "9.9.9",
    (LockedJar("org.example", "kafka_2.13", "9.9.9", hashlib.sha256(CONTENT).hexdigest()),),
    "abc",
)


def fetching(content: bytes = CONTENT, calls: list[str] | None = None, name: str = "") -> jars.Fetch:
    def fetch(lock: KafkaLock, scratch: Path, settings: Path | None, progress: jars.Progress) -> list[Path]:
        if calls is not None:
            calls.append(name)
        path = scratch / lock.jars[0].file_name
        path.write_bytes(content)
        return [path]

    return fetch


def failing(lock: KafkaLock, scratch: Path, settings: Path | None, progress: jars.Progress) -> list[Path]:
    raise ConnectionError("nobody there")


def test_the_shipped_lock_is_whole() -> None:
    lock = read_lock()
    names = {jar.artifact for jar in lock.jars}
    assert lock.version.startswith("4.")
    assert {"kafka_2.13", "kafka-clients", "kafka-metadata", "kafka-raft", "log4j-slf4j-impl", "scala-library"} <= names
    assert len(names) == len(lock.jars)
    assert {jar.version for jar in lock.jars if jar.group == "org.apache.kafka"} == {lock.version}
    assert "://" not in jars.LOCK_FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ["org.example:kafka_2.13:1", "org.example:kafka_2.13 " + "0" * 64, "x:y:z short"])
def test_a_lock_line_that_is_wrong_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "kafka.lock"
    path.write_text(f"# head\n{line}\n", encoding="utf-8")
    with pytest.raises(BrokerError, match=r"line 2: expected group:artifact:version"):
        read_lock(path)


def test_another_thing_of_java_has_a_lock_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "driver.lock"
    path.write_text(f"org.example:driver-kafka:2.0 {'0' * 64}\n", encoding="utf-8")
    lock = read_lock(path, leading="driver-", name="driver", title="A driver")
    assert (lock.version, lock.name) == ("2.0", "driver")
    with pytest.raises(JarsMissingError, match=r"jars of A driver 2\.0 could not be fetched"):
        resolve_jars(tmp_path, lock=lock, ways={"jgo": failing})
    assert not (tmp_path / f"kafka-2.0-{lock.digest}").exists()


def test_a_lock_needs_one_kafka(tmp_path: Path) -> None:
    path = tmp_path / "kafka.lock"
    path.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(BrokerError, match="exactly one"):
        read_lock(path)


def test_fetched_once(tmp_path: Path) -> None:
    calls: list[str] = []
    ways = {"jgo": fetching(calls=calls, name="jgo"), "mvn": failing}
    first = resolve_jars(tmp_path, lock=LOCK, ways=ways)
    assert resolve_jars(tmp_path, lock=LOCK, ways=ways) == first
    assert calls == ["jgo"]
    assert [jar.read_bytes() for jar in first.jars] == [CONTENT]
    assert first.class_path == str(tmp_path / "kafka-9.9.9-abc" / "jars" / "kafka_2.13-9.9.9.jar")


def test_mvn_is_the_way_round(tmp_path: Path) -> None:
    home = resolve_jars(tmp_path, lock=LOCK, ways={"jgo": failing, "mvn": fetching()})
    assert home.jars[0].read_bytes() == CONTENT


def test_a_jar_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JarsMissingError, match=r"jgo: .*kafka_2.13:9.9.9 is not the file that was locked.*; mvn: "):
        resolve_jars(tmp_path, lock=LOCK, ways={"jgo": fetching(b"another"), "mvn": failing})
    assert not (tmp_path / "kafka-9.9.9-abc").exists()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_cache_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    with pytest.raises(JarsMissingError, match=r"the cache folder .* cannot be used"):
        resolve_jars(tmp_path / "cache", lock=LOCK, ways={"jgo": fetching()})


def test_the_real_mvn_project_pins_every_jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`mvn` itself is played by a script: what matters is what it is told, and that its failure is passed on."""
    script = tmp_path / "mvn"
    script.write_text('#!/bin/sh\necho "$@"; cat "$4"; exit 3\n', encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(JarsMissingError, match=r"mvn ended with 3: .*<artifactId>kafka_2.13</artifactId>") as failed:
        resolve_jars(tmp_path / "cache", lock=LOCK, ways={"jgo": failing, "mvn": jars.fetch_with_mvn})
    assert "<version>9.9.9</version>" in str(failed.value)


SETTINGS = """<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0"><mirrors>
<mirror><id>blocker</id><mirrorOf>external:http:*</mirrorOf><url>http://0.0.0.0/</url><blocked>true</blocked></mirror>
<mirror><id>not</id><mirrorOf>*,!central</mirrorOf><url>https://not.example/</url></mirror>
<mirror><id>yes</id><mirrorOf>other, central</mirrorOf><url> https://mirror.example/maven/ </url></mirror>
</mirrors></settings>"""


def test_the_mirror_of_the_machines_settings_is_used(tmp_path: Path) -> None:
    path = tmp_path / "settings.xml"
    path.write_text(SETTINGS, encoding="utf-8")
    assert central_mirror(path) == "https://mirror.example/maven/"
    assert remote_repositories(path)["central"] == "https://mirror.example/maven"


def test_settings_without_a_mirror(tmp_path: Path) -> None:
    path = tmp_path / "settings.xml"
    assert central_mirror(path) is None
    path.write_text("<settings/>", encoding="utf-8")
    assert central_mirror(path) is None
    path.write_text("<settings", encoding="utf-8")
    with pytest.raises(BadInputError, match=r"settings\.xml cannot be read"):
        central_mirror(path)


@pytest.fixture
def no_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise JarsMissingError("no jars in this test")

    monkeypatch.setattr(apache, "resolve_jars", missing)


@pytest.mark.usefixtures("no_kafka")
def test_the_default_falls_back_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_broker(None, run_dir=tmp_path / "run", cache_dir=tmp_path) as broker:
        assert isinstance(broker, EmbeddedBroker)
        warning = broker.info.warning or ""
    assert "no jars in this test" in warning
    assert "not Apache Kafka" in warning
    assert "taking the embedded broker" in caplog.text


@pytest.mark.usefixtures("no_kafka")
def test_a_broker_asked_for_by_name_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(JarsMissingError, match="no jars in this test"):
        open_broker("apache", run_dir=tmp_path / "run", cache_dir=tmp_path)
