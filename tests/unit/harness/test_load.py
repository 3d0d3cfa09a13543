"""The load: on time, never skipping, in the right order, with a clock that costs nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.feed import DAY_ENDS, DISPOSITIONS, dispositions_between, side_messages, write_feed
from harness.load import Sender
from harness.outgoing import Feed
from harness.pacing import AWAKE_NS_MAX, AWAKE_NS_MIN, STEP_NS_MAX, Pacer, measure_oversleep_ns, step_beside_ns
from streams.codec import decode_day_end, decode_disposition, decode_transactions
from streams.errors import BadInputError
from streams.labels import LABEL_SCHEMA, NS_PER_DAY, NS_PER_HOUR, business_day
from streams.topics import Topics
from streams.transaction import TRANSACTION_SCHEMA

TOPICS = Topics("t")


class FakeTime:
    """A clock that moves by what is slept, plus a little at every look."""

    def __init__(self, look_ns: int = 50, oversleep_ns: int = 0) -> None:
        self.now, self.look_ns, self.oversleep_ns, self.slept = 0, look_ns, oversleep_ns, 0.0

    def read(self) -> int:
        self.now += self.look_ns
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += round(seconds * 1e9) + self.oversleep_ns


class FakeProducer:
    """Remembers what was produced and when; refuses once where asked to."""

    def __init__(self, time: FakeTime, full_at: set[int] | None = None) -> None:
        self.time, self.full_at, self.calls = time, set(full_at or ()), 0
        self.messages: list[tuple[str, bytes, bytes | None, int]] = []

    def produce(self, topic: str, value: bytes, key: bytes | None = None, **_asked: Any) -> None:
        self.calls += 1
        if self.calls in self.full_at:
            raise BufferError
        self.messages.append((topic, value, key, self.time.now))

    def poll(self, timeout: float) -> int:
        self.time.now += round(timeout * 1e9)
        return 0

    def flush(self, timeout: float) -> int:
        return 0


def _events(times: list[int]) -> pa.Table:
    columns: dict[str, Any] = {field.name: pa.nulls(len(times), field.type) for field in TRANSACTION_SCHEMA}
    columns["event_id"] = pa.array([f"e{i}" for i in range(len(times))])
    columns["event_time_ns"] = pa.array(times, pa.int64())
    columns["card_id"] = pa.array([f"c{i % 3}" for i in range(len(times))]).dictionary_encode()
    columns["amount_minor"] = pa.array([100] * len(times), pa.int64())
    columns["currency"] = pa.array(["EUR"] * len(times)).dictionary_encode()
    return pa.table(columns, schema=TRANSACTION_SCHEMA)


def _dispositions(reported: list[int]) -> pa.Table:
    return pa.table(
        {
            "event_id": pa.array([f"d{i}" for i in range(len(reported))]),
            "event_time_ns": pa.array([0] * len(reported), pa.int64()),
            "card_id": pa.array(["c"] * len(reported)),
            "merchant_id": pa.nulls(len(reported), pa.string()),
            "terminal_id": pa.array(["t"] * len(reported), pa.string()),
            "reported_at_ns": pa.array(reported, pa.int64()),
            "is_fraud": pa.array([True] * len(reported)),
        }
    )


def _send(folder: Path, schedule: list[int], time: FakeTime, producer: FakeProducer, **feed: Any) -> Sender:
    events = feed.get("events", _events([10] * len(schedule)))
    write_feed(folder, events, feed.get("dispositions", _dispositions([])), np.array(schedule, dtype=np.int64))
    sender = Sender(Feed.open(folder), TOPICS, producer, np.zeros(len(schedule), dtype=np.int64))
    sender.run(1_000, Pacer(time.read, time.sleep, 20_000, lambda: None), lambda sent: None)
    return sender


def test_every_event_goes_out_at_its_instant_with_its_key(tmp_path: Path) -> None:
    time = FakeTime()
    producer = FakeProducer(time)
    schedule = [0, 5_000_000, 5_000_000, 9_000_000, 3_000_000_000]
    sender = _send(tmp_path, schedule, time, producer)
    assert [key for _, _, key, _ in producer.messages] == [b"c0", b"c1", b"c2", b"c0", b"c1"]
    delays = sender.sent_ns - (np.array(schedule) + 1_000)
    assert (delays >= 0).all()
    assert (delays < 50_000).all()
    assert time.slept > 2.9  # asleep for nearly all of it
    assert sender.sent == 5


def test_when_behind_everything_goes_at_once_and_nothing_is_skipped(tmp_path: Path) -> None:
    time = FakeTime(oversleep_ns=200_000_000)  # a machine that oversleeps by 200 ms
    producer = FakeProducer(time)
    schedule = [i * 10_000_000 for i in range(100)]
    sender = _send(tmp_path, schedule, time, producer)
    events, _, malformed = decode_transactions([value for _, value, _, _ in producer.messages])
    assert [event.event_id for event in events] == [f"e{i}" for i in range(100)]
    assert not malformed
    assert (np.diff(sender.sent_ns) > 0).all()
    assert (sender.sent_ns >= np.array(schedule) + 1_000).all()
    assert sender.sent_ns[-1] < schedule[-1] + 300_000_000  # it caught up: the delay did not add up


def test_a_full_queue_is_waited_for_and_counted(tmp_path: Path) -> None:
    time = FakeTime()
    producer = FakeProducer(time, full_at={2, 3})
    sender = _send(tmp_path, [0, 1, 2], time, producer)
    assert len(producer.messages) == 3
    assert sender.queue_full == 2


def test_an_event_has_its_instant_before_its_decision_can_be_back(tmp_path: Path) -> None:
    write_feed(tmp_path, _events([10, 11]), _dispositions([]), np.array([0, 1], dtype=np.int64))
    time, sent_ns, seen = FakeTime(), np.zeros(2, dtype=np.int64), []

    class Quick(FakeProducer):
        def produce(self, topic: str, value: bytes, key: bytes | None = None, **asked: Any) -> None:
            super().produce(topic, value, key, **asked)
            seen.append(int(np.count_nonzero(sent_ns)))

    sender = Sender(Feed.open(tmp_path), TOPICS, Quick(time), sent_ns)
    sender.run(1_000, Pacer(time.read, time.sleep, 20_000, lambda: None), lambda sent: None)
    assert seen == [1, 2]


def test_only_events_have_their_delivery_reported_and_as_asked(tmp_path: Path) -> None:
    write_feed(tmp_path, _events([10, 11, 12]), _dispositions([11]), np.array([0, 1, 2], dtype=np.int64))
    time, reported = FakeTime(), []

    class Reporting(FakeProducer):
        def produce(self, topic: str, value: bytes, key: bytes | None = None, **asked: Any) -> None:
            super().produce(topic, value, key)
            if "on_delivery" in asked:
                asked["on_delivery"](None, topic)

    def report_of(ordinal: int) -> Any:
        return None if ordinal == 1 else lambda error, topic: reported.append((ordinal, topic))

    sender = Sender(Feed.open(tmp_path), TOPICS, Reporting(time), np.zeros(3, dtype=np.int64), report_of=report_of)
    sender.run(1_000, Pacer(time.read, time.sleep, 20_000, lambda: None), lambda sent: None)
    assert sender.side_sent > 0
    assert reported == [(0, TOPICS.events), (2, TOPICS.events)]


@given(st.lists(st.integers(0, 400_000), min_size=1, max_size=200).map(np.cumsum))
def test_a_pacer_with_a_step_is_never_early_late_by_a_step_at_most_and_wakes_less_often(instants: Any) -> None:
    time, awakenings = FakeTime(), 0

    def sleep(seconds: float) -> None:
        nonlocal awakenings
        awakenings += 1
        time.sleep(seconds)

    pacer = Pacer(time.read, sleep, 0, lambda: None, STEP_NS_MAX)
    for instant in instants.tolist():
        late = pacer.wait_until(instant) - instant
        assert 0 <= late <= STEP_NS_MAX + 50 * len(instants)
    assert awakenings <= instants[-1] // STEP_NS_MAX + 1


def test_a_load_is_exact_where_nothing_waits_for_others_and_eased_where_it_does() -> None:
    assert [step_beside_ns(linger_ms) for linger_ms in (0.0, 1.0, 5.0, 1_000.0)] == [0, 100_000, 500_000, STEP_NS_MAX]


def test_oversleep_is_bounded() -> None:
    for oversleep, expected in ((0, AWAKE_NS_MIN), (90_000, None), (10_000_000, AWAKE_NS_MAX)):
        time = FakeTime(oversleep_ns=oversleep)
        found = measure_oversleep_ns(time.read, time.sleep)
        assert AWAKE_NS_MIN <= found <= AWAKE_NS_MAX
        assert expected is None or found == expected


Times = st.lists(st.integers(0, 6 * NS_PER_DAY), min_size=1, max_size=30).map(sorted)


@settings(max_examples=60, deadline=None)
@given(Times, Times)
def test_day_ends_come_right_after_their_day_with_true_totals(events: list[int], reported: list[int]) -> None:
    reported = [time for time in reported if time <= events[-1]]
    side = side_messages(np.array(events, dtype=np.int64), _dispositions(reported))
    sent_dispositions: list[int] = []
    days = []
    for before, topic, value in zip(side.before.tolist(), side.topic.tolist(), side.values, strict=True):
        if topic == DISPOSITIONS:
            at = decode_disposition(value).reported_at_ns
            sent_dispositions.append(at)
            assert all(time < at for time in events[:before])
            assert all(time >= at for time in events[before:])
        else:
            assert topic == DAY_ENDS
            end = decode_day_end(value)
            days.append(end.day)
            # everything before it belongs to the day or earlier, everything after it comes later
            assert all(business_day(time) <= end.day for time in events[:before])
            assert all(business_day(time) > end.day for time in events[before:])
            assert end.events == before
            assert end.dispositions == sum(business_day(at) <= end.day for at in reported)
            assert end.dispositions == len(sent_dispositions)
    assert sent_dispositions == sorted(reported)
    assert days == list(range(business_day(events[0]), business_day(events[-1])))
    assert (np.diff(side.before) >= 0).all()


def test_side_messages_are_interleaved_on_their_topics(tmp_path: Path) -> None:
    times = [NS_PER_DAY, NS_PER_DAY + 21 * NS_PER_HOUR, NS_PER_DAY + 23 * NS_PER_HOUR]
    time = FakeTime()
    producer = FakeProducer(time)
    _send(
        tmp_path,
        [0, 1_000_000, 2_000_000_000],
        time,
        producer,
        events=_events(times),
        dispositions=_dispositions([NS_PER_DAY + NS_PER_HOUR]),
    )
    assert [topic for topic, _, _, _ in producer.messages] == [
        TOPICS.events,
        TOPICS.dispositions,
        TOPICS.events,
        TOPICS.day_ends,
        TOPICS.events,
    ]
    # the day's trailer does not wait for the next day's first event
    assert producer.messages[3][3] < 10_000_000


def test_equal_ids_are_refused(tmp_path: Path) -> None:
    events = _events([1, 2, 3]).set_column(0, "event_id", pa.array(["a", "b", "a"]))
    with pytest.raises(BadInputError, match="events 1 and 3 of the stream have the same event_id"):
        write_feed(tmp_path, events, _dispositions([]), np.zeros(3, dtype=np.int64))


def test_dispositions_are_what_becomes_known_in_the_stream() -> None:
    events = _events([1, 2, 3, 4])
    labels = pa.table(
        {
            "event_id": events["event_id"],
            "is_fraud": pa.array([True, True, False, True]),
            "scenario": pa.nulls(4, pa.dictionary(pa.int32(), pa.string())),
            "look_alike": pa.nulls(4, pa.dictionary(pa.int32(), pa.string())),
            "reported_at_ns": pa.array([30, 10, None, 5], pa.int64()),
        },
        schema=LABEL_SCHEMA,
    )
    found = dispositions_between(events, labels, 10, 30)
    assert found["event_id"].to_pylist() == ["e1", "e0"]
    assert found["reported_at_ns"].to_pylist() == [10, 30]


@settings(max_examples=25)
@given(events=st.integers(0, 1_500), shares=st.integers(1, 5))
def test_senders_that_share_a_schedule_send_each_event_once_and_a_cards_in_order(
    tmp_path_factory: pytest.TempPathFactory, events: int, shares: int
) -> None:
    folder = tmp_path_factory.mktemp("feed")
    reported = [NS_PER_DAY // 2] if events else []
    schedule = np.arange(events, dtype=np.int64) * 1_000
    write_feed(folder, _events(list(range(events))), _dispositions(reported), schedule)
    sent_ns, orders, sides = np.zeros(events, dtype=np.int64), [], []
    for share in range(shares):
        time = FakeTime()
        producer = FakeProducer(time)
        sender = Sender(Feed.open(folder), TOPICS, producer, sent_ns, share, shares)
        sender.run(1_000, Pacer(time.read, time.sleep, 20_000, lambda: None), lambda sent: None)
        found = [(key, value) for topic, value, key, _ in producer.messages if topic == TOPICS.events]
        assert sender.sent == len(found)
        orders.append(found)
        sides.append(sender.side_sent)
    assert (sent_ns > 0).all()
    decoded = [decode_transactions([value for _, value in found])[0] for found in orders]
    assert sorted(int(event.event_id[1:]) for part in decoded for event in part) == list(range(events))
    cards = [{event.card_id for event in part} for part in decoded]
    assert sum(map(len, cards)) == len(set().union(*cards))
    for part in decoded:
        numbers = [int(event.event_id[1:]) for event in part]
        assert numbers == sorted(numbers)
    assert sides[0] == len(reported)
    assert sides[1:] == [0] * (shares - 1)
