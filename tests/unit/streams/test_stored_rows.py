"""Rows of a file a block at a time, beside the table read in one piece."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import stored_rows
from streams.stored_rows import StoredRows, WordCodes

COLUMNS = ("ordinal", "word", "bytes", "reasons")


def table(rows: int, seed: int) -> pa.Table:
    """Numbers, words of few kinds, bytes and lists, with nulls."""
    random = np.random.default_rng(seed)
    words = [None if n == 0 else f"w{n}" for n in random.integers(0, 5, rows).tolist()]
    lists: list[Any] = [[{"code": f"c{n}"}] * (n % 3) if n else None for n in random.integers(0, 6, rows).tolist()]
    return pa.table(
        {
            "ordinal": random.permutation(rows),
            "word": pa.array(words, pa.string()).dictionary_encode(),
            "bytes": pa.array([None if n % 4 == 3 else bytes([n % 256] * 3) for n in range(rows)], pa.binary()),
            "reasons": pa.array(lists, pa.list_(pa.struct([("code", pa.string())]))),
            "not asked": random.normal(size=rows),
        }
    )


def stored(rows: pa.Table, file: Path, group: int) -> StoredRows:
    pq.write_table(rows, file, row_group_size=group)
    return StoredRows(file)


@given(rows=st.integers(0, 60), group=st.integers(1, 17), block=st.integers(1, 23), seed=st.integers(0, 99))
def test_blocks_put_together_are_the_table(
    rows: int, group: int, block: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = table(rows, seed)
    for source in (stored(whole, tmp_path_factory.mktemp("rows") / "rows.parquet", group), StoredRows(whole)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stored_rows, "BLOCK_ROWS", block)
            found = list(source.blocks(COLUMNS))
        assert [len(each) for each in found] == [block] * (rows // block) + ([rows % block] if rows % block else [])
        assert [row for each in found for row in each.to_pylist()] == whole.select(COLUMNS).to_pylist()
        assert (len(source), source.names) == (rows, whole.column_names)


@given(
    rows=st.integers(0, 60), group=st.integers(1, 17), block=st.integers(1, 23), held=st.integers(1, 40),
    chosen=st.floats(0, 1), seed=st.integers(0, 99),
)  # fmt: skip
def test_rows_in_any_order_are_those_of_the_table(
    rows: int, group: int, block: int, held: int, chosen: float, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = table(rows, seed)
    places = np.random.default_rng(seed).permutation(rows)[: round(chosen * rows)]
    for source in (stored(whole, tmp_path_factory.mktemp("rows") / "rows.parquet", group), StoredRows(whole)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stored_rows, "BLOCK_ROWS", block)
            patch.setattr(stored_rows, "ROWS_HELD_MAX", held)
            found = list(source.in_turn(COLUMNS, places))
        assert all(len(each) == block for each in found[:-1])
        assert [row for each in found for row in each.to_pylist()] == whole.select(COLUMNS).take(places).to_pylist()


def test_row_groups_are_read_once_where_rows_lie_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, read = stored(table(1_000, 1), tmp_path / "rows.parquet", 100), []
    one_group = pq.ParquetFile.read_row_group

    def counted(file: pq.ParquetFile, group: int, **options: Any) -> pa.Table:
        read.append(group)
        return one_group(file, group, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    monkeypatch.setattr(stored_rows, "BLOCK_ROWS", 64)
    nearly = np.argsort(np.arange(1_000) + np.random.default_rng(2).uniform(0, 150, 1_000))
    list(source.in_turn(COLUMNS, nearly))
    assert sorted(read) == list(range(10))


@given(words=st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=40), block=st.integers(1, 9))
def test_words_are_numbered_as_in_one_piece(words: list[str | None], block: int) -> None:
    codes, found = WordCodes(), []
    for start in range(0, len(words), block):
        column = pa.chunked_array([pa.array(words[start : start + block], pa.string()).dictionary_encode()])
        found += codes.of(column).tolist()
    whole = pa.array(words, pa.string()).dictionary_encode()
    assert found == whole.indices.fill_null(-1).to_pylist()
    assert codes.names == whole.dictionary.to_pylist()
