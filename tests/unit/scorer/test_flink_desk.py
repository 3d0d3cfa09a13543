"""What decides for Flink's operator."""

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from models.features.ledger import RiskLedger
from scorer.day_closing import DayCloser
from scorer.engines.flink_desk import Desk, FlinkOutlet, commit_reached
from scorer.inline_tables import InlineTables
from scorer.table_feed import TableGate
from streams.codec import decode_dead_letter, decode_decision, decode_explanation, encode
from streams.decision import Explanation
from streams.errors import BrokerError
from streams.topics import Topics
from tests.unit.scorer.test_pipeline import event, make_pipeline

TOPICS = Topics("run")


@pytest.fixture
def desk() -> Desk:
    pipeline = make_pipeline()
    gate = TableGate(InlineTables(DayCloser(RiskLedger.empty(7), 0), []), pipeline, lambda: 5, limit_s=0.0)
    return Desk(pipeline, gate, None, TOPICS, lambda: 5)


def test_an_event_gets_its_decision_and_a_repeated_one_none(desk: Desk) -> None:
    first = event(1, 10)
    ((event_id, answer),) = desk.answer(encode(first), 2, 7, b"card")
    assert event_id == first.event_id == decode_decision(answer).event_id
    assert list(desk.answer(encode(first), 2, 8, b"card")) == []


def test_the_offset_after_the_last_answer_is_known_by_partition(desk: Desk) -> None:
    for number, (partition, offset) in enumerate([(0, 4), (1, 9), (0, 5)]):
        list(desk.answer(encode(event(number, 10)), partition, offset, None))
    list(desk.answer(b"no event", 1, 10, None))
    assert desk.reached == {0: 6, 1: 11}


def test_what_is_no_event_becomes_a_dead_letter_that_says_whence(desk: Desk) -> None:
    ((event_id, answer),) = desk.answer(b'{"event_id": 1}', 3, 9, None)
    letter = decode_dead_letter(answer)
    assert event_id is None
    assert (letter.topic, letter.partition, letter.offset, letter.key) == (TOPICS.events, 3, 9, None)
    assert letter.original == b'{"event_id": 1}'


class Producer:
    """Takes messages; `left` of them are never acknowledged."""

    def __init__(self, left: int) -> None:
        self.left, self.sent = left, list[tuple[str, bytes, bytes]]()

    def produce(self, topic: str, value: bytes, key: bytes) -> None:
        self.sent.append((topic, value, key))

    def poll(self, timeout: float) -> None: ...

    def flush(self, timeout: float) -> int:
        return self.left


def test_explanations_leave_by_a_producer_and_are_waited_for() -> None:
    producer = Producer(0)
    outlet = FlinkOutlet(producer, TOPICS)
    outlet.publish([Explanation(event_id="e", reasons=[])], outlet.expect(1))
    outlet.flush()
    ((topic, value, key),) = producer.sent
    assert (topic, key, decode_explanation(value).event_id) == (TOPICS.explanations, b"e", "e")
    with pytest.raises(BrokerError, match="has not acknowledged all explanations"):
        FlinkOutlet(Producer(1), TOPICS).flush()


class Consumer:
    """Commits, or refuses to."""

    def __init__(self, refusal: str | None = None) -> None:
        self.refusal, self.committed, self.closed = refusal, dict[tuple[str, int], int](), False

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:
        assert not asynchronous
        if self.refusal is not None:
            raise KafkaException(KafkaError(KafkaError._FAIL, self.refusal))
        self.committed |= {(at.topic, at.partition): at.offset for at in offsets}

    def close(self) -> None:
        self.closed = True


def test_what_was_answered_is_committed_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    consumer = Consumer()
    commit_reached(consumer, "run.events", {0: 6, 1: 11})
    assert consumer.committed == {("run.events", 0): 6, ("run.events", 1): 11}
    assert consumer.closed
    refusing = Consumer("not now")
    commit_reached(refusing, "run.events", {0: 6})
    assert refusing.closed
    assert "offsets could not be committed: not now" in caplog.text
