"""Events put into words by columns are the bytes that each message gives by itself."""

import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.codec import encode, table_to_transactions, table_to_transfers
from streams.event_texts import event_texts
from streams.transaction import TRANSACTION_SCHEMA, CardTransaction
from streams.transfer import TRANSFER_SCHEMA, Transfer

texts = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(['"', "\\", "\n", "\x1f", "\x7f", "é", "a"])
whole = st.integers(-(2**63), 2**63 - 1)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    pa.int64(): whole,
    pa.bool_(): st.booleans(),
    pa.float64(): st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1e-7, 1e22, math.inf]),
    pa.string(): texts,
    pa.dictionary(pa.int32(), pa.string()): texts,
}
KINDS = (
    (TRANSACTION_SCHEMA, CardTransaction, table_to_transactions),
    (TRANSFER_SCHEMA, Transfer, table_to_transfers),
)


@st.composite
def tables(draw: st.DrawFn, schema: pa.Schema, *, coded: bool) -> pa.Table:
    """Rows of any values that the types hold, nulls where they may be, the columns that may be missing there or not."""
    rows = draw(st.integers(0, 6))
    columns = {}
    for field in schema:
        if field.nullable and draw(st.booleans()):
            continue
        values = BY_TYPE[field.type] | (st.none() if field.nullable else st.nothing())
        column = pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), field.type)
        as_it_is = coded or not pa.types.is_dictionary(field.type)
        columns[field.name] = column if as_it_is else column.cast(pa.string())
    return pa.table(columns)


@pytest.mark.parametrize(("schema", "_kind", "messages"), KINDS)
@given(data=st.data())
def test_the_bytes_of_each_message(schema: pa.Schema, _kind: Any, messages: Any, data: st.DataObject) -> None:
    table = data.draw(tables(schema, coded=data.draw(st.booleans())))
    table = table.slice(data.draw(st.integers(0, len(table))))
    assert event_texts(table).cast(pa.binary()).to_pylist() == [encode(message) for message in messages(table)]


def transfers(**columns: Any) -> pa.Table:
    given = {"event_id": ["a", "b", "c"], "event_time_ns": [1, 2, 3], "amount_minor": [4, 5, 6]}
    return pa.table({**given, "currency": ["EUR"] * 3, "channel": ["wire"] * 3, **columns})


def test_what_no_number_is_is_null_and_a_null_is_left_out() -> None:
    cards = pa.array(["k"] * 3).dictionary_encode()
    table = transfers(card_id=cards, latitude=pa.array([math.nan, None, 0.5], from_pandas=False))
    assert [b'"latitude"' in encode(each) for each in table_to_transactions(table)] == [True, False, True]
    assert event_texts(table).to_pylist() == [encode(each).decode() for each in table_to_transactions(table)]
    assert event_texts(table)[0].as_py().endswith('"latitude":null}')


def test_dictionaries_may_hold_what_does_not_occur_or_one_value_twice() -> None:
    codes = pa.array([2, None, 0], pa.int32())
    banks = pa.DictionaryArray.from_arrays(codes, ["x", 'un"used', "x"])
    table = transfers(from_bank=banks)
    assert event_texts(table).to_pylist() == [encode(each).decode() for each in table_to_transfers(table)]


def coded(values: list[Any], places: list[int | None], bits: int = 32) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(places, pa.type_for_alias(f"int{bits}")), values)


NO_TEXT = pa.array([b"a", b"\xe9", b"\xed\xa0\x80"]).view(pa.string())
"""Not UTF-8, as a file of another encoding is read; the last would be half a surrogate pair."""
BY_ITSELF = {
    "a null among a dictionary's values": [coded(["x", None, 'y"'], [1, 2, 0])],
    "dictionaries with nulls that differ": [coded(["x", None], [1, 0, None]), coded(["y", None], [0, 1, None])],
    "texts beside their bytes, coded": [coded(pa.array(["x", 'y"'], pa.string_view()), [1, None, 0])],
    "dictionaries too long for one": [coded([f"{part}{n}" for n in range(90)], [*range(90)], 8) for part in "ab"],
    "a dictionary of a dictionary": [coded(coded([part, 'y"'], [0, 1]), [1, None, 0]) for part in "ab"],
    "dictionaries of floats": [coded([0.5, zero], [1, None, 0]) for zero in (0.0, -0.0)],
    "a type without codes": [pa.array([Decimal("1.50"), None, Decimal("1.00")], pa.decimal64(5, 2))],
    "a list": [pa.array([["x", None], None, []])],
}


@pytest.mark.parametrize("chunks", BY_ITSELF.values(), ids=BY_ITSELF)
def test_what_arrow_does_not_look_through_is_put_into_words_by_itself(chunks: list[pa.Array]) -> None:
    column = pa.chunked_array(chunks)
    rows = len(column)
    numbers = pa.array(range(rows))
    table = pa.table({"event_id": numbers.cast(pa.string()), "event_time_ns": numbers, "amount_minor": numbers})
    for name in ("currency", "channel", "to_bank"):  # the first two are said where they are null
        table = table.append_column(name, column)
    assert event_texts(table).to_pylist() == [encode(each).decode() for each in table_to_transfers(table)]


@pytest.mark.parametrize("bad", [{"event_id": NO_TEXT}, {"to_bank": NO_TEXT}, {"to_bank": coded(NO_TEXT, [0, 1, 2])}])
def test_a_string_that_is_no_utf_8_is_refused(bad: dict[str, pa.Array]) -> None:
    table = transfers(**bad)
    for way in (event_texts, table_to_transfers):
        with pytest.raises(UnicodeDecodeError):
            way(table)
    assert len(event_texts(table.slice(0, 1))) == 1


def test_what_is_beyond_ascii_stands_as_it_is() -> None:
    table = transfers(event_id=["é", "\x7f\u2028", "\U0001f600"], to_bank=["/", "<é>", None])
    assert event_texts(table).to_pylist() == [encode(each).decode() for each in table_to_transfers(table)]


def test_a_null_where_none_may_be_is_said() -> None:
    table = transfers(event_time_ns=pa.array([1, None, 3]), channel=pa.array(["wire", None, "card"]))
    assert event_texts(table).to_pylist() == [encode(each).decode() for each in table_to_transfers(table)]


def test_several_slices_and_columns_of_several_parts() -> None:
    table = pa.concat_tables([transfers(to_bank=["p", "q", "r"]), transfers(to_bank=["s", "p", "t"])] * 15_000)
    found = event_texts(table)
    assert found.num_chunks == 2
    assert found.to_pylist() == [encode(each).decode() for each in table_to_transfers(table)]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(KeyError, match=r"^'amount_minor'$"):
        event_texts(transfers().drop_columns(["amount_minor"]))
    assert event_texts(transfers().slice(3)).to_pylist() == []
