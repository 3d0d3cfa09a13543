"""The transfer as a message and as columns: the same fields, the same bounds."""

import msgspec
import pyarrow as pa
import pytest

from streams.transfer import TRANSFER_CHANNELS, TRANSFER_SCHEMA, Transfer

LEAST = {"event_id": "t1", "event_time_ns": 1, "amount_minor": 100, "currency": "EUR", "channel": "wire"}


def test_columns_are_the_messages_fields_in_the_same_order() -> None:
    assert tuple(TRANSFER_SCHEMA.names) == Transfer.__struct_fields__


def test_what_a_message_must_have_is_what_a_column_must_have() -> None:
    required = [field.name for field in TRANSFER_SCHEMA if not field.nullable]
    assert required == list(LEAST)


def test_what_is_not_known_is_left_out_on_the_wire() -> None:
    transfer = msgspec.convert(LEAST, Transfer)
    assert msgspec.json.decode(msgspec.json.encode(transfer)) == LEAST
    assert transfer.from_account is None
    assert transfer.received_minor is None


@pytest.mark.parametrize("channel", TRANSFER_CHANNELS)
def test_every_channel_goes_over_the_wire_and_comes_back(channel: str) -> None:
    transfer = msgspec.convert(LEAST | {"channel": channel, "to_account": "a1", "to_country": "DE"}, Transfer)
    assert msgspec.json.decode(msgspec.json.encode(transfer), type=Transfer) == transfer


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("channel", "pigeon"),
        ("amount_minor", -1),
        ("currency", "eur"),
        ("from_country", "DEU"),
        ("from_account", ""),
        ("event_time_ns", -1),
        ("received_currency", "E"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_its_field(key: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=key):
        msgspec.convert(LEAST | {key: value}, Transfer)


def test_ids_and_codes_are_dictionaries() -> None:
    coded = {field.name for field in TRANSFER_SCHEMA if pa.types.is_dictionary(field.type)}
    assert coded == set(TRANSFER_SCHEMA.names) - {"event_id", "event_time_ns", "amount_minor", "received_minor"}
