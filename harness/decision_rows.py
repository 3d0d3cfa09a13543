"""The rows of decisions.parquet: one an event sent, answered or not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from streams.decision import CustomerScore, Decision, Reason

STAGES = ("features", "rules", "model", "explain", "table_wait")
Int64s = npt.NDArray[np.int64]
_WORD = pa.dictionary(pa.int32(), pa.string())
_ANSWERED = pa.array(["decided", "late"])
_PLAIN = (
    *("event_id", "outcome", "score", "path", "margin", "rules_version", "model_version", "worker"),
    *("taken_ns", "emitted_ns", "features"),
)
REASON = pa.struct(
    [
        pa.field("code", pa.string()),
        pa.field("text", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("contribution", pa.float64()),
        pa.field("cause", pa.string()),
    ]
)
"""One reason of a decision or of an explanation."""

CUSTOMER = pa.struct(
    [
        pa.field("customer_id", pa.string()),
        pa.field("account_id", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("rule_score", pa.float64()),
        pa.field("margin", pa.float64()),
        pa.field("typology", pa.string()),
    ]
)
"""One scored customer of a transfer."""

DECISION_ROWS_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("ordinal", pa.int64(), nullable=False),
        pa.field("measured", pa.bool_(), nullable=False),
        pa.field("status", _WORD, nullable=False),
        pa.field("outcome", _WORD),
        pa.field("score", pa.float64()),
        pa.field("path", _WORD),
        pa.field("margin", pa.float64()),
        pa.field("reasons", pa.list_(REASON)),
        pa.field("rules_version", _WORD),
        pa.field("model_version", _WORD),
        pa.field("worker", _WORD),
        pa.field("intended_ns", pa.int64(), nullable=False),
        pa.field("sent_ns", pa.int64(), nullable=False),
        pa.field("taken_ns", pa.int64()),
        pa.field("emitted_ns", pa.int64()),
        pa.field("received_ns", pa.int64()),
        pa.field("response_ns", pa.int64(), nullable=False),
        pa.field("service_ns", pa.int64()),
        *[pa.field(f"stage_{stage}_ns", pa.int64()) for stage in STAGES],
        pa.field("features", pa.binary()),
        pa.field("customers", pa.list_(CUSTOMER)),
        pa.field("shadow_model_version", _WORD),
        pa.field("shadow_outcome", _WORD),
        pa.field("shadow_score", pa.float64()),
        pa.field("shadow_margin", pa.float64()),
    ]
)
"""`response_ns` of a lost event is the time-out (the ceiling): whoever takes percentiles of the column counts it."""
_TIMED = ("ordinal", "measured", "status", "intended_ns", "sent_ns", "received_ns", "response_ns")
_SAID = [field for field in DECISION_ROWS_SCHEMA if field.name not in _TIMED]
_WORDS = [field.name for field in _SAID if field.type == _WORD]
SAID_SCHEMA = pa.schema([pa.field(f.name, pa.string()) if f.name in _WORDS else f for f in _SAID])
"""The columns that a decision fills by itself, whenever it comes; words are not encoded yet."""
_REPEATED = [
    *(field.name for field in DECISION_ROWS_SCHEMA if pa.types.is_dictionary(field.type)),
    *(f"reasons.list.element.{name}" for name in ("code", "text", "kind", "cause")),
    *(f"customers.list.element.{name}" for name in ("customer_id", "account_id", "typology")),
]


def measured_batches(decisions: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The measured rows of a decisions.parquet in order, a row group at a time; `columns` hold `measured`."""
    with pq.ParquetFile(decisions) as file:
        for group in range(file.num_row_groups):
            # one by one: a reader of several keeps what it has read
            for batch in file.iter_batches(row_groups=[group], columns=list(columns)):
                yield batch.filter(batch.column("measured"))


def column_of(batch: pa.RecordBatch, name: str) -> tuple[Int64s, npt.NDArray[np.bool_]]:
    """A column's integers, 0 where null, and which are given."""
    column = batch.column(name)
    return column.fill_null(0).to_numpy(), column.is_valid().to_numpy(zero_copy_only=False)


def ordered_responses(decisions: Path) -> Int64s:
    """Response times of the measured rows in ns, sorted: one array, so that a long run needs eight bytes an event."""
    found = np.empty(pq.read_metadata(decisions).num_rows, np.int64)
    events = 0
    for batch in measured_batches(decisions, ("measured", "response_ns")):
        found[events : events + len(batch)] = batch.column("response_ns").to_numpy()
        events += len(batch)
    found = found[:events]
    found.sort()
    return found


def with_large_features(rows: pa.Table) -> pa.Table:
    """The same rows, features as `large_binary`, to be sorted or taken from: all features of nine million decisions
    have more bytes than the offsets of Arrow's `binary` reach."""
    if "features" not in rows.column_names:
        return rows
    large = rows["features"].cast(pa.large_binary())
    return rows.set_column(rows.schema.get_field_index("features"), "features", large)


def open_rows(path: Path) -> pq.ParquetWriter:
    """A writer of decisions.parquet, a context. Only words are encoded by dictionary: ids, instants, scores and feature
    bytes hardly ever repeat, and looking for it costs time and bytes."""
    return pq.ParquetWriter(
        path, DECISION_ROWS_SCHEMA, compression="zstd", compression_level=1, use_dictionary=_REPEATED
    )


