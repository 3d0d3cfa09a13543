"""Somebody's own transfers and accounts: where history ends, what trains, what streams."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from harness.aml.split import split_of
from harness.own_data import Spans, spans_of
from harness.prepared import Windows
from harness.scenario import TransferData
from streams.datasets import TransferDataset, load_transfers
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY
from streams.laundering import LAUNDERING_SCHEMA, MEMBER_SCHEMA
from streams.worlds.world import WorldTables


@dataclass(frozen=True, slots=True)
class TransferCut:
    """A data set cut into history and stream, its accounts and members of patterns, and what is known about it."""

    tables: WorldTables
    accounts: pa.Table
    members: pa.Table
    windows: Windows
    facts: dict[str, Any]


def cut_transfers(data: TransferData, limit: int | None, delay_days: int) -> TransferCut:
    """Load the files and cut them; at most `limit` transfers stream. Raises BadInputError for what cannot be used."""
    dataset, skipped = _last_days(load_transfers(data.file, data.accounts, data.columns), data.last_days)
    times = dataset.transfers["event_time_ns"].to_numpy()
    spans = spans_of(times, dataset.protocol, delay_days, data.file)
    first, end = np.searchsorted(times, [spans.stream_from_ns, spans.stream_until_ns], side="left").tolist()
    if first in (0, end):
        what = "before the stream begins (history)" if first == 0 else "in the days that are to stream"
        raise BadInputError(f"{data.file}: no transfers {what}; see the protocol of the column map {dataset.mapping}")
    end = end if limit is None else min(end, first + limit)
    labels = dataset.laundering if dataset.laundering is not None else all_genuine(dataset.transfers)
    members = dataset.members if dataset.members is not None else MEMBER_SCHEMA.empty_table()
    tables = WorldTables(
        history_events=dataset.transfers.slice(0, first),
        history_labels=labels.slice(0, first),
        stream_events=dataset.transfers.slice(first, end - first),
        stream_labels=labels.slice(first, end - first),
        stream_start_ns=spans.stream_from_ns,
    )
    split = split_of(times, spans, end - first, dataset.outside, skipped)
    facts = {**_facts(dataset), "split": msgspec.to_builtins(split)}
    return TransferCut(tables, dataset.accounts, members, _windows(spans), facts)


def _last_days(dataset: TransferDataset, days: int | None) -> tuple[TransferDataset, int]:
    """The last calendar days (UTC) of a data set, and how many transfers come before them."""
    times = dataset.transfers["event_time_ns"].to_numpy()
    if days is None or len(times) == 0:
        return dataset, 0
    skipped = int(np.searchsorted(times, (times[-1] // NS_PER_DAY + 1 - days) * NS_PER_DAY, side="left"))
    labels = dataset.laundering
    kept = replace(
        dataset,
        transfers=dataset.transfers.slice(skipped),
        laundering=None if labels is None else labels.slice(skipped),
    )
    return kept, skipped


def _windows(spans: Spans) -> Windows:
    # without a gap between training and stream, the training window itself is the reference
    gap = spans.stream_from_ns > spans.train_until_ns
    reference_from_ns = spans.train_until_ns if gap else spans.train_from_ns
    return Windows(spans.train_from_ns, spans.train_until_ns, reference_from_ns, spans.stream_from_ns)


def _facts(dataset: TransferDataset) -> dict[str, Any]:
    protocol = dataset.protocol
    return {
        "labelled": dataset.laundering is not None,
        "source": dataset.mapping,
        "k": protocol.k if protocol else None,
        "label_delay_days": protocol.label_delay_days if protocol else None,
    }


def all_genuine(transfers: pa.Table) -> pa.Table:
    """Labels (LAUNDERING_SCHEMA) that say nothing of any of these transfers."""
    columns = {field.name: pa.nulls(len(transfers), field.type) for field in LAUNDERING_SCHEMA}
    columns["event_id"] = transfers["event_id"]
    columns["is_laundering"] = pa.array(np.zeros(len(transfers), dtype=bool))
    return pa.table(columns, schema=LAUNDERING_SCHEMA)
