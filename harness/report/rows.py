"""Rows of a run's large files, of which a report shows a few: they are looked through a block at a time."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streams.stored_rows import StoredRows

_log = logging.getLogger("riskbench.harness")


class RunRows:
    """Events, labels, decisions or explanations of a run folder. Where a file is damaged, what lies behind that is left
    out of the report."""

    def __init__(self, source: Path | pa.Table) -> None:
        self._stored = StoredRows(source)
        self._where = "a table" if isinstance(source, pa.Table) else str(source)

    @property
    def names(self) -> list[str]:
        """Its columns."""
        return self._stored.names

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """These columns of all rows, a block at a time."""
        return self._while_readable(self._stored.blocks(columns))

    def at(self, places: npt.NDArray[np.int64], columns: Sequence[str]) -> list[pa.Table]:
        """These columns of the rows at `places`, in that order."""
        return list(self._while_readable(self._stored.in_turn(columns, places)))

    def among(self, ids: pa.Array | pa.ChunkedArray, columns: Sequence[str]) -> pa.Table:
        """The rows whose `event_id` is one of `ids`, in order, with these columns beside it."""
        names = ["event_id", *columns]
        wanted = pa.array(ids.cast(pa.string()).to_pylist(), pa.string())
        found = [block.filter(pc.is_in(block["event_id"].cast(pa.string()), wanted)) for block in self.blocks(names)]
        return pa.concat_tables(found) if found else pa.table({name: pa.nulls(0) for name in names})

    def _while_readable(self, blocks: Iterable[pa.Table]) -> Iterator[pa.Table]:
        try:
            yield from blocks
        except (pa.ArrowException, OSError) as error:
            _log.warning("%s left out of the report: %s", self._where, error)
