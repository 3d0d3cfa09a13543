"""Events from columns to JSON: of each row the bytes that `streams.codec.encode` gives of its message, without making
the message. What rows share, as a card or a category, is put into words once."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streams.transaction import TRANSACTION_SCHEMA
from streams.transfer import TRANSFER_SCHEMA

ROWS_PER_SLICE = 65_536
_NULL = "null"
_FIRST_PRINTABLE, _QUOTE, _BACKSLASH, _BEYOND_ASCII = 0x20, 0x22, 0x5C, 0x80
_encode = msgspec.json.Encoder().encode


def _schema_of(table: pa.Table) -> pa.Schema:
    """Transactions where the table has cards, else transfers."""
    return TRANSACTION_SCHEMA if "card_id" in table.column_names else TRANSFER_SCHEMA


def event_texts(table: pa.Table) -> pa.ChunkedArray:
    """One JSON message a row (strings without null), in the table's order. Columns that the schema does not know are
    left out, and so are fields that are null. Raises `KeyError` with the name of a column that is missing though every
    message has it, and `UnicodeDecodeError` where a string is no UTF-8, which a file may hold."""
    slices = [_texts(table.slice(start, ROWS_PER_SLICE)) for start in range(0, len(table), ROWS_PER_SLICE)]
    return pa.chunked_array(slices, pa.string())


def _texts(rows: pa.Table) -> pa.Array:
    fields = [field for field in _schema_of(rows) if not field.nullable or field.name in rows.column_names]
    pieces: list[Any] = []
    for field in fields:
        if field.name not in rows.column_names:
            raise KeyError(field.name)
        pieces += _field(field, "," if pieces else "{", rows[field.name])
    return pc.binary_join_element_wise(*pieces, "}", "", null_handling="skip")


def _field(field: pa.Field, before: str, column: pa.ChunkedArray) -> list[Any]:
    """What a field adds to each message, in one or two pieces; null where it adds nothing."""
    name = f'{before}"{field.name}":'
    if _may_merge(column.type):
        return [_one_by_one(name, column, keep_null=not field.nullable)]
    try:
        values = column.combine_chunks()
        if not (pa.types.is_integer(values.type) or _is_plain(values)):
            return [_shared(name, values, keep_null=not field.nullable)]
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return [_one_by_one(name, column, keep_null=not field.nullable)]
    texts = pc.cast(values, pa.string())
    quote = "" if pa.types.is_integer(values.type) else '"'
    if values.null_count == 0:
        return [name + quote, texts, quote]
    if field.nullable:
        return [pc.binary_join_element_wise(name + quote, texts, quote, "", null_handling="emit_null")]
    return [name, pc.fill_null(pc.binary_join_element_wise(quote, texts, quote, "", null_handling="emit_null"), _NULL)]


def _may_merge(kind: pa.DataType) -> bool:
    """Whether Arrow may take two values for one that JSON tells apart: 0.0 and -0.0. Floats of 64 bits are coded by
    their bits."""
    of_values = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_floating(of_values)) and kind != pa.float64()


def _is_plain(values: pa.Array) -> bool:
    """Whether these are strings, one a row, that stand in JSON as they are."""
    if not pa.types.is_string(values.type):
        return False
    _, offsets, data = values.buffers()
    if data is None:
        return True
    begin, end = np.frombuffer(offsets, np.int32)[[values.offset, values.offset + len(values)]]
    text = np.frombuffer(data, np.uint8)[begin:end]
    if ((text < _FIRST_PRINTABLE) | (text == _QUOTE) | (text == _BACKSLASH)).any():
        return False
    if (text >= _BEYOND_ASCII).any():
        values.validate(full=True)  # Parquet files are read whatever bytes their strings are
    return True


def _shared(name: str, values: pa.Array, *, keep_null: bool) -> pa.Array:
    """The field in words for each value that occurs, given to the rows that have it."""
    codes, distinct = _coded(values)
    found = _in_words(name, distinct).take(codes)
    return pc.fill_null(found, name + _NULL) if keep_null and found.null_count else found


def _in_words(name: str, values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The field for each of these values; null where it is null, which a dictionary may hold too."""
    texts = [None if value is None else name + _encode(value).decode() for value in values.to_pylist()]
    return pa.array(texts, pa.string())


def _one_by_one(name: str, column: pa.ChunkedArray, *, keep_null: bool) -> pa.Array:
    """As `_shared`, for what Arrow does not look through as JSON does: dictionaries that do not go into one, texts that
    are no UTF-8 (refused here), other floats, types of its own."""
    found = _in_words(name, column)
    return pc.fill_null(found, name + _NULL) if keep_null else found


def _coded(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Each row's place (null where it is null) among the values that occur, and those."""
    if pa.types.is_dictionary(values.type):  # may hold values that do not occur, or one twice
        used = values.indices.dictionary_encode()
        return used.indices, values.dictionary.take(used.dictionary)
    if pa.types.is_float64(values.type):  # by their bits: 0.0 is not -0.0
        coded = values.view(pa.int64()).dictionary_encode()
        return coded.indices, coded.dictionary.view(pa.float64())
    coded = values.dictionary_encode()
    return coded.indices, coded.dictionary
