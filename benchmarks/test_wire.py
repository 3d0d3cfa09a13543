"""Reading events from JSON into columns, beside decoding each to an object and coding its fields."""

from typing import Any

import pytest

from benchmarks.by_turns import by_turns, note_rate
from benchmarks.traffic import events
from models.features.batch import TransactionBatch, Vocabulary
from models.features.coding import EventCoder
from streams.codec import decode_transactions, encode_events

BATCH = 256
OF_DECODING_MAX = {1: (0.85, 1.1), BATCH: (0.45, 0.6)}


class Reading:
    """Both ways to columns; every id was met before."""

    def __init__(self, count: int) -> None:
        self.messages = encode_events(events(count))
        self.coder = EventCoder(Vocabulary(("food",), ("chip",)))
        self.read()

    def read(self) -> tuple[list[str], TransactionBatch]:
        """By the kernel: ids and columns."""
        plain = self.coder.reader.read(self.messages)
        assert plain is not None
        return plain.event_ids(), self.coder.reader.batch(plain)

    def decode(self) -> tuple[list[str], TransactionBatch]:
        """By the decoder."""
        decoded = decode_transactions(self.messages)[0]
        return [event.event_id for event in decoded], self.coder.code_events(decoded)


@pytest.mark.parametrize("count", [1, BATCH])
def test_read_messages(benchmark: Any, count: int) -> None:
    benchmark(Reading(count).read)
    note_rate(benchmark, "events", count)


@pytest.mark.parametrize("count", [1, BATCH])
def test_beside_decoding_and_coding(count: int) -> None:
    reading, times = Reading(count), 100 if count == 1 else 10
    turns = by_turns(
        lambda _: [reading.read() for _ in range(times)], lambda _: [reading.decode() for _ in range(times)], rounds=200
    )
    turns.hold("decoding and coding", *OF_DECODING_MAX[count])
