"""Loads somebody's CSV or Parquet file as events and labels of ours."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streams.causes import Cause
from streams.datasets.mapping import Fields, FlagField, Mapping, NumberField, TextField, load_mapping, shipped_mappings
from streams.datasets.protocol import Protocol
from streams.datasets.source import SourceFile, open_source, require_columns
from streams.datasets.times import as_time_ns
from streams.datasets.truth import build_labels
from streams.datasets.values import (
    IDENTIFIER_CHECK,
    WORD_CHECKS,
    Column,
    as_amount_minor,
    as_codes,
    as_degrees,
    as_flags,
    as_text,
    check_words,
    constant_codes,
)
from streams.errors import BadInputError
from streams.transaction import TRANSACTION_SCHEMA

_log = logging.getLogger("riskbench.streams")
BOUND_DEGREES = {"latitude": 90, "longitude": 180}


@dataclass(frozen=True, slots=True)
class Dataset:
    """Events in event-time order (TRANSACTION_SCHEMA), their labels row for row (LABEL_SCHEMA; None when the file has
    none), the protocol it is evaluated by (None when the mapping has none) and the mapping's name. `causes`: by fraud
    scenario, the families of evidence it can be seen by, where the mapping says so."""

    events: pa.Table
    labels: pa.Table | None
    protocol: Protocol | None
    mapping: str
    causes: dict[str, list[Cause]] = field(default_factory=dict)


def load_dataset(path: str | Path, columns: str | Path | None = None) -> Dataset:
    """Load a CSV (plain or gzip) or Parquet file.

    `columns`: a shipped mapping's name, a mapping file, or None to choose the shipped mapping whose columns are there.
    Raises BadInputError with file, column, row (from 1, the header aside), value and bound.
    """
    path = Path(path)
    mapping = _detect(path) if columns is None else load_mapping(columns)
    source = open_source(path, mapping.csv)
    present = require_columns(source, mapping.event_columns(), mapping.name)
    truth_here = mapping.label is not None and mapping.label.column in source.columns
    truth = require_columns(source, mapping.label_columns(), mapping.name) if truth_here else []
    table = source.read([*present, *truth])
    if len(table) == 0:
        raise BadInputError(
            f"{path}: no rows, only columns ({', '.join(source.columns[:10])}); at least one event is needed"
        )
    columns_of = _Columns(str(path), table)
    events = _events(columns_of, mapping)
    labels = build_labels(source, columns_of.column, events, mapping, truth_here)
    events, labels = _in_order(columns_of, events, labels, mapping)
    _log.info("%s: %d events read with the column map %s", path, len(events), mapping.name)
    scenario = mapping.label.scenario if mapping.label else None
    return Dataset(events, labels, mapping.protocol, mapping.name, scenario.causes if scenario else {})


def _detect(path: Path) -> Mapping:
    """The shipped mapping whose required columns are all there; of several, the one that asks for most."""
    fitting: list[tuple[int, Mapping]] = []
    seen: SourceFile | None = None
    mappings = shipped_mappings()
    for mapping in mappings.values():
        seen = open_source(path, mapping.csv)
        required = [want.column for want in mapping.event_columns() if not want.optional]
        if all(column in seen.columns for column in required):
            fitting.append((len(required), mapping))
    if fitting:
        return max(fitting, key=lambda pair: pair[0])[1]
    there = ", ".join(seen.columns[:40]) if seen else ""
    raise BadInputError(
        f"{path}: its columns fit none of the shipped column maps ({', '.join(mappings)}).\n  columns there: {there}\n"
        "  write a map that says which column is which, and give it with --columns MAP.yaml (see docs/own-data.md)"
    )


class _Columns:
    """The columns of a read table, each as one array, by name."""

    def __init__(self, file: str, table: pa.Table) -> None:
        self.file = file
        self.rows = len(table)
        self._table = table

    def column(self, name: str, key: str) -> Column | None:
        """None when the file has no such column (it was optional)."""
        if name not in self._table.column_names:
            return None
        values = self._table[name].combine_chunks()
        return Column(self.file, name, key, values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values)

    def required(self, name: str, key: str) -> Column:
        found = self.column(name, key)
        if found is None:
            raise BadInputError(f"{self.file}: column {name!r} is missing (asked for by {key})")
        return found


def _events(columns: _Columns, mapping: Mapping) -> pa.Table:
    fields = mapping.fields
    time = columns.required(fields.event_time.column, "fields.event_time")
    amount = columns.required(fields.amount.column, "fields.amount")
    arrays: dict[str, pa.Array] = {
        "event_id": _event_ids(columns, fields),
        "event_time_ns": as_time_ns(time, fields.event_time),
        "amount_minor": as_amount_minor(amount, fields.amount),
    }
    for name in TRANSACTION_SCHEMA.names:
        if name in arrays:
            continue
        field = getattr(fields, name)
        if isinstance(field, TextField):
            arrays[name] = _words(columns, name, field)
        elif isinstance(field, NumberField):
            column = columns.column(field.column, f"fields.{name}")
            arrays[name] = None if column is None else as_degrees(column, BOUND_DEGREES[name])
        elif isinstance(field, FlagField):
            column = columns.column(field.column, f"fields.{name}")
            arrays[name] = None if column is None else as_flags(column, field)
    return _with_schema(arrays, columns.rows)


def _with_schema(arrays: dict[str, pa.Array | None], rows: int) -> pa.Table:
    full = []
    for column in TRANSACTION_SCHEMA:
        found = arrays.get(column.name)
        if found is None:
            indices = pa.nulls(rows, pa.int32())
            coded = pa.types.is_dictionary(column.type)
            found = (
                pa.DictionaryArray.from_arrays(indices, pa.array([], pa.string()))
                if coded
                else pa.nulls(rows, column.type)
            )
        full.append(found)
    return pa.Table.from_arrays(full, schema=TRANSACTION_SCHEMA)


def _event_ids(columns: _Columns, fields: Fields) -> pa.Array:
    """Their identifiers; without any, the row's number."""
    if fields.event_id is None:
        return pc.binary_join_element_wise("row-", pa.array(np.arange(1, columns.rows + 1)).cast(pa.string()), "")
    if fields.event_id.column is None:
        raise BadInputError(
            "fields.event_id: a constant cannot tell events apart; name a column, or leave event_id out"
        )
    column = columns.required(fields.event_id.column, "fields.event_id")
    column.require_all()
    ids = as_text(column)
    if ids.null_count:
        column.refuse_first(ids.is_null(), "is missing; every row needs a value")
    lengths = pc.utf8_length(ids)
    column.refuse_first(pc.or_(pc.less(lengths, 1), pc.greater(lengths, 128)), IDENTIFIER_CHECK[1])
    _refuse_duplicates(column, ids)
    return ids


