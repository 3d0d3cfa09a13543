"""Whether a contender decides as the reference does: outcome, bits of the score, path and reasons, event by event."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

COMPARED = ("outcome", "path", "score", "reasons")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `compared` events that both decided, `differing` differ in any of `COMPARED`; `first` says how the first one
    does."""

    compared: int
    differing: int
    first: str | None


def read_decided(decisions: Path) -> pa.Table:
    """What is compared, of the decided events of a decisions.parquet."""
    rows = pq.read_table(decisions, columns=["event_id", *COMPARED])
    rows = rows.filter(rows["outcome"].is_valid())
    for name in ("outcome", "path"):
        rows = rows.set_column(rows.column_names.index(name), name, rows[name].cast(pa.string()))
    return rows


def agreement(reference: pa.Table, other: pa.Table) -> Agreement:
    """Two tables of `read_decided`; events that only one of them has are left out."""
    places = pc.index_in(other["event_id"].combine_chunks(), value_set=reference["event_id"].combine_chunks())
    theirs = other.filter(pc.is_valid(places))
    ours = reference.take(places.drop_null())
    if not len(theirs):
        return Agreement(0, 0, None)
    differs = np.zeros(len(theirs), np.bool_)
    for name in COMPARED:
        differs |= _differs(ours[name], theirs[name])
    rows = np.flatnonzero(differs)
    return Agreement(len(theirs), len(rows), _told(ours, theirs, int(rows[0])) if len(rows) else None)


def _differs(ours: pa.ChunkedArray, theirs: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if pa.types.is_float64(
        ours.type
    ):  # bit for bit: equal numbers of other bits (zeros of either sign) are not the same
        return np.asarray(ours.to_numpy().view(np.int64) != theirs.to_numpy().view(np.int64))
    pairs = zip(ours.to_pylist(), theirs.to_pylist(), strict=True)
    return np.fromiter((one != other for one, other in pairs), np.bool_, len(ours))


def _told(ours: pa.Table, theirs: pa.Table, row: int) -> str:
    one, other = (table.slice(row, 1).to_pylist()[0] for table in (ours, theirs))
    changed = ", ".join(f"{name} {one[name]!r} → {other[name]!r}" for name in COMPARED if one[name] != other[name])
    return f"event {one['event_id']}: {changed}"
