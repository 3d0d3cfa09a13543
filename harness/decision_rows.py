"""The rows of decisions.parquet: one an event sent, answered or not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from streams.decision import Decision, Reason

STAGES = ("features", "rules", "model", "explain", "table_wait")
Int64s = npt.NDArray[np.int64]
_WORD = pa.dictionary(pa.int32(), pa.string())
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
    ]
)
"""`response_ns` of a lost event is the time-out (the ceiling): whoever takes percentiles of the column counts it."""


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


class Answer(NamedTuple):
    """A decision, when it was received (ns, monotonic), and the ordinal of its event (-1: not matched yet)."""

    decision: Decision
    received_ns: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class EventTimes:
    """Per ordinal: the intended and the actual instant of sending (ns, monotonic); where the warm-up ends."""

    intended_ns: Int64s
    sent_ns: Int64s
    measured_from: int


def _service_ns(decision: Decision) -> int | None:
    if decision.taken_ns is None or decision.emitted_ns is None:
        return None
    return decision.emitted_ns - decision.taken_ns


def reason_rows(reasons: list[Reason]) -> list[dict[str, Any]]:
    """Reasons as rows of `REASON`."""
    return [
        {"code": r.code, "text": r.text, "kind": r.kind, "contribution": r.contribution, "cause": r.cause}
        for r in reasons
    ]


def _given(rows: list[Answer]) -> dict[str, list[Any]]:
    decisions = [row.decision for row in rows]
    plain = ("event_id", "outcome", "score", "path", "margin", "rules_version", "model_version", "worker")
    columns: dict[str, list[Any]] = {name: [getattr(d, name) for d in decisions] for name in plain}
    columns |= {name: [getattr(d, name) for d in decisions] for name in ("taken_ns", "emitted_ns", "features")}
    columns["reasons"] = [reason_rows(d.reasons) for d in decisions]
    columns["service_ns"] = [_service_ns(d) for d in decisions]
    for stage in STAGES:
        columns[f"stage_{stage}_ns"] = [d.stages_ns.get(stage) for d in decisions]
    return columns


def _table(columns: dict[str, Any], rows: int) -> pa.Table:
    arrays = []
    for field in DECISION_ROWS_SCHEMA:
        values = columns.get(field.name)
        if values is None:
            arrays.append(pa.nulls(rows, field.type))
        elif pa.types.is_dictionary(field.type):
            arrays.append(pa.array(values, pa.string()).dictionary_encode())
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=DECISION_ROWS_SCHEMA)


def answered_rows(rows: list[Answer], late: npt.NDArray[np.bool_], times: EventTimes) -> pa.Table:
    """Rows of matched answers."""
    ordinals = np.fromiter((row.ordinal for row in rows), np.int64, len(rows))
    received = np.fromiter((row.received_ns for row in rows), np.int64, len(rows))
    intended = times.intended_ns[ordinals]
    columns = {
        **_given(rows),
        "ordinal": ordinals,
        "measured": ordinals >= times.measured_from,
        "status": np.where(late, "late", "decided").tolist(),
        "intended_ns": intended,
        "sent_ns": times.sent_ns[ordinals],
        "received_ns": received,
        "response_ns": received - intended,
    }
    return _table(columns, len(rows))


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
    return _table(columns, len(ordinals))
