"""The few rows of a large file that case files show."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from streams.stored_rows import StoredRows


def look_up(file: Path, ids: pa.Array, rows: int | None = None, columns: Sequence[str] | None = None) -> pa.Table:
    """Of the first `rows` rows of a Parquet file (None: of all) those whose `event_id` is one of `ids`, in order;
    `columns` of them, `event_id` among them (None: all). The file is looked through a block at a time."""
    stored = StoredRows(file)
    asked = list(stored.names if columns is None else columns)
    found = [pq.read_schema(file).empty_table().select(asked)]
    left = len(stored) if rows is None else rows
    for block in stored.blocks(asked):
        part = block.slice(0, max(left, 0))
        found.append(part.filter(pc.is_in(part["event_id"].cast(pa.string()), value_set=ids)))
        left -= len(block)
    return pa.concat_tables(found)
