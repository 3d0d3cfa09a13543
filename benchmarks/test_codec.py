"""JSON on the wire beside the standard library's json on the same bytes, which checks no types."""

import json
from typing import Any

import pytest

from benchmarks.by_turns import by_turns, note_rate
from benchmarks.traffic import answers, events
from streams.codec import (
    decode_decision,
    decode_transactions,
    encode,
    encode_decision,
    encode_events,
    table_to_transactions,
)

BATCH, MANY = 256, 50_000
EVENT_MAX = (0.52, 0.8)
DECISION_MAX = (0.34, 0.55)
ENCODED_MAX = (0.23, 0.4)
COLUMNS_MAX = 0.12
GARBLED_MAX = 1.05


@pytest.mark.parametrize("count", [1, BATCH])
def test_decode_transactions(benchmark: Any, count: int) -> None:
    messages = encode_events(events(count))
    assert len(benchmark(decode_transactions, messages)[0]) == count
    note_rate(benchmark, "events", count)


def test_encode_events(benchmark: Any) -> None:
    benchmark(encode_events, events(BATCH))
    note_rate(benchmark, "events", BATCH)


def test_encoding_events_by_columns_costs_a_fraction_of_one_by_one() -> None:
    table = events(MANY)
    turns = by_turns(
        lambda _: encode_events(table), lambda _: [encode(event) for event in table_to_transactions(table)], rounds=5
    )
    turns.hold("one by one", COLUMNS_MAX)


def test_decode_decision(benchmark: Any) -> None:
    benchmark(decode_decision, encode_decision(answers(1)[0]))
    note_rate(benchmark, "decisions", 1)


def test_encode_decision(benchmark: Any) -> None:
    benchmark(encode_decision, answers(1)[0])
    note_rate(benchmark, "decisions", 1)


def test_decoding_events_costs_less_than_json() -> None:
    messages = encode_events(events(BATCH))
    turns = by_turns(
        lambda _: decode_transactions(messages), lambda _: [json.loads(message) for message in messages], rounds=300
    )
    turns.hold("json", *EVENT_MAX)


def test_a_garbled_event_makes_its_batch_little_dearer() -> None:
    messages = encode_events(events(BATCH))
    garbled = [*messages[:-1], b"{"]
    turns = by_turns(
        lambda _: decode_transactions(garbled), lambda _: [json.loads(message) for message in messages], rounds=50
    )
    turns.hold("json for the whole ones", GARBLED_MAX)


def test_decoding_decisions_costs_less_than_json() -> None:
    messages = [encode_decision(decision) for decision in answers(BATCH)]
    turns = by_turns(
        lambda _: [decode_decision(message) for message in messages],
        lambda _: [json.loads(message) for message in messages],
        rounds=300,
    )
    turns.hold("json", *DECISION_MAX)


def test_encoding_decisions_costs_a_fraction_of_json() -> None:
    decisions = answers(BATCH)
    plain = [json.loads(encode_decision(decision)) for decision in decisions]
    turns = by_turns(
        lambda _: [encode_decision(decision) for decision in decisions],
        lambda _: [json.dumps(each) for each in plain],
        rounds=300,
    )
    turns.hold("json", *ENCODED_MAX)
