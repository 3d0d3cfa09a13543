"""JSON on the wire, columns in memory: encoding and decoding of everything that crosses a topic."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import pyarrow as pa

from streams.alert import RawAlert
from streams.decision import DeadLetter, Decision, Explanation
from streams.event_texts import ROWS_PER_SLICE, event_texts
from streams.labels import DayEnd, Disposition
from streams.late_score import LateScore
from streams.laundering import Finding
from streams.transaction import TRANSACTION_SCHEMA, CardTransaction
from streams.transfer import TRANSFER_SCHEMA, Transfer

Message = TypeVar("Message")


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message that is no event: its index in the micro-batch and why, in words that name the field."""

    index: int
    reason: str


UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError)
"""Everything a decoder raises for the content of a message: a text nested without end is a `RecursionError`."""

_encoder = msgspec.json.Encoder()
_transaction_decoder = msgspec.json.Decoder(CardTransaction)
_transfer_decoder = msgspec.json.Decoder(Transfer)
_decision_decoder = msgspec.json.Decoder(Decision)
_explanation_decoder = msgspec.json.Decoder(Explanation)
_late_score_decoder = msgspec.json.Decoder(LateScore)
_disposition_decoder = msgspec.json.Decoder(Disposition)
_day_end_decoder = msgspec.json.Decoder(DayEnd)
_dead_letter_decoder = msgspec.json.Decoder(DeadLetter)
_alert_decoder = msgspec.json.Decoder(RawAlert)
_finding_decoder = msgspec.json.Decoder(Finding)

MESSAGE_BYTES_MAX = 65_536
"""A longer message is no transaction, whatever it says: the longest that the schema allows, every character escaped, is
a tenth of it."""


def encode(message: msgspec.Struct) -> bytes:
    """Any message of ours as JSON bytes."""
    return _encoder.encode(message)


def table_to_transactions(table: pa.Table) -> list[CardTransaction]:
    """Columns to messages, in the table's order. Missing columns and nulls become absent fields."""
    return [transaction for part in _slices(table, CardTransaction, TRANSACTION_SCHEMA) for transaction in part]


def table_to_transfers(table: pa.Table) -> list[Transfer]:
    """As `table_to_transactions`, of transfers."""
    return [transfer for part in _slices(table, Transfer, TRANSFER_SCHEMA) for transfer in part]


def encode_events(table: pa.Table) -> list[bytes]:
    """One JSON message a row, in the table's order: transactions where the table has cards, else transfers."""
    messages: list[bytes] = event_texts(table).cast(pa.binary()).to_pylist()
    return messages


def _slices(table: pa.Table, kind: type[Message], schema: pa.Schema) -> Iterator[list[Message]]:
    """Bounded slices, so that a long table never stands in memory as Python objects."""
    names = [name for name in schema.names if name in table.column_names]
    chosen = table.select(names)
    for start in range(0, len(chosen), ROWS_PER_SLICE):
        columns = [column.to_pylist() for column in chosen.slice(start, ROWS_PER_SLICE).columns]
        yield [kind(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def decode_transactions(values: Sequence[bytes]) -> tuple[list[CardTransaction], list[int], list[Malformed]]:
    """Decode a micro-batch: the transactions, their indices in `values`, and what could not be decoded with its reason.

    Never raises for the content of a message: a bad one must not hold up its neighbours. One of more than
    `MESSAGE_BYTES_MAX` is not even looked into.
    """
    return _decode(_transaction_decoder.decode, values)


def decode_transfers(values: Sequence[bytes]) -> tuple[list[Transfer], list[int], list[Malformed]]:
    """As `decode_transactions`, of transfers."""
    return _decode(_transfer_decoder.decode, values)


def _decode(
    decode: Callable[[bytes], Message], values: Sequence[bytes]
) -> tuple[list[Message], list[int], list[Malformed]]:
    if max(map(len, values), default=0) > MESSAGE_BYTES_MAX:
        return _decode_one_by_one(decode, values)
    try:
        return [decode(value) for value in values], list(range(len(values))), []
    except UNDECODABLE:
        return _decode_one_by_one(decode, values)


def _decode_one_by_one(
    decode: Callable[[bytes], Message], values: Sequence[bytes]
) -> tuple[list[Message], list[int], list[Malformed]]:
    messages: list[Message] = []
    indices: list[int] = []
    malformed: list[Malformed] = []
    for index, value in enumerate(values):
        if len(value) > MESSAGE_BYTES_MAX:
            malformed.append(Malformed(index, f"{len(value):,} bytes: a message has at most {MESSAGE_BYTES_MAX:,}"))
            continue
        try:
            messages.append(decode(value))
            indices.append(index)
        except UNDECODABLE as error:
            malformed.append(Malformed(index, str(error) or type(error).__name__))
    return messages, indices, malformed


def encode_decision(decision: Decision) -> bytes:
    """A decision as JSON bytes."""
    return _encoder.encode(decision)


def decode_decision(value: bytes) -> Decision:
    """A decision from JSON bytes; raises one of `UNDECODABLE` when it is none."""
    return _decision_decoder.decode(value)


def decode_explanation(value: bytes) -> Explanation:
    """An explanation from JSON bytes; raises one of `UNDECODABLE` when it is none."""
    return _explanation_decoder.decode(value)


def decode_late_score(value: bytes) -> LateScore:
    """A late score from JSON bytes; raises one of `UNDECODABLE` when it is none."""
    return _late_score_decoder.decode(value)


def decode_disposition(value: bytes) -> Disposition:
    """A disposition from JSON bytes; raises `msgspec.DecodeError` when it is none."""
    return _disposition_decoder.decode(value)


def decode_day_end(value: bytes) -> DayEnd:
    """A day end from JSON bytes; raises `msgspec.DecodeError` when it is none."""
    return _day_end_decoder.decode(value)


def decode_finding(value: bytes) -> Finding:
    """An investigator's finding from JSON bytes; raises `msgspec.DecodeError` when it is none."""
    return _finding_decoder.decode(value)


def decode_alert(value: bytes) -> RawAlert:
    """A raw alert from JSON bytes; raises `msgspec.DecodeError` when it is none."""
    return _alert_decoder.decode(value)


def decode_dead_letter(value: bytes) -> DeadLetter:
    """A dead letter from JSON bytes; raises `msgspec.DecodeError` when it is none."""
    return _dead_letter_decoder.decode(value)
