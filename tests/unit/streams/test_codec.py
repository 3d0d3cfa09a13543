"""What goes over the wire comes back the same; what is no message is named, and does not hold up its neighbours."""

from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import (
    decode_decision,
    decode_transactions,
    encode,
    encode_decision,
    encode_events,
    table_to_transactions,
)
from streams.decision import OUTCOMES, PATHS, Decision, Reason
from streams.transaction import CHANNELS, TRANSACTION_SCHEMA, CardTransaction

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
transactions = st.builds(
    CardTransaction,
    event_id=names,
    event_time_ns=st.integers(0, 4_102_444_800_000_000_000),
    card_id=names,
    amount_minor=st.integers(0, 100_000_000_000),
    currency=st.sampled_from(["EUR", "USD", "JPY"]),
    merchant_id=st.none() | names,
    terminal_id=st.none() | names,
    device_id=st.none() | names,
    category=st.none() | st.text(max_size=10),
    channel=st.none() | st.sampled_from(CHANNELS),
    country=st.none() | st.sampled_from(["DE", "FR"]),
    latitude=st.none() | st.floats(-90, 90),
    longitude=st.none() | st.floats(-180, 180),
)
decisions = st.builds(
    Decision,
    event_id=names,
    outcome=st.sampled_from(OUTCOMES),
    score=st.floats(0, 1),
    path=st.sampled_from(PATHS),
    reasons=st.lists(st.builds(Reason, code=names, text=names, kind=st.just("rule")), max_size=3),
    margin=st.none() | st.floats(-50, 50),
    stages_ns=st.dictionaries(st.sampled_from(["features", "rules", "model"]), st.integers(0, 10**12)),
    features=st.none() | st.binary(max_size=64),
)

GOOD: dict[str, Any] = {
    "event_id": "e1",
    "event_time_ns": 1,
    "card_id": "c1",
    "amount_minor": 100,
    "currency": "EUR",
}


def as_table(rows: list[CardTransaction]) -> pa.Table:
    columns = {name: [getattr(row, name) for row in rows] for name in TRANSACTION_SCHEMA.names}
    return pa.table(columns, schema=TRANSACTION_SCHEMA)


@given(st.lists(transactions, max_size=8))
def test_transactions_survive_columns_and_wire(rows: list[CardTransaction]) -> None:
    table = as_table(rows)
    assert table_to_transactions(table) == rows
    decoded, indices, malformed = decode_transactions(encode_events(table))
    assert (decoded, indices, malformed) == (rows, list(range(len(rows))), [])


@given(decisions)
def test_decisions_survive_the_wire(decision: Decision) -> None:
    assert decode_decision(encode_decision(decision)) == decision


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_no_bytes_break_the_decoder(values: list[bytes]) -> None:
    decoded, indices, malformed = decode_transactions(values)
    assert len(decoded) == len(indices)
    assert sorted([*indices, *(bad.index for bad in malformed)]) == list(range(len(values)))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"amount_minor": -1}, "$.amount_minor"),
        ({"amount_minor": 1.5}, "$.amount_minor"),
        ({"currency": "euro"}, "$.currency"),
        ({"event_time_ns": "yesterday"}, "$.event_time_ns"),
        ({"latitude": 91.0}, "$.latitude"),
        ({"channel": "telepathy"}, "$.channel"),
        ({"card_id": ""}, "$.card_id"),
    ],
)
def test_a_bad_field_is_named_and_its_neighbours_go_on(change: dict[str, Any], named: str) -> None:
    good = encode(CardTransaction(**GOOD))
    bad = msgspec.json.encode({**GOOD, **change})
    decoded, indices, malformed = decode_transactions([good, bad, good])
    assert indices == [0, 2]
    assert len(decoded) == 2
    assert [item.index for item in malformed] == [1]
    assert named in malformed[0].reason


def test_unknown_fields_are_ignored() -> None:
    decoded, _, malformed = decode_transactions([msgspec.json.encode({**GOOD, "loyalty_points": 7})])
    assert decoded == [CardTransaction(**GOOD)]
    assert malformed == []
