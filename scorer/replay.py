"""A stream once more through the feature kernel, from the warm state on, as fast as it goes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.features.state import FeatureState
from scorer.inline_tables import InlineTables
from streams.errors import BadInputError
from streams.labels import NS_PER_DAY

ROWS_PER_CALL = 65_536


@dataclass(frozen=True, slots=True)
class Replayed:
    """Feature rows of chosen events: `rows` int64 [k], their places in the stream, `values` float32 [k, F] and `status`
    uint8 [k] (`models.features.batch.Status`)."""

    rows: NDArray[np.int64]
    values: NDArray[np.float32]
    status: NDArray[np.uint8]


def replay(state: FeatureState, tables: InlineTables, events: pa.Table, chosen: NDArray[np.bool_]) -> Replayed:
    """Take `events` (`TRANSACTION_SCHEMA`, in arrival order) into the state; the rows of those `chosen` (bool [n]).

    Late and repeated events are treated as the worker treats them: it is the same kernel. A day's table is closed when
    the first event that needs it arrives, before anything behind that event is known. Raises `BadInputError` naming
    column and row of what cannot be read.
    """
    values, status, rows = [], [], np.flatnonzero(chosen)
    for low, high in _days(events):
        part = events.slice(low, high - low)
        tables.add_table(part.slice(0, 1))
        tables.bring(state, state.code_table(part.slice(0, 1)))
        tables.add_table(part.slice(1))
        batch = state.code_table(part)
        tables.bring(state, batch)
        block = state.compute(batch)
        inside = chosen[low:high]
        values.append(block.values[inside])
        status.append(block.status[inside])
    if not values:
        raise BadInputError("there are no events to replay")
    return Replayed(rows, np.concatenate(values), np.concatenate(status))


def _days(events: pa.Table) -> Iterator[tuple[int, int]]:
    """Stretches of the stream that begin where an event of a newer calendar day arrives, of at most `ROWS_PER_CALL`."""
    times = events["event_time_ns"].to_numpy()
    newest = np.maximum.accumulate(times // NS_PER_DAY)
    starts = np.union1d(np.flatnonzero(np.diff(newest, prepend=-1)), np.arange(0, len(times), ROWS_PER_CALL))
    yield from zip(starts.tolist(), [*starts[1:].tolist(), len(times)], strict=True)
