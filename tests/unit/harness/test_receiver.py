"""At its end the receiver reads what is there, however long a fetch takes."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from harness import receiver
from harness.receiver import CATCH_UP_S, ReceiverPlan, catch_up, take_topic
from harness.spool import SpoolReader, SpoolWriter

PARTITIONS = [TopicPartition("d", 0), TopicPartition("d", 1)]


class SlowConsumer:
    """One partition with `held` messages, which come only every third time; another that is empty."""

    def __init__(self, held: int, comes: bool = True) -> None:
        self.held, self.read, self.asked, self.comes = held, 0, 0, comes

    def get_watermark_offsets(self, partition: Any, timeout: float) -> tuple[int, int]:
        return (0, self.held if partition.partition == 0 else 0)

    def position(self, partitions: list[Any]) -> list[TopicPartition]:
        return [TopicPartition("d", 0, self.read or -1001), TopicPartition("d", 1, -1001)]

    def poll(self, timeout: float) -> Any:
        self.asked += 1
        if self.asked % 3 or not self.comes:
            return None
        self.read += 1
        return SimpleNamespace(error=lambda: None, value=lambda: b"x")

    def consume(self, num_messages: int, timeout: float) -> list[Any]:
        return []


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[SpoolWriter]:
    writer = SpoolWriter(tmp_path / "spool")
    yield writer
    writer.close()


def clock(step_ns: int) -> Any:
    return iter(range(0, 10**15, step_ns)).__next__


def test_it_reads_to_the_end_through_empty_fetches(spool: SpoolWriter, tmp_path: Path) -> None:
    assert catch_up(SlowConsumer(5), PARTITIONS, spool, clock(1_000_000))
    reader = SpoolReader(tmp_path / "spool")
    assert len(reader.read()) == 5
    reader.close()


def test_it_does_not_wait_for_ever(spool: SpoolWriter, caplog: Any) -> None:
    assert not catch_up(SlowConsumer(5, comes=False), PARTITIONS, spool, clock(round(CATCH_UP_S * 1e8)))
    assert "left unread" in caplog.text


def test_a_broker_that_is_gone_does_not_keep_it(spool: SpoolWriter, caplog: Any) -> None:
    class Gone(SlowConsumer):
        def get_watermark_offsets(self, partition: Any, timeout: float) -> tuple[int, int]:
            raise KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))

    assert not catch_up(Gone(5), PARTITIONS, spool, clock(1_000_000))
    assert "could not be asked" in caplog.text


def test_a_whole_topic_is_taken_at_once_and_its_end_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = SlowConsumer(4)
    monkeypatch.setattr(consumer, "close", lambda: None, raising=False)
    monkeypatch.setattr(receiver, "open_consumer", lambda plan: consumer)
    plan = ReceiverPlan(topic="d", partitions=2, bootstrap_servers="b:1", kafka_config=None, spool=str(tmp_path / "e"))
    assert take_topic(plan, clock(1_000_000), 1.0)
    reader = SpoolReader(tmp_path / "e")
    assert [value for _, value in reader.read()] == [b"x"] * 4
    assert reader.ended()
    reader.close()


def test_a_topic_that_takes_too_long_is_left_and_its_end_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = SlowConsumer(4, comes=False)
    monkeypatch.setattr(consumer, "close", lambda: None, raising=False)
    monkeypatch.setattr(receiver, "open_consumer", lambda plan: consumer)
    plan = ReceiverPlan(topic="d", partitions=2, bootstrap_servers="b:1", kafka_config=None, spool=str(tmp_path / "e"))
    assert not take_topic(plan, clock(100_000_000), 1.0)
    assert SpoolReader(tmp_path / "e").ended()
