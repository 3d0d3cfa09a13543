"""The nightly job: follows the stream, closes business days, publishes their tables to every worker."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.features.day_table import DayTable
from models.features.table_messages import DayTableAssembler, DayTableError, to_messages
from scorer.day_closing import DayCloser
from scorer.engines import Ready, StopSignal
from scorer.event_clock import EventClock, Plausible
from scorer.messages import acceptable
from streams.codec import UNDECODABLE, decode_day_end, decode_disposition
from streams.errors import BrokerError
from streams.topics import Topics

log = logging.getLogger("riskbench.scorer")

TAKE_MAX = 4_096
POLL_S = 0.05
MESSAGE_BYTES_MAX = 500_000
FLUSH_LIMIT_S = 30.0


@dataclass(slots=True)
class NightlyCounters:
    """What the nightly job has done so far."""

    unreadable: int = 0
    published: int = 0
    chunks: int = 0
    last_day: int | None = None
    by_topic: dict[str, int] = field(default_factory=dict)


class Nightly:
    """Reads events, dispositions and day ends of a run from their beginning; publishes each day's table once.

    Messages that the workers refuse, and put on the dead-letter topic, are counted and left. The tables are
    closed after a restart again, with the same content, since all is read again from the state it started with; those
    that are out already (`published`, business days) are not published a second time.
    """

    def __init__(
        self,
        closer: DayCloser,
        topics: Topics,
        publish: Callable[[DayTable], None],
        published: Collection[int] = (),
        plausible: Plausible | None = None,
    ) -> None:
        self._closer = closer
        self._published = published
        self._topics = topics
        self._publish = publish
        self.counters = NightlyCounters()
        self._clock = EventClock(plausible or Plausible(), lambda: closer.next_day)

    def take(self, topic: str, values: Sequence[bytes]) -> None:
        """Messages of one topic, in the order of their partitions."""
        self.counters.by_topic[topic] = self.counters.by_topic.get(topic, 0) + len(values)
        if topic == self._topics.events:
            self._take_events(values)
        elif topic == self._topics.dispositions:
            self._closer.add_dispositions(self._readable(values, decode_disposition))
        else:
            for end in self._readable(values, decode_day_end):
                self._closer.add_day_end(end)

    def _take_events(self, values: Sequence[bytes]) -> None:
        plain = self._closer.read(values)
        if plain is not None and self._clock.believes(plain.time_ns):
            self._closer.add_read(plain)
            return
        events, _, refused = acceptable(values, self._clock)
        self.counters.unreadable += len(refused)
        self._closer.add_unreadable(len(refused))
        self._closer.add_events(events)

    def close_days(self) -> None:
        """Close and publish what is complete."""
        for table in self._closer.close_ready():
            self.counters.last_day = table.day
            if table.day in self._published:
                log.info("the table of business day %d is out already", table.day)
                continue
            self._publish(table)
            self.counters.published += 1
            log.info("published the table of business day %d", table.day)

    def summary(self, status: str) -> dict[str, Any]:
        """The job's totals as JSON values."""
        return {
            "status": status,
            "role": "nightly",
            "events": self._closer.events,
            "repeated": self._closer.repeated,
            "dispositions": self._closer.dispositions,
            "unreadable": self.counters.unreadable,
            "tables_published": self.counters.published,
            "last_day": self.counters.last_day,
            "next_day": self._closer.next_day,
        }

    def _readable(self, values: Sequence[bytes], decode: Callable[[bytes], Any]) -> list[Any]:
        try:
            return [decode(value) for value in values]
        except UNDECODABLE:
            return self._one_by_one(values, decode)

    def _one_by_one(self, values: Sequence[bytes], decode: Callable[[bytes], Any]) -> list[Any]:
        found = []
        for value in values:
            try:
                found.append(decode(value))
            except UNDECODABLE as error:
                self.counters.unreadable += 1
                log.warning("the nightly job left out a message: %s", error)
        return found


class TablePublisher:
    """Sends day tables in chunks, keyed by day and chunk, so that compaction keeps the newest of each."""

    def __init__(self, producer: Any, topics: Topics) -> None:
        self._producer = producer
        self._topics = topics
        self._failure: str | None = None

    def publish(self, table: DayTable) -> None:
        """Send a table and wait until the broker has it. Raises `BrokerError` when it does not take it."""
        for chunk, message in enumerate(to_messages(table, MESSAGE_BYTES_MAX)):
            self._producer.produce(
                self._topics.day_tables, message, f"{table.day}/{chunk}".encode(), on_delivery=self._delivered
            )
        if self._producer.flush(FLUSH_LIMIT_S) > 0 or self._failure is not None:
            raise BrokerError(f"the table of business day {table.day} was not taken: {self._failure or 'no answer'}")

    def _delivered(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._failure = str(error)


def published_days(messages: Iterable[bytes]) -> set[int]:
    """Business days whose tables are whole among the messages of the day tables' topic."""
    assembler, days = DayTableAssembler(), set[int]()
    for message in messages:
        try:
            table = assembler.add(message)
        except DayTableError as error:
            log.error("a message of the day tables cannot be read: %s", error)
            continue
        if table is not None:
            days.add(table.day)
    return days


def run_nightly(nightly: Nightly, consumer: Any, stop: StopSignal, ready: Ready) -> None:
    """Follow the topics `consumer` (confluent-kafka) is assigned to, until stopped; closes it at the end."""
    try:
        ready()
        while not stop.is_set():
            first = consumer.poll(POLL_S)
            if first is None:
                continue
            for topic, values in _by_topic([first, *consumer.consume(TAKE_MAX - 1, 0)]).items():
                nightly.take(topic, values)
            nightly.close_days()
    finally:
        consumer.close()


def _by_topic(messages: Sequence[Any]) -> dict[str, list[bytes]]:
    """Values by topic, in their order. Mostly all are of one topic, and none is an error: then nothing but calls of the
    client's own methods is made for each."""
    kind = type(messages[0])
    errors = list(map(kind.error, messages))
    if errors.count(None) < len(errors):
        messages = [message for message in messages if not _is_error(message)]
    topics, values = list(map(kind.topic, messages)), list(map(kind.value, messages))
    if None in values:
        values = [value or b"" for value in values]
    if len(set(topics)) == 1:
        return {topics[0]: values}
    found: dict[str, list[bytes]] = {}
    for topic, value in zip(topics, values, strict=True):
        found.setdefault(topic, []).append(value)
    return found


def _is_error(message: Any) -> bool:
    """Whether a message is none; what it says is logged, or raised when the broker will give no more."""
    error = message.error()
    if error is None:
        return False
    if error.fatal():
        raise BrokerError(f"the broker refuses to give messages of {message.topic()}: {error.str()}")
    log.warning("reading %s: %s", message.topic(), error.str())
    return True
