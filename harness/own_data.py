"""Somebody's own events: where history ends, what trains, what streams."""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.scenario import Data
from streams.datasets.loader import Dataset, load_dataset
from streams.datasets.protocol import Protocol
from streams.errors import BadInputError
from streams.labels import LABEL_SCHEMA, NS_PER_DAY
from streams.worlds.world import WorldTables

logger = logging.getLogger("riskbench.harness.own_data")
STREAM_SHARE = 0.25
"""Without a protocol the last quarter of the time span streams."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A data set cut into history and stream, with the windows (ns UTC) of training and reference."""

    tables: WorldTables
    train_from_ns: int
    train_until_ns: int
    reference_from_ns: int
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spans:
    """Which event times (ns UTC) train, and which stream."""

    train_from_ns: int
    train_until_ns: int
    stream_from_ns: int
    stream_until_ns: int


def spans_of(times: npt.NDArray[np.int64], protocol: Protocol | None, delay_days: int, file: str) -> Spans:
    """What the protocol says, or the last quarter of the time streams. Raises BadInputError for too short a file."""
    if protocol is not None:
        return Spans(protocol.train_from_ns, protocol.train_until_ns, protocol.stream_from_ns, protocol.stream_until_ns)
    first, last = int(times[0]), int(times[-1])
    stream_from = int(last - (last - first) * STREAM_SHARE) // NS_PER_DAY * NS_PER_DAY
    train_until = stream_from - delay_days * NS_PER_DAY
    train_from = first + (train_until - first) // 2
    if train_until - first < 2 * NS_PER_DAY:
        days = (last - first) / NS_PER_DAY
        raise BadInputError(
            f"{file}: {days:.1f} days of events are too few to train, wait {delay_days} days for labels and stream; "
            "give a longer file, or say which days do what in the column map's protocol (see docs/own-data.md)"
        )
    return Spans(train_from, train_until, stream_from, last + 1)


def _all_genuine(events: pa.Table) -> pa.Table:
    columns = {field.name: pa.nulls(len(events), field.type) for field in LABEL_SCHEMA}
    columns["event_id"] = events["event_id"]
    columns["is_fraud"] = pa.array(np.zeros(len(events), dtype=bool))
    return pa.table(columns, schema=LABEL_SCHEMA)


def _facts(dataset: Dataset) -> dict[str, Any]:
    protocol = dataset.protocol
    return {
        "labelled": dataset.labels is not None,
        "source": dataset.mapping,
        "causes": dataset.causes,
        "k": protocol.k if protocol else None,
        "remove_known_compromised": bool(protocol and protocol.remove_known_compromised),
        "published": [entry.model_dump() for entry in protocol.published] if protocol else [],
        "label_delay_days": protocol.label_delay_days if protocol else None,
    }


def cut_dataset(data: Data, limit: int | None, delay_days: int) -> Cut:
    """Load a data file and cut it; at most `limit` events stream. Raises BadInputError for what cannot be used."""
    dataset = load_dataset(data.file, data.columns)
    times = dataset.events["event_time_ns"].to_numpy()
    spans = spans_of(times, dataset.protocol, delay_days, data.file)
    first, end = np.searchsorted(times, [spans.stream_from_ns, spans.stream_until_ns], side="left").tolist()
    if first in (0, end):
        what = "before the stream begins (history)" if first == 0 else "in the days that are to stream"
        raise BadInputError(f"{data.file}: no events {what}; see the protocol of the column map {dataset.mapping}")
    end = end if limit is None else min(end, first + limit)
    labels = dataset.labels if dataset.labels is not None else _all_genuine(dataset.events)
    tables = WorldTables(
        history_events=dataset.events.slice(0, first),
        history_labels=labels.slice(0, first),
        stream_events=dataset.events.slice(first, end - first),
        stream_labels=labels.slice(first, end - first),
        stream_start_ns=spans.stream_from_ns,
    )
    # without a gap between training and stream, the training window itself is the reference
    gap = spans.stream_from_ns > spans.train_until_ns
    reference = spans.train_until_ns if gap else spans.train_from_ns
    return Cut(tables, spans.train_from_ns, spans.train_until_ns, reference, _facts(dataset))
