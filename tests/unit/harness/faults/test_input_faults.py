"""Faults of the input: what they put in is what a scorer must refuse, leave alone or decide, and each is counted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.dead_letters import DEAD_LETTERS_FILE, keep_dead_letters, read_dead_letters, reason_kind
from harness.faults.fates import fates, out_of_order
from harness.faults.feeding import Feeding, in_order_of_sending
from harness.faults.input_fault import InputFault
from harness.faults.kinds import KINDS
from harness.faults.measures import _fates
from harness.faults.plan import plan_faults
from harness.faults.staging import Staging
from harness.fed_results import FedResults
from harness.feed import write_feed
from harness.instruments import StreamPlan
from harness.load import Sender
from harness.outgoing import Feed
from harness.pacing import AWAKE_NS_MIN, Pacer
from harness.prepared import Prepared, Windows
from harness.scenario import Scenario, load_scenario
from harness.stream import to_refuse
from scorer.event_clock import EventClock, Plausible
from scorer.messages import Origin, read
from streams.codec import MESSAGE_BYTES_MAX, encode
from streams.labels import NS_PER_DAY
from streams.topics import Topics
from streams.transaction import TRANSACTION_SCHEMA, CardTransaction
from tests.unit.harness.test_load import FakeProducer, FakeTime

TOPICS = Topics("t")
DAY = 20_500
REFUSED = [kind for kind, model in KINDS.items() if issubclass(model, InputFault) and model.fate == "refuse"]
NOTHING_KNOWN = pa.table(
    {
        name: pa.nulls(0, kind)
        for name, kind in {
            **dict.fromkeys(("event_id", "card_id", "merchant_id", "terminal_id", "device_id"), pa.string()),
            **dict.fromkeys(("event_time_ns", "reported_at_ns"), pa.int64()),
            "is_fraud": pa.bool_(),
        }.items()
    }
)


def events(count: int) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "event_id": f"e{i}",
            "event_time_ns": DAY * NS_PER_DAY + i * 1_000_000_000,
            "card_id": f"c{i % 17}",
            "amount_minor": 100 + i,
            "currency": "EUR",
            "merchant_id": f"m{i % 5}",
        }
        for i in range(count)
    ]
    return pa.Table.from_pylist(rows, TRANSACTION_SCHEMA)


def schedule(count: int, rate: int = 100) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.arange(count, dtype=np.int64) * (1_000_000_000 // rate)


def scenario(kind: str, **keys: Any) -> Scenario:
    fault = {"kind": kind, "at_s": 2.0, "duration_s": 6.0, **keys}
    return load_scenario("fraud", {"faults": [fault]})


def fed(made: Scenario, folder: Path, count: int = 1_000) -> Feed:
    feeding = Feeding(made.faults, made.seeds.faults)
    write_feed(folder, events(count), NOTHING_KNOWN, schedule(count), feeding.put_in)
    return Feed.open(folder)


def sent(feed: Feed, share: int = 0, shares: int = 1) -> list[tuple[str, bytes, bytes | None, int]]:
    time = FakeTime()
    producer = FakeProducer(time)
    sender = Sender(feed, TOPICS, producer, np.zeros(len(feed.messages), np.int64), share, shares)
    pacer = Pacer(time.read, time.sleep, AWAKE_NS_MIN, lambda: None)
    sender.run(0, pacer, lambda _: None)
    assert sender.fed_sent == len(feed.fed_by(share, shares))
    return [message for message in producer.messages if message[0] == TOPICS.events]


def refused(messages: list[bytes]) -> tuple[list[str], list[bytes]]:
    """The ids of what is decided, and the letters, as our scorer reads the messages."""
    clock = EventClock(Plausible(), lambda: DAY)
    taken = read(messages, lambda index: Origin(TOPICS.events, 0, index, b"k"), clock)
    return [event.event_id for event in taken.events], [encode(letter) for letter in taken.dead_letters]


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_put_in_is_refused_and_named_and_nothing_else(kind: str, tmp_path: Path) -> None:
    made = scenario(kind, share=0.4)
    feed = fed(made, tmp_path / "feed")
    assert len(feed.fed) == 400  # of 600 events: two fifths of all that is sent
    decided, letters = refused([message[1] for message in sent(feed)])
    assert decided == [f"e{i}" for i in range(1_000)]
    assert len(letters) == 400
    keep_dead_letters(letters, tmp_path / "feed", tmp_path / DEAD_LETTERS_FILE)
    kept = read_dead_letters(tmp_path)
    assert kept["fault"].to_pylist() == [0] * 400
    assert sorted(kept["original"].to_pylist()) == sorted(feed.fed[i] for i in range(400))
    found = fates(made, tmp_path / "feed", np.zeros(0, np.int64), tmp_path)[0]
    assert (found.fate, found.messages, found.refused, found.unexplained) == ("refuse", 400, 400, 0)
    assert sum(found.by_reason.values()) == 400
    assert _fates(found) == []


def test_what_is_put_in_lies_within_the_fault_and_is_the_same_again(tmp_path: Path) -> None:
    made = scenario("input-malformed")
    feed, again = fed(made, tmp_path / "one"), fed(made, tmp_path / "two")
    assert (feed.fed_after >= 200).all()
    assert (feed.fed_after < 800).all()
    assert [feed.fed[i] for i in range(len(feed.fed))] == [again.fed[i] for i in range(len(again.fed))]
    other = fed(scenario("input-malformed", at_s=2.5), tmp_path / "three")
    assert other.fed_after.tolist() != feed.fed_after.tolist()


def test_several_senders_share_what_is_put_in(tmp_path: Path) -> None:
    feed = fed(scenario("input-duplicate"), tmp_path)
    parts = [sent(feed, share, 3) for share in range(3)]
    assert sum(map(len, parts)) == 1_000 + len(feed.fed)
    for share, part in enumerate(parts):
        assert {feed.keys.index(key or b"") % 3 for _, _, key, _ in part} == {share}


def test_a_duplicate_is_the_same_message_sent_after_it(tmp_path: Path) -> None:
    feed = fed(scenario("input-duplicate", lag_s=1.0), tmp_path)
    messages = [message[1] for message in sent(feed)]
    first = {message: place for place, message in reversed(list(enumerate(messages)))}
    repeated = [place for place, message in enumerate(messages) if first[message] != place]
    assert len(repeated) == len(feed.fed) == 67
    assert set(feed.fed_after[: len(feed.fed)] - feed.fed_source) - {0}


def test_events_out_of_order_are_the_same_events(tmp_path: Path) -> None:
    made = scenario("input-out-of-order", share=0.2, delay_s=0.3)
    order = Feeding(made.faults, made.seeds.faults).order(schedule(1_000))
    assert order is not None
    assert sorted(order.tolist()) == list(range(1_000))
    assert order[:200].tolist() == list(range(200))
    assert order[800:].tolist() == list(range(800, 1_000))
    folder = tmp_path / "from"
    folder.mkdir()
    pq.write_table(events(1_000), folder / "events.parquet")
    pq.write_table(pa.table({"row": range(1_000)}), folder / "labels.parquet")
    pq.write_table(NOTHING_KNOWN, folder / "dispositions.parquet")
    prepared = Prepared(folder, "key", True, Windows(0, 0, 0, 0), {"events": 1_000})
    moved = in_order_of_sending(prepared, order, tmp_path / "to")
    assert pq.read_table(moved.file("labels"))["row"].to_pylist() == order.tolist()
    assert pq.read_table(moved.file("dispositions")).num_rows == 0
    times = pq.read_table(moved.file("events"))["event_time_ns"].to_numpy()
    late = out_of_order(times)
    assert 50 < len(late) < 200
    write_feed(tmp_path / "feed", pq.read_table(moved.file("events")), NOTHING_KNOWN, schedule(1_000))
    keep_dead_letters([], tmp_path / "feed", tmp_path / DEAD_LETTERS_FILE)
    found = fates(made, tmp_path / "feed", late, tmp_path)[0]
    assert (found.fate, found.messages, found.refused) == ("decide", len(late), 0)


def test_without_a_fault_of_the_input_nothing_is_moved() -> None:
    made = scenario("input-malformed")
    assert Feeding(made.faults, 3).order(schedule(1_000)) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (FedResults(fate="refuse", messages=10, refused=9), "9 of 10 messages were refused, 10 should have been"),
        (FedResults(fate="refuse", messages=10, refused=10, unexplained=2), "2 messages were refused for another"),
        (FedResults(fate="ignore", messages=10, refused=1), "1 of 10 messages were refused, 0 should have been"),
        (FedResults(fate="decide", messages=10, refused=0), ""),
    ],
)
def test_another_fate_than_the_wanted_one_fails(found: FedResults, words: str) -> None:
    assert words in " ".join(_fates(found))
    assert bool(_fates(found)) == bool(words)


def test_a_letter_is_known_by_its_bytes_and_counts_once(tmp_path: Path) -> None:
    made = scenario("input-malformed")
    feed = fed(made, tmp_path / "feed")
    good = encode(CardTransaction(event_id="x", event_time_ns=1, card_id="c", amount_minor=1, currency="EUR"))
    _, letters = refused([feed.fed[0], b"never put in", feed.fed[0][:-1] + b"!"])
    kept = keep_dead_letters(
        [*letters, letters[0], b"no letter", good], tmp_path / "feed", tmp_path / DEAD_LETTERS_FILE
    )
    assert (kept.letters, kept.again) == (5, 1)
    table = read_dead_letters(tmp_path)
    assert table["fault"].to_pylist() == [0, None, None, None, None]
    assert table["original"].to_pylist()[-2:] == [b"no letter", good]
    assert "is no dead letter" in table["reason"][3].as_py()


def test_day_ends_count_what_is_put_in(tmp_path: Path) -> None:
    made = scenario("input-malformed", share=0.5)
    feeding = Feeding(made.faults, made.seeds.faults)
    table = events(1_000)
    times = table["event_time_ns"].to_numpy() + 10 * 3_600_000_000_000 + np.arange(1_000) * 60_000_000_000
    stretched = table.set_column(1, TRANSACTION_SCHEMA.field(1), pa.array(times))
    write_feed(tmp_path, stretched, NOTHING_KNOWN, schedule(1_000), feeding.put_in)
    feed = Feed.open(tmp_path)
    closed = int(np.searchsorted(times, DAY * NS_PER_DAY + 22 * 3_600_000_000_000))
    assert 200 < closed < 800
    put_in = int((feed.fed_after < closed).sum())
    assert 0 < put_in < len(feed.fed)
    assert f'"events":{closed + put_in},'.encode() in feed.side[0]


@pytest.mark.parametrize(("kind", "waited_for"), [("input-malformed", 67), ("input-duplicate", 0)])
def test_a_stream_ends_when_what_must_be_refused_was(kind: str, waited_for: int, tmp_path: Path) -> None:
    made = scenario(kind)
    fed(made, tmp_path)
    plan = StreamPlan(
        title="t",
        feed=tmp_path,
        events=tmp_path,
        dispositions=tmp_path,
        partitions=1,
        timeout_s=1.0,
        measured_from=0,
        decisions=tmp_path,
    )
    assert to_refuse(plan) == 0
    planned = plan_faults(made.faults, 3, schedule(1_000), schedule(1_000))
    assert to_refuse(replace(plan, faults=Staging(planned))) == waited_for


def test_a_reason_without_its_numbers() -> None:
    assert reason_kind("Expected `int` >= 0 - at `$.amount_minor`") == "Expected `int` >= … - at `$.amount_minor`"
    assert reason_kind("Invalid enum value 'QQQ' - at `$.currency`") == "Invalid enum value … - at `$.currency`"
    assert reason_kind("byte 0xe9 in position 14") == "byte … in position …"
    assert reason_kind("event time 2036-01-02 is 3,650 days ahead") == "event time … is … days ahead"


def test_the_bound_on_a_message_is_exact() -> None:
    body = b'{"event_id":"e","event_time_ns":1,"card_id":"c","amount_minor":1,"currency":"EUR"}'
    fits = body + b" " * (MESSAGE_BYTES_MAX - len(body))
    taken = read([fits, fits + b" "], lambda index: Origin("t", 0, index))
    assert taken.places == [0]
    assert taken.dead_letters[0].reason == "65,537 bytes: a message has at most 65,536"
    assert taken.dead_letters[0].original == fits + b" "
