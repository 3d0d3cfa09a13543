"""One contract for every broker that is started here: the three clients, order, groups, topics, and a clean end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer, TopicPartition
from kafka import KafkaConsumer, KafkaProducer

from streams.brokers import Broker, open_broker
from streams.brokers.clients import consumer, producer, receive
from streams.brokers.control import COMPACTED, ControlPlane, TopicSpec
from streams.errors import BrokerError

MESSAGES = 1000
KEYS = 37
KINDS = [pytest.param(name, marks=pytest.mark.broker(name)) for name in ("apache", "embedded")]


@pytest.fixture
def control(broker: Broker) -> Iterator[ControlPlane]:
    with ControlPlane(broker.connection) as plane:
        yield plane


@pytest.fixture
def topic(control: ControlPlane) -> Iterator[str]:
    name = f"contract-{uuid.uuid4().hex[:8]}"
    control.create_topics({name: 4})
    yield name
    control.delete_topics([name])


def send(broker: Broker, topic: str, count: int = MESSAGES) -> None:
    failed: list[str] = []
    sender = producer(broker.connection)
    for number in range(count):
        sender.produce(
            topic,
            key=f"card-{number % KEYS}",
            value=str(number),
            on_delivery=lambda error, _: failed.append(str(error)) if error is not None else None,
        )
        sender.poll(0)
    assert sender.flush(20) == 0
    assert failed == []


def drain(source: Consumer, count: int, timeout_s: float = 20.0) -> list[tuple[int, str, int]]:
    """(partition, key, number) of `count` messages, in the order they came."""
    found: list[tuple[int, str, int]] = []
    until = time.monotonic() + timeout_s
    while len(found) < count and time.monotonic() < until:
        for message in receive(source, 500, 0.1):
            assert message.error() is None
            found.append((message.partition(), message.key().decode(), int(message.value())))
    return found


def test_confluent_clients_deliver_everything_in_key_order(broker: Broker, topic: str) -> None:
    send(broker, topic)
    source = consumer(broker.connection, f"{topic}-confluent")
    try:
        source.subscribe([topic])
        found = drain(source, MESSAGES)
    finally:
        source.close()
    assert sorted(number for _, _, number in found) == list(range(MESSAGES))
    by_key: dict[str, list[int]] = defaultdict(list)
    partitions: dict[str, set[int]] = defaultdict(set)
    for partition, key, number in found:
        by_key[key].append(number)
        partitions[key].add(partition)
    assert all(len(seen) == 1 for seen in partitions.values())
    assert all(numbers == sorted(numbers) for numbers in by_key.values())
    assert len({partition for partition, _, _ in found}) == 4


def test_kafka_python_clients_deliver_everything(broker: Broker, topic: str) -> None:
    settings = broker.connection.for_kafka_python()
    sender = KafkaProducer(**settings)
    for number in range(MESSAGES):
        sender.send(topic, key=f"card-{number % KEYS}".encode(), value=str(number).encode())
    sender.flush(20)
    sender.close()
    source = KafkaConsumer(
        topic, **settings, group_id=f"{topic}-kp", auto_offset_reset="earliest", consumer_timeout_ms=10_000
    )
    found = []
    for message in source:
        found.append(int(message.value))
        if len(found) == MESSAGES:
            break
    source.close()
    assert sorted(found) == list(range(MESSAGES))


def test_aiokafka_clients_deliver_everything(broker: Broker, topic: str) -> None:
    async def run() -> list[int]:
        settings = broker.connection.for_aiokafka()
        sender = AIOKafkaProducer(**settings)
        await sender.start()
        try:
            for number in range(MESSAGES):
                await sender.send(topic, str(number).encode(), key=f"card-{number % KEYS}".encode())
            await sender.flush()
        finally:
            await sender.stop()
        source = AIOKafkaConsumer(topic, **settings, group_id=f"{topic}-aio", auto_offset_reset="earliest")
        await source.start()
        found: list[int] = []
        try:
            while len(found) < MESSAGES:
                batches = await asyncio.wait_for(source.getmany(timeout_ms=200), 10)
                found.extend(int(message.value) for batch in batches.values() for message in batch)
        finally:
            await source.stop()
        return found

    assert sorted(asyncio.run(run())) == list(range(MESSAGES))


def test_every_client_puts_a_key_into_the_same_partition(broker: Broker, topic: str) -> None:
    """Keyed state depends on it: a user's scorer may be written with another client than ours."""
    places: dict[str, set[int]] = defaultdict(set)

    async def aio() -> None:
        sender = AIOKafkaProducer(**broker.connection.for_aiokafka())
        await sender.start()
        for number in range(KEYS):
            meta = await sender.send_and_wait(topic, b"x", key=f"card-{number}".encode())
            places[f"card-{number}"].add(meta.partition)
        await sender.stop()

    asyncio.run(aio())
    other = KafkaProducer(**broker.connection.for_kafka_python())
    for number in range(KEYS):
        places[f"card-{number}"].add(other.send(topic, key=f"card-{number}".encode(), value=b"x").get(10).partition)
    other.close()
    ours = producer(broker.connection)
    for number in range(KEYS):
        ours.produce(
            topic, key=f"card-{number}", value="x", on_delivery=lambda _, m: places[m.key().decode()].add(m.partition())
        )
    assert ours.flush(20) == 0
    assert len(places) == KEYS
    assert all(len(seen) == 1 for seen in places.values())


