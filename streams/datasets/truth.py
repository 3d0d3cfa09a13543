"""Builds the labels of a data set, row for row with its events."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streams.datasets.mapping import LabelField, Mapping, ScenarioField
from streams.datasets.source import SourceFile, open_source, require_columns
from streams.datasets.times import as_time_ns
from streams.datasets.values import Column, as_text
from streams.errors import BadInputError
from streams.labels import LABEL_SCHEMA, NS_PER_DAY

_log = logging.getLogger("riskbench.streams")
ColumnOf = Callable[[str, str], Column | None]


def build_labels(
    source: SourceFile, column_of: ColumnOf, events: pa.Table, mapping: Mapping, truth_here: bool
) -> pa.Table | None:
    """LABEL_SCHEMA, one row an event; None when the mapping has no label, or an optional one is not there."""
    label = mapping.label
    if label is None:
        return None
    if not truth_here:
        beside = None if label.file is None else source.path.parent / label.file
        if beside is None or not beside.is_file():
            if label.optional:
                return None
            if beside is None:
                require_columns(source, mapping.label_columns(), mapping.name)
            raise BadInputError(f"{source.path}: no column {label.column!r}, and no {beside} beside it (label.file)")
        column_of = _joined(beside, events, mapping, label)
    return _labels(column_of, events, label)


def _joined(path: Path, events: pa.Table, mapping: Mapping, label: LabelField) -> ColumnOf:
    """The label file's columns, brought into the order of the events by event id."""
    source = open_source(path, mapping.csv)
    if label.key not in source.columns:
        raise BadInputError(f"{source.path}: column {label.key!r} is missing (label.key, the event ids)")
    names = require_columns(source, mapping.label_columns(), mapping.name)
    table = source.read([label.key, *names]).combine_chunks()
    keys = as_text(Column(str(source.path), label.key, "label.key", table[label.key].combine_chunks()))
    rows = pc.index_in(events["event_id"].combine_chunks(), value_set=keys)
    if rows.null_count:
        event = events["event_id"][pc.index(rows.is_null(), pa.scalar(True)).as_py()].as_py()
        raise BadInputError(f"{source.path}: {rows.null_count} events have no label there; the first is {event!r}")

    def column_of(name: str, key: str) -> Column | None:
        if name not in names:
            return None
        return Column(str(source.path), name, key, table[name].combine_chunks().take(rows))

    return column_of


def _labels(column_of: ColumnOf, events: pa.Table, label: LabelField) -> pa.Table:
    is_fraud = _is_fraud(column_of, label)
    genuine = ~is_fraud
    reported = _reported_at(column_of, events, label, is_fraud)
    arrays = [
        events["event_id"].combine_chunks(),
        pa.array(is_fraud),
        _named(column_of, "scenario", label.scenario, genuine),
        _named(column_of, "look_alike", label.look_alike, is_fraud),
        reported,
    ]
    return pa.Table.from_arrays(arrays, schema=LABEL_SCHEMA)


def _is_fraud(column_of: ColumnOf, label: LabelField) -> np.ndarray:
    column = column_of(label.column, "label.column")
    if column is None:
        raise BadInputError(f"column {label.column!r} is missing (label.column)")
    column.require_all()
    encoded = pc.dictionary_encode(column.values)
    if pa.types.is_dictionary(column.values.type):
        encoded = column.values
    words = [
        str(word).lower()
        for word in as_text(Column(column.file, column.name, column.key, encoded.dictionary)).to_pylist()
    ]
    positive = np.array([word in label.positive for word in words], dtype=bool)
    if not positive.any():
        if len(words) > 1 or words[0] not in {"0", "false"}:
            raise BadInputError(
                f"{column.file}: column {column.name!r} holds {', '.join(repr(w) for w in words[:5])}; "
                f"none of it is in label.positive ({', '.join(label.positive)}), so no event would be fraud"
            )
        _log.warning("%s: column %r calls no event fraud", column.file, column.name)
    return np.asarray(positive[encoded.indices.to_numpy()])


def _named(column_of: ColumnOf, part: str, field: ScenarioField | None, hidden: np.ndarray) -> pa.DictionaryArray:
    """Names of fraud scenarios (or look-alikes), null where `hidden`."""
    column = None if field is None else column_of(field.column, f"label.{part}")
    if column is None or field is None:
        return pa.DictionaryArray.from_arrays(pa.nulls(len(hidden), pa.int32()), pa.array([], pa.string()))
    words = as_text(column)
    shown = pc.if_else(pa.array(hidden), pa.scalar(None, pa.string()), words)
    codes = pc.dictionary_encode(shown)
    named = [field.names.get(word, word) for word in codes.dictionary.to_pylist()]
    unique = pc.dictionary_encode(pa.array(named, pa.string()))
    return pa.DictionaryArray.from_arrays(unique.indices.take(codes.indices).cast(pa.int32()), unique.dictionary)


def _reported_at(column_of: ColumnOf, events: pa.Table, label: LabelField, is_fraud: np.ndarray) -> pa.Array:
    nothing = pa.scalar(None, pa.int64())
    column = None if label.reported_at is None else column_of(label.reported_at.column, "label.reported_at")
    if column is None or label.reported_at is None:
        later = pc.add(events["event_time_ns"].combine_chunks(), int(label.delay_days * NS_PER_DAY))
        return pc.if_else(pa.array(is_fraud), later, nothing)
    found = as_time_ns(column, label.reported_at, required=False)
    return pc.if_else(pa.array(is_fraud), found, nothing)
