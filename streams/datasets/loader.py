"""Loads somebody's CSV or Parquet file as events and labels of ours."""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from streams.causes import Cause
from streams.datasets.columns import Columns, full_table, time_order, unique_ids, words
from streams.datasets.mapping import FlagField, Mapping, NumberField, TextField, load_mapping, shipped_mappings
from streams.datasets.protocol import Protocol
from streams.datasets.source import SourceFile, open_source, require_columns
from streams.datasets.times import as_time_ns
from streams.datasets.truth import build_labels
from streams.datasets.values import (
    IDENTIFIER_CHECK,
    WORD_CHECKS,
    as_amount_minor,
    as_degrees,
    as_flags,
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
    columns_of = Columns(str(path), table)
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


def _events(columns: Columns, mapping: Mapping) -> pa.Table:
    fields = mapping.fields
    time = columns.required(fields.event_time.column, "fields.event_time")
    amount = columns.required(fields.amount.column, "fields.amount")
    arrays: dict[str, pa.Array] = {
        "event_id": unique_ids(columns, fields.event_id, "fields.event_id"),
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
    return full_table(arrays, columns.rows, TRANSACTION_SCHEMA)


def _words(columns: Columns, name: str, field: TextField) -> pa.DictionaryArray | None:
    nullable = TRANSACTION_SCHEMA.field(name).nullable
    return words(columns, field, f"fields.{name}", WORD_CHECKS.get(name, IDENTIFIER_CHECK), nullable)


def _in_order(
    columns: Columns, events: pa.Table, labels: pa.Table | None, mapping: Mapping
) -> tuple[pa.Table, pa.Table | None]:
    """Refuse times that go back, or sort by them (stable) when the mapping says so."""
    times = events["event_time_ns"].to_numpy()
    found = time_order(columns, mapping.fields.event_time.column, "fields.event_time", times, mapping.sort)
    if found is None:
        return events, labels
    order = pa.array(found)
    return events.take(order), None if labels is None else labels.take(order)
