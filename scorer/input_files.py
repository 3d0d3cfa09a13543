"""The files a scorer reads its events, dispositions and schedule from when no broker brings them."""

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from streams.errors import BadInputError
from streams.labels import Disposition
from streams.transaction import TRANSACTION_SCHEMA
from streams.transfer import TRANSFER_SCHEMA


def read_events(path: Path) -> pa.Table:
    """A Parquet file of transactions. Raises `BadInputError` when it is none."""
    return _events(path, TRANSACTION_SCHEMA)


def read_transfers_file(path: Path) -> pa.Table:
    """A Parquet file of transfers. Raises `BadInputError` when it is none."""
    return _events(path, TRANSFER_SCHEMA)


def _events(path: Path, schema: pa.Schema) -> pa.Table:
    table = _parquet(path, "--events")
    absent = [field.name for field in schema if not field.nullable and field.name not in table.column_names]
    if absent:
        raise BadInputError(f"--events {path} lacks column {', '.join(absent)}")
    return table


def read_dispositions(path: Path | None) -> list[Disposition]:
    """A Parquet file with the fields of a disposition as columns; none without a file."""
    if path is None:
        return []
    rows = _parquet(path, "--dispositions").to_pylist()
    try:
        return msgspec.convert(rows, list[Disposition])
    except msgspec.ValidationError as error:
        raise BadInputError(f"--dispositions {path} does not hold dispositions: {error}") from error


def read_schedule(path: Path | None) -> NDArray[np.int64] | None:
    """A NumPy file of int64 offsets (ns), ascending; None without a file."""
    if path is None:
        return None
    try:
        offsets = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise BadInputError(f"--schedule {path} cannot be read as a NumPy array: {error}") from error
    if offsets.ndim != 1 or offsets.dtype != np.int64 or (np.diff(offsets) < 0).any():
        raise BadInputError(
            f"--schedule {path} must hold ascending int64 offsets in ns; it has {offsets.dtype}{list(offsets.shape)}"
        )
    return np.asarray(offsets, np.int64)


def _parquet(path: Path, option: str) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise BadInputError(f"{option} {path} cannot be read as Parquet: {error}") from error
