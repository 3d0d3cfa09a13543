"""Whether two Parquet files hold the same rows, however they are encoded."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def same_rows(one: Path, other: Path) -> bool:
    """Whether names, values and order are the same."""
    same: bool = _plain(pq.read_table(one)).equals(_plain(pq.read_table(other)))
    return same


def _plain(table: pa.Table) -> pa.Table:
    """Without dictionaries, whose order is no content."""
    kinds = (
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in table.schema
    )
    return table.cast(pa.schema(list(kinds)))