def _refuse_duplicates(column: Column, ids: pa.Array) -> None:
    if pc.count_distinct(ids).as_py() == len(ids):
        return
    codes = pc.dictionary_encode(ids).indices.to_numpy()
    first_row = np.full(codes.max() + 1, len(codes))
    np.minimum.at(first_row, codes, np.arange(len(codes)))
    row = int(np.flatnonzero(first_row[codes] != np.arange(len(codes)))[0])
    column.refuse(row, f"is the event id of row {first_row[codes[row]] + 1} too; event ids must be unique")


def _words(columns: _Columns, name: str, field: TextField) -> pa.DictionaryArray | None:
    key = f"fields.{name}"
    pattern, why = WORD_CHECKS.get(name, IDENTIFIER_CHECK)
    if field.constant is not None:
        codes = constant_codes(field.constant, columns.rows)
        check_words(Column("column map", "constant", key, codes), codes, pattern, why)
        return codes
    column = columns.column(field.column or "", key)
    if column is None:
        return None
    if not TRANSACTION_SCHEMA.field(name).nullable:
        column.require_all()
    codes = as_codes(column, field)
    check_words(column, codes, pattern, why)
    if codes.null_count and not TRANSACTION_SCHEMA.field(name).nullable:
        column.refuse_first(codes.is_null(), "is missing; every row needs a value")
    return codes


def _in_order(
    columns: _Columns, events: pa.Table, labels: pa.Table | None, mapping: Mapping
) -> tuple[pa.Table, pa.Table | None]:
    """Refuse times that go back, or sort by them (stable) when the mapping says so."""
    times = events["event_time_ns"].to_numpy()
    back = np.flatnonzero(np.diff(times) < 0)
    if back.size == 0:
        return events, labels
    if not mapping.sort:
        row = int(back[0]) + 1
        name = mapping.fields.event_time.column
        values = columns.required(name, "fields.event_time").values
        now, before = values[row].as_py(), values[row - 1].as_py()
        raise BadInputError(
            f"{columns.file}: column {name!r}, row {row + 1}: time {now} is before {before} in row {row}; events must "
            "be in time order (sort the file, or put `sort: true` in the column map)"
        )
    order = pa.array(np.argsort(times, kind="stable"))
    return events.take(order), None if labels is None else labels.take(order)
