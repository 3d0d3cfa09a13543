"""Rows of a Parquet file read a block at a time, in the file's order or in any other: whoever goes through a long run
this way holds some blocks of it, whatever its length."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Int64s = npt.NDArray[np.int64]
BLOCK_ROWS = 65_536
"""A multiple of the micro-batches that the monitors are fed."""
ROWS_HELD_MAX = 524_288
"""Row groups that are still needed are kept while they have no more rows together; beyond, they are read again."""


class StoredRows:
    """The rows of a Parquet file, or of a table that stands for one."""

    def __init__(self, source: Path | pa.Table) -> None:
        self._source = source
        self.names: list[str]
        if isinstance(source, pa.Table):
            self.names, self._rows = source.column_names, len(source)
        else:
            found = pq.read_metadata(source)
            self.names, self._rows = found.schema.to_arrow_schema().names, found.num_rows

    def __len__(self) -> int:
        return self._rows

    def read(self, columns: Sequence[str]) -> pa.Table:
        """These columns of all rows at once: for few of them."""
        if isinstance(self._source, pa.Table):
            return self._source.select(list(columns))
        return pq.read_table(self._source, columns=list(columns))

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """These columns of all rows in order, BLOCK_ROWS at a time, of the last block what is left."""
        rows = BLOCK_ROWS
        held: list[pa.Table] = []
        count = 0
        for batch in self._batches(list(columns), rows):
            held.append(batch)
            count += len(batch)
            while count >= rows:
                whole = pa.concat_tables(held)
                yield whole.slice(0, rows)
                held = [whole.slice(rows)]
                count -= rows
        if count:
            yield pa.concat_tables(held)

    def _batches(self, columns: list[str], rows: int) -> Iterator[pa.Table]:
        if isinstance(self._source, pa.Table):
            yield self._source.select(columns)
            return
        with pq.ParquetFile(self._source) as file:
            for group in range(file.num_row_groups):
                # one by one: a reader of several keeps what it has read
                for batch in file.iter_batches(rows, row_groups=[group], columns=columns):
                    yield pa.Table.from_batches([batch])

    def in_turn(self, columns: Sequence[str], places: Int64s) -> Iterator[pa.Table]:
        """These columns of the rows at `places` (each once) in that order, BLOCK_ROWS at a time. Words come as strings.

        Every row group is read once, where the rows of a block lie together; where they are far apart, some are read
        again.
        """
        rows = BLOCK_ROWS
        if isinstance(self._source, pa.Table):
            table = _plain(self._source.select(list(columns)))
            for start in range(0, len(places), rows):
                yield table.take(pa.array(places[start : start + rows]))
            return
        with pq.ParquetFile(self._source) as file:
            groups = _Groups(file, list(columns), places)
            for start in range(0, len(places), rows):
                yield groups.take(places[start : start + rows])


def _plain(rows: pa.Table) -> pa.Table:
    """Words as strings, and bytes with offsets that reach: row groups have dictionaries of their own, and all features
    of nine million decisions have more bytes than the offsets of Arrow's `binary` reach."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            rows = rows.set_column(place, field.name, rows.column(place).cast(field.type.value_type))
        elif pa.types.is_binary(field.type):
            rows = rows.set_column(place, field.name, rows.column(place).cast(pa.large_binary()))
    return rows


class _Groups:
    """Row groups of a file, kept until the last of their rows is taken."""

    def __init__(self, file: pq.ParquetFile, columns: list[str], places: Int64s) -> None:
        self._file, self._columns = file, columns
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        self._starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
        self._left = np.zeros(len(sizes), np.int64)
        for start in range(0, len(places), BLOCK_ROWS):
            self._left += np.bincount(self._of(places[start : start + BLOCK_ROWS]), minlength=len(sizes))
        self._held: dict[int, pa.Table] = {}

    def _of(self, places: Int64s) -> Int64s:
        return np.searchsorted(self._starts, places, side="right") - 1

    def take(self, places: Int64s) -> pa.Table:
        """The rows at `places`, in that order."""
        of = self._of(places)
        order = np.argsort(of, kind="stable")
        cuts = np.flatnonzero(np.diff(of[order])) + 1
        parts = [self._taken(int(of[here[0]]), places[here]) for here in np.split(order, cuts)]
        found = pa.concat_tables(parts)
        if len(parts) == 1 or (np.diff(order) > 0).all():
            return found
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return found.take(pa.array(back))

    def _taken(self, group: int, places: Int64s) -> pa.Table:
        table = self._held.pop(group, None)
        if table is None:
            table = _plain(self._file.read_row_group(group, columns=self._columns))
        self._left[group] -= len(places)
        if self._left[group]:
            self._held[group] = table  # at the end: the one not needed for longest goes first
            while sum(map(len, self._held.values())) > ROWS_HELD_MAX and len(self._held) > 1:
                self._held.pop(next(iter(self._held)))
        return table.take(pa.array(places - self._starts[group]))


class WordCodes:
    """Numbers words by the order in which they come first, over as many blocks as there are."""

    def __init__(self) -> None:
        self.words: pa.Array = pa.array([], pa.string())

    def of(self, column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
        """The number of each word, int32 [n]; −1 where null."""
        encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
        found = pc.index_in(encoded.dictionary, value_set=self.words)
        new = encoded.dictionary.filter(found.is_null())
        if len(new):
            codes = found.fill_null(-1).to_numpy().astype(np.int32)
            codes[codes < 0] = len(self.words) + np.arange(len(new), dtype=np.int32)
            self.words = pa.concat_arrays([self.words, new])
        else:
            codes = found.to_numpy().astype(np.int32)
        return np.asarray(np.append(codes, np.int32(-1))[encoded.indices.fill_null(len(codes)).to_numpy()])

    @property
    def names(self) -> list[str]:
        """The words by number."""
        found: list[str] = self.words.to_pylist()
        return found
