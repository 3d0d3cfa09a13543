"""The decisions so far, read from the file that the engine writes while event time stands still."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.decision_rows import DECISION_ROWS_SCHEMA, Answers, EventTimes, answered_rows
from streams.codec import decode_decision

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Mark:
    """A barrier: how many decisions (lines) there were when event time reached it."""

    event_time_ns: int
    lines: int


class SoFar:
    """Tails a file of decisions. `event_ids` are those of the stream, by ordinal."""

    def __init__(self, file: Path, event_ids: pa.ChunkedArray) -> None:
        self._file, self._ids = file, event_ids.cast(pa.string()).combine_chunks()
        self._at = 0
        self._none = EventTimes(*(np.zeros(len(self._ids), np.int64),) * 2, 0)
        self._parts: list[pa.Table] = [DECISION_ROWS_SCHEMA.empty_table()]
        self.lines = 0

    def read(self) -> pa.Table:
        """What came since the last time, as rows of decisions.parquet in the order of deciding; instants are those of
        no clock. Only whole lines: the engine has flushed what lies before the barrier."""
        with self._file.open("rb") as file:
            file.seek(self._at)
            block = file.read()
        whole = block[: block.rfind(b"\n") + 1]
        self._at += len(whole)
        decisions = [decode_decision(line) for line in whole.splitlines()]
        self.lines += len(decisions)
        places = pc.index_in(pa.array([each.event_id for each in decisions], pa.string()), value_set=self._ids)
        ordinals = places.fill_null(-1).to_numpy().astype(np.int64)
        answers = Answers(decisions, np.zeros(len(decisions), np.int64), ordinals).matched()
        rows = answered_rows(answers, np.zeros(len(answers), np.bool_), self._none)
        self._parts.append(rows)
        return rows

    def table(self) -> pa.Table:
        """All rows so far, the first of each event, in the order of their ordinals."""
        whole = pa.concat_tables(self._parts).unify_dictionaries()
        ordinals = whole["ordinal"].to_numpy()
        _, first = np.unique(ordinals, return_index=True)
        return whole.take(pa.array(first))
