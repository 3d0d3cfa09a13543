"""What the kernel reads it reads as the decoder does; what it does not read is left to the decoder."""

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.features.coding import EventCoder
from models.features.wire import layout
from streams.codec import MESSAGE_BYTES_MAX, decode_transactions, encode
from streams.transaction import CardTransaction
from tests.unit.models.features.batches import assert_same
from tests.unit.models.features.transactions import VOCABULARY, transactions

DEGREES = st.decimals(-90, 90, places=4).map(float)
EVENTS = transactions(
    st.sampled_from(["a", "b", "card 7/x", "~" * 128]), st.sampled_from(["EUR", "ZWG", "ANG"]), DEGREES, DEGREES
)
EVENT = CardTransaction(
    event_id="e1", event_time_ns=12, card_id="c1", amount_minor=7, currency="EUR", merchant_id="m", latitude=1.5,
    longitude=-0.25, is_refund=True, country="NL", channel="chip", category="food",
)  # fmt: skip


def as_decoded(values: list[bytes], coder: EventCoder) -> bool:
    """Whether they are read; then as the decoder reads them, ids and columns."""
    plain = coder.reader.read(values)
    if plain is None:
        return False
    events, places, malformed = decode_transactions(values)
    assert (places, malformed) == (list(range(len(values))), [])
    assert plain.event_ids() == [event.event_id for event in events]
    assert_same(coder.reader.batch(plain), EventCoder(VOCABULARY, coder.interners).code_events(events))
    return True


def test_the_fields_are_those_of_a_transaction() -> None:
    info = msgspec.inspect.type_info(CardTransaction)
    assert isinstance(info, msgspec.inspect.StructType)
    required = sum(1 << place for place, field in enumerate(info.fields) if field.required)
    assert (tuple(field.name for field in info.fields), required) == (layout.FIELDS, layout.REQUIRED)
    named = {
        "EVENT_ID": "event_id", "EVENT_TIME": "event_time_ns", "CARD_ID": "card_id", "AMOUNT": "amount_minor",
        "CURRENCY_FIELD": "currency", "CUSTOMER_ID": "customer_id", "MERCHANT_ID": "merchant_id",
        "TERMINAL_ID": "terminal_id", "DEVICE_ID": "device_id", "CATEGORY_FIELD": "category",
        "CHANNEL_FIELD": "channel", "COUNTRY_FIELD": "country", "LATITUDE": "latitude", "LONGITUDE": "longitude",
        "IS_REFUND": "is_refund",
    }  # fmt: skip
    assert {name: layout.FIELDS[getattr(layout, name)] for name in named} == named


@given(st.lists(EVENTS, min_size=1, max_size=20))
def test_what_our_encoder_writes_is_read(events: list[CardTransaction]) -> None:
    assert as_decoded([encode(event) for event in events], EventCoder(VOCABULARY))


@given(st.lists(EVENTS, min_size=1, max_size=20), st.integers(0, 20))
def test_codes_do_not_depend_on_the_way(events: list[CardTransaction], cut: int) -> None:
    values, coder = [encode(event) for event in events], EventCoder(VOCABULARY)
    for part in (values[:cut], values[cut:], values):
        if part:
            assert as_decoded(part, coder)


@given(EVENTS, st.randoms(use_true_random=False))
def test_fields_may_stand_in_any_order_with_spaces_and_nulls(event: CardTransaction, random: st.DataObject) -> None:
    members = [(name, getattr(event, name)) for name in event.__struct_fields__]
    random.shuffle(members)  # type: ignore[attr-defined]
    assert as_decoded([json.dumps(dict(members)).encode()], EventCoder(VOCABULARY))


@given(st.lists(EVENTS, min_size=1, max_size=3), st.data())
@example([EVENT], None)
def test_whatever_else_is_read_is_read_as_the_decoder_does(
    events: list[CardTransaction], data: st.DataObject | None
) -> None:
    values = [encode(event) for event in events]
    if data is not None:
        row = data.draw(st.integers(0, len(values) - 1))
        at = data.draw(st.integers(0, len(values[row])))
        gone = data.draw(st.integers(0, 3))
        new = data.draw(st.sampled_from(b'{}[]:,"\\ \n\t-+.0123459eEtrufalsn\x00\x7f\xc3\xa4'.decode("latin-1")))
        values[row] = values[row][:at] + new.encode("latin-1") + values[row][at + gone :]
    as_decoded(values, EventCoder(VOCABULARY))


