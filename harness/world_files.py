"""A world written to files as it grows, block by block: memory is bounded, however long the stream is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from streams.worlds.world import Block, World, stretch

ROWS_PER_GROUP = 1 << 18
"""Rows that are gathered before they are written."""
See = Callable[[pa.Table, pa.Table], None]
"""Is shown every part's events and labels, in event-time order, history and stream."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many events lie before the stream and in it, where it begins, and when the last event of all was (ns; the
    stream's start where there is none)."""

    history: int
    events: int
    stream_start_ns: int
    last_ns: int

    def facts(self) -> dict[str, Any]:
        """What a prepared folder notes."""
        return {"events": self.events, "history": self.history}


class _Growing:
    """A Parquet file, written a row group at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._parts: list[pa.Table] = []
        self._held = self.rows = 0

    def add(self, part: pa.Table) -> None:
        """Append rows."""
        self._parts.append(part)
        self._held += len(part)
        self.rows += len(part)
        if self._held >= ROWS_PER_GROUP:
            self._write()

    def _write(self) -> None:
        table = pa.concat_tables(self._parts).combine_chunks()
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd", compression_level=1)
        self._writer.write_table(table, row_group_size=ROWS_PER_GROUP)
        self._parts, self._held = [], 0

    def close(self, like: pa.Table) -> None:
        """Write what is held; a file without rows is one of the columns of `like`."""
        if self._parts or self._writer is None:
            self._parts = self._parts or [like.slice(0, 0)]
            self._write()
        if self._writer is not None:
            self._writer.close()


@contextmanager
def _files(folder: Path, like: Block) -> Iterator[dict[str, tuple[_Growing, _Growing]]]:
    """History and stream, each with its labels; closed only when all went well."""
    names = {"history": ("history", "history_labels"), "stream": ("events", "labels")}
    files = {
        part: (_Growing(folder / f"{events}.parquet"), _Growing(folder / f"{labels}.parquet"))
        for part, (events, labels) in names.items()
    }
    yield files
    with ExitStack() as closing:
        for pair in files.values():
            for file, table in zip(pair, like, strict=True):
                closing.callback(file.close, table)


def nobody(events: pa.Table, labels: pa.Table) -> None:
    """Nobody looks."""
    del events, labels


def write_world(folder: Path, world: World, history_days: int, stream_events: int, see: See = nobody) -> Written:
    """Write `history`, `history_labels`, `events` and `labels` (.parquet) into a folder: `history_days` of event time,
    then exactly `stream_events` events. Raises BadInputError for numbers out of bounds."""
    begun = stretch(world, history_days, stream_events)
    last_ns = begun.stream_start_ns
    with _files(folder, begun.like) as files:
        for part, (events, labels) in begun.parts:
            if len(events) == 0:
                continue
            for file, table in zip(files[part], (events, labels), strict=True):
                file.add(table)
            last_ns = int(events["event_time_ns"][-1].as_py())
            see(events, labels)
    return Written(files["history"][0].rows, files["stream"][0].rows, begun.stream_start_ns, last_ns)
