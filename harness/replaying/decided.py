"""What a run decided, in an order that no engine has a part in, and one hash over all of it."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.decision_rows import DECISION_ROWS_SCHEMA
from streams.errors import BadInputError

DECIDING = ("outcome", "score", "path", "reasons", "customers")
"""What makes two decisions of an event the same. Instants and the worker are how it came about."""
BESIDE = ("ordinal", "status", "margin", "rules_version", "model_version")
COLUMNS = ("event_id", *DECIDING, *BESIDE)
HASH_BYTES = 16
_NAME = b"riskbench decisions 1\n"
_SCHEMA = pa.schema(
    [
        field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field
        for field in (DECISION_ROWS_SCHEMA.field(name).with_nullable(True) for name in COLUMNS)
    ]
)


def read_decided(file: Path) -> pa.Table:
    """The decisions of a decisions.parquet with `COLUMNS`, by event id; a column that an older run lacks is null.

    Raises BadInputError when it cannot be read.
    """
    try:
        there = set(pq.read_schema(file).names)
        found = pq.read_table(file, columns=[name for name in COLUMNS if name in there])
        columns = [
            found[field.name].cast(field.type) if field.name in there else pa.nulls(len(found), field.type)
            for field in _SCHEMA
        ]
    except (pa.ArrowException, OSError) as error:
        raise BadInputError(f"{file}: cannot be read as decisions: {error}") from error
    table = pa.table(columns, schema=_SCHEMA)
    return table.take(pc.sort_indices(table["event_id"]))


def decisions_hash(decided: pa.Table) -> str:
    """BLAKE2b over event ids and `DECIDING` of a table of `read_decided`: column by column, of each which values are
    there, how long they are, and their bytes. Scores and contributions count to the last bit."""
    digest = hashlib.blake2b(_NAME, digest_size=HASH_BYTES)
    for name in ("event_id", *DECIDING):
        _take(digest, decided[name].combine_chunks())
    return digest.hexdigest()


def _take(digest: "hashlib.blake2b", column: pa.Array) -> None:
    digest.update(np.packbits(column.is_valid().to_numpy(zero_copy_only=False)).tobytes())
    if pa.types.is_list(column.type):
        digest.update(lengths(column).astype("<i8").tobytes())
        for part in column.flatten().flatten():
            _take(digest, part)
    elif pa.types.is_floating(column.type):
        digest.update(column.fill_null(0.0).to_numpy(zero_copy_only=False).astype("<f8").tobytes())
    else:
        words = column.fill_null("").cast(pa.large_binary())
        digest.update(pc.binary_length(words).to_numpy().astype("<i8").tobytes())
        digest.update(_joined(words))


def lengths(lists: pa.Array) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """How many elements each list has, int64 [n]; a null one has none."""
    return np.asarray(pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False), np.int64)


def _joined(words: pa.Array) -> bytes:
    """The values of a large_binary array one after another."""
    _, offsets, data = words.buffers()
    if data is None or len(words) == 0:
        return b""
    ends = np.frombuffer(offsets, np.int64)[words.offset : words.offset + len(words) + 1]
    return bytes(data[int(ends[0]) : int(ends[-1])])