@given(st.floats(-90, 90))
@example(12.345678901234567)
@example(-0.0000015)
@example(52.3702165000000001)
def test_positions_of_any_precision_are_read_as_the_decoder_does(degrees: float) -> None:
    as_decoded(
        [encode(msgspec.structs.replace(EVENT, latitude=degrees, longitude=2 * degrees))], EventCoder(VOCABULARY)
    )


def test_a_position_of_seventeen_digits_is_read() -> None:
    assert as_decoded([PLAIN.replace("1.5", "12.345678901234567").encode()], EventCoder(VOCABULARY))


PLAIN = encode(EVENT).decode()
CHANGED = {
    "no message": "",
    "no object": "[]",
    "an empty object": "{}",
    "a comma too many": PLAIN[:-1] + ",}",
    "something behind": PLAIN + " ",
    "cut off": PLAIN[:-1],
    "a field twice": PLAIN[:-1] + ',"country":"NL"}',
    "an unknown field": PLAIN[:-1] + ',"note":"x"}',
    "an escape": PLAIN.replace('"c1"', '"c\\u0031"'),
    "beyond ASCII": PLAIN.replace('"c1"', '"ö"'),
    "a control character": PLAIN.replace('"c1"', '"c\n"'),
    "an empty id": PLAIN.replace('"c1"', '""'),
    "an id too long": PLAIN.replace('"c1"', f'"{"c" * 129}"'),
    "an amount too large": PLAIN.replace(":7,", ":100000000001,"),
    "an amount beyond 64 bits": PLAIN.replace(":7,", f":{2**64 + 7},"),
    "a negative amount": PLAIN.replace(":7,", ":-7,"),
    "an amount with a point": PLAIN.replace(":7,", ":7.0,"),
    "a zero in front": PLAIN.replace(":7,", ":07,"),
    "a time after 2100": PLAIN.replace(":12,", ":4102444800000000001,"),
    "a text for a number": PLAIN.replace(":7,", ':"7",'),
    "a number for a text": PLAIN.replace('"c1"', "1"),
    "a required null": PLAIN.replace('"c1"', "null"),
    "a required field left out": PLAIN.replace('"card_id":"c1",', ""),
    "no currency": PLAIN.replace('"EUR"', '"EURO"'),
    "no channel": PLAIN.replace('"chip"', '"phone"'),
    "no country": PLAIN.replace('"NL"', '"nl"'),
    "a category too long": PLAIN.replace('"food"', f'"{"f" * 65}"'),
    "off the globe": PLAIN.replace("1.5", "90.000001"),
    "off the globe westwards": PLAIN.replace("-0.25", "-180.5"),
    "a point without digits": PLAIN.replace("1.5", "1."),
    "an exponent": PLAIN.replace("1.5", "15e-1"),
    "digits that may turn the rounding": PLAIN.replace("1.5", "1.5000005000000001"),
    "digits that may lead off the globe": PLAIN.replace("1.5", "90.0000000000000001"),
    "degrees without end": PLAIN.replace("1.5", "0001.5"),
    "half a word": PLAIN.replace("true", "tru"),
    "a number for a flag": PLAIN.replace("true", "1"),
    "too long": PLAIN.replace('":7', '":' + " " * MESSAGE_BYTES_MAX + "7"),
}


@pytest.mark.parametrize("why", CHANGED)
def test_it_is_left_to_the_decoder(why: str) -> None:
    assert why == "no message" or CHANGED[why] != PLAIN
    coder = EventCoder(VOCABULARY)
    assert coder.reader.read([PLAIN.encode(), CHANGED[why].encode()]) is None
    assert coder.reader.read([CHANGED[why].encode()]) is None
    assert all(len(interner) == 0 for interner in coder.interners.values())


def test_nothing_is_read_of_nothing() -> None:
    assert EventCoder(VOCABULARY).reader.read([]) is None