@dataclass(frozen=True, slots=True)
class Answers:
    """Decisions in the order of receipt; when each was received (ns, monotonic) and the ordinal of its event, int64 [n]
    (negative: it answers no event, see `harness.accounts`)."""

    decisions: list[Decision]
    received_ns: Int64s
    ordinals: Int64s

    def __len__(self) -> int:
        return len(self.decisions)

    def between(self, start: int, end: int) -> "Answers":
        """The answers from index `start` up to `end`."""
        return Answers(self.decisions[start:end], self.received_ns[start:end], self.ordinals[start:end])

    def matched(self) -> "Answers":
        """Those that answer an event."""
        known = self.ordinals >= 0
        if known.all():
            return self
        decisions = list(compress(self.decisions, known.tolist()))
        return Answers(decisions, self.received_ns[known], self.ordinals[known])


@dataclass(frozen=True, slots=True)
class EventTimes:
    """Per ordinal: the intended and the actual instant of sending (ns, monotonic); where the warm-up ends."""

    intended_ns: Int64s
    sent_ns: Int64s
    measured_from: int


def reasons_column(reasons: Sequence[list[Reason]]) -> pa.Array:
    """Reasons of decisions or explanations as lists of `REASON`; few have any, so only those become rows."""
    return _lists(reasons, REASON)


def _lists(given: Sequence[list[Reason]] | Sequence[list[CustomerScore]], kind: pa.StructType) -> pa.Array:
    ends = np.cumsum([0, *map(len, given)], dtype=np.int32)
    parts = [part for some in given if some for part in some]
    columns = [pa.array([getattr(part, field.name) for part in parts], field.type) for field in kind]
    return pa.ListArray.from_arrays(ends, pa.StructArray.from_arrays(columns, fields=list(kind)))


def no_reasons(count: int) -> pa.Array:
    """The same, of decisions that have none."""
    return pa.ListArray.from_arrays(np.zeros(count + 1, np.int32), pa.array([], REASON))


def service_ns(taken_ns: pa.Array, emitted_ns: pa.Array) -> pa.Array:
    """How long the scorer had each event. Null where either instant is."""
    return pc.subtract(emitted_ns, taken_ns)


def _given(decisions: list[Decision]) -> dict[str, Any]:
    """The columns that are a decision's own fields, or made of them."""
    columns: dict[str, Any] = {name: list(map(attrgetter(name), decisions)) for name in _PLAIN}
    for name in ("taken_ns", "emitted_ns"):
        columns[name] = pa.array(columns[name], pa.int64())
    columns["service_ns"] = service_ns(columns["taken_ns"], columns["emitted_ns"])
    columns["reasons"] = reasons_column([decision.reasons for decision in decisions])
    customers = [decision.customers for decision in decisions]
    if any(customers):
        lists = _lists(customers, CUSTOMER)
        # none is null, whatever stands in the rows beside it
        columns["customers"] = pc.if_else(pc.greater(pc.list_value_length(lists), 0), lists, None)
    shadows = [decision.shadow for decision in decisions]
    if any(shadows):
        for name in ("model_version", "outcome", "score", "margin"):
            columns[f"shadow_{name}"] = [None if each is None else getattr(each, name) for each in shadows]
    stages = [decision.stages_ns for decision in decisions]
    if any(stages):
        columns |= {f"stage_{stage}_ns": [each.get(stage) for each in stages] for stage in STAGES}
    return columns


def _table(columns: dict[str, Any], rows: int, schema: pa.Schema) -> pa.Table:
    arrays = []
    for field in schema:
        values = columns.get(field.name)
        if values is None:
            arrays.append(pa.nulls(rows, field.type))
        elif isinstance(values, pa.Array):
            arrays.append(values)
        elif pa.types.is_dictionary(field.type):
            arrays.append(pa.array(values, pa.string()).dictionary_encode())
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def said_rows(decisions: list[Decision]) -> pa.Table:
    """What decisions say, a row each: the columns of `SAID_SCHEMA`."""
    return _table(_given(decisions), len(decisions), SAID_SCHEMA)


def said_columns(columns: dict[str, Any], rows: int) -> pa.Table:
    """The same of columns by their names; those that are left out are null."""
    return _table(columns, rows, SAID_SCHEMA)


def timed_rows(
    said: pa.Table, received_ns: Int64s, ordinals: Int64s, late: npt.NDArray[np.bool_], times: EventTimes
) -> pa.Table:
    """Rows of matched answers: what they say, and when everything was."""
    intended = times.intended_ns[ordinals]
    columns: dict[str, Any] = {name: said[name].combine_chunks() for name in SAID_SCHEMA.names}
    for name in _WORDS:
        columns[name] = columns[name].dictionary_encode()
    columns |= {
        "ordinal": ordinals,
        "measured": ordinals >= times.measured_from,
        "status": _ANSWERED.take(pa.array(late.astype(np.int8))).dictionary_encode(),
        "intended_ns": intended,
        "sent_ns": times.sent_ns[ordinals],
        "received_ns": received_ns,
        "response_ns": received_ns - intended,
    }
    return _table(columns, len(ordinals), DECISION_ROWS_SCHEMA)


def answered_rows(answers: Answers, late: npt.NDArray[np.bool_], times: EventTimes) -> pa.Table:
    """Rows of matched answers."""
    return timed_rows(said_rows(answers.decisions), answers.received_ns, answers.ordinals, late, times)


def lost_rows(ordinals: Int64s, event_ids: pa.ChunkedArray, timeout_ns: int, times: EventTimes) -> pa.Table:
    """Rows of events that were sent and never answered."""
    columns = {
        "event_id": event_ids.to_pylist(),
        "ordinal": ordinals,
        "measured": ordinals >= times.measured_from,
        "status": ["lost"] * len(ordinals),
        "intended_ns": times.intended_ns[ordinals],
        "sent_ns": times.sent_ns[ordinals],
        "response_ns": np.full(len(ordinals), timeout_ns, dtype=np.int64),
    }
    return _table(columns, len(ordinals), DECISION_ROWS_SCHEMA)