def test_two_members_of_a_group_share_the_partitions(broker: Broker, topic: str) -> None:
    group = f"{topic}-shared"
    members = [consumer(broker.connection, group) for _ in range(2)]
    try:
        for member in members:
            member.subscribe([topic])
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for member in members:
                member.poll(0.05)
            if [len(member.assignment()) for member in members] == [2, 2]:
                break
        assigned = [{place.partition for place in member.assignment()} for member in members]
        assert assigned[0].isdisjoint(assigned[1])
        assert assigned[0] | assigned[1] == {0, 1, 2, 3}
        send(broker, topic)
        found: list[int] = []
        until = time.monotonic() + 20
        while len(found) < MESSAGES and time.monotonic() < until:
            for member in members:
                found.extend(int(message.value()) for message in receive(member, 500, 0.05))
        assert sorted(found) == list(range(MESSAGES))
    finally:
        for member in members:
            member.close()


def test_offsets_and_lag(broker: Broker, control: ControlPlane, topic: str) -> None:
    send(broker, topic)
    ends = control.end_offsets(topic)
    assert sum(ends.values()) == MESSAGES
    assert control.lag(f"{topic}-lag", topic) == ends
    source = consumer(broker.connection, f"{topic}-lag")
    try:
        source.subscribe([topic])
        assert len(drain(source, MESSAGES)) == MESSAGES
        source.commit(offsets=[TopicPartition(topic, 0, ends[0])], asynchronous=False)
    finally:
        source.close()
    assert control.committed_offsets(f"{topic}-lag", topic) == {0: ends[0]}
    assert control.lag(f"{topic}-lag", topic) == {**ends, 0: 0}


def test_topics_are_made_and_removed(broker: Broker, control: ControlPlane) -> None:
    name = f"made-{uuid.uuid4().hex[:8]}"
    control.create_topics([TopicSpec(name, 3), TopicSpec(f"{name}-tables", 1, COMPACTED)])
    assert {name, f"{name}-tables"} <= set(control.topics())
    assert control.partitions(name) == [0, 1, 2]
    with pytest.raises(BrokerError, match=f"{name}: TopicAlreadyExists"):
        control.create_topics({name: 3})
    control.delete_topics([name, f"{name}-tables"])
    assert not {name, f"{name}-tables"} & set(control.topics())
    control.delete_topics([name])
    with pytest.raises(BrokerError, match=name):
        control.delete_topics([name], missing_ok=False)
    with pytest.raises(BrokerError, match=f"topic {name} does not exist"):
        control.end_offsets(name)


def test_info_says_what_runs(broker: Broker) -> None:
    info = broker.info
    assert info.pid is not None
    assert psutil.pid_exists(info.pid)
    assert info.start_s > 0
    assert (info.warning is None) == (info.name == "apache")
    memory = broker.memory_bytes()
    assert memory is not None
    assert memory > 1_000_000


def test_it_settles_and_goes_on(broker: Broker, control: ControlPlane, caplog: pytest.LogCaptureFixture) -> None:
    name = f"settled-{uuid.uuid4().hex[:8]}"
    broker.settle()
    control.create_topics({name: 1})
    broker.settle()
    assert name in control.topics()
    control.delete_topics([name])
    assert not caplog.records


@pytest.mark.parametrize("name", KINDS)
def test_stop_leaves_nothing(name: str, tmp_path: Path, broker_cache_dir: Path) -> None:
    running = open_broker(name, run_dir=tmp_path, cache_dir=broker_cache_dir, environ=os.environ)
    pid, port = running.info.pid, running.connection.addresses[0][1]
    assert pid is not None
    for command in psutil.Process(pid).cmdline():
        assert "leash.py" not in command
    running.stop()
    running.stop()
    assert not psutil.pid_exists(pid)
    assert port_is_free(port)
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]
    with pytest.raises(BrokerError, match="not started"):
        _ = running.info


_PARENT = """
import os, sys, threading, time
from pathlib import Path
from streams.brokers import open_broker
opened = []
def work():
    broker = open_broker({name!r}, run_dir=Path({run_dir!r}), cache_dir=Path({cache_dir!r}), environ=os.environ)
    opened.append(broker)
    print(broker.info.pid, broker.connection.addresses[0][1], flush=True)
worker = threading.Thread(target=work)
worker.start()
worker.join()
time.sleep(120)
"""


@pytest.mark.parametrize("name", KINDS)
def test_killed_parent_leaves_nothing(name: str, tmp_path: Path, broker_cache_dir: Path) -> None:
    """Also when the broker was opened on a thread that has ended since: the broker must outlive the thread alone."""
    code = _PARENT.format(name=name, run_dir=str(tmp_path), cache_dir=str(broker_cache_dir))
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout is not None
        pid, port = (int(word) for word in parent.stdout.readline().split())
        time.sleep(0.3)
        assert psutil.pid_exists(pid)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        if parent.stdout is not None:
            parent.stdout.close()
    # A process that is already a zombie may still be closing its sockets, thread by thread.
    until = time.monotonic() + 10
    while (runs(pid) or not port_is_free(port)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not runs(pid)
    assert port_is_free(port)


@pytest.mark.parametrize("name", KINDS)
def test_a_taken_port_is_named(name: str, tmp_path: Path, broker_cache_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BrokerError, match=f"port {port} on 127.0.0.1 cannot be used"):
            open_broker(name, run_dir=tmp_path, cache_dir=broker_cache_dir, port=port, environ=os.environ)


def runs(pid: int) -> bool:
    """An orphan that ended may wait for the system to collect it; that is not running."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) != 0
