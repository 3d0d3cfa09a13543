"""Texts of a Parquet file are UTF-8, or refused."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streams.datasets import load_dataset
from streams.errors import BadInputError


@pytest.mark.parametrize("coded", [False, True])
def test_a_text_of_another_encoding_in_a_parquet_file_is_refused(tmp_path: Path, coded: bool) -> None:
    words = pa.array([b"a", "é".encode(), "é".encode("latin-1")]).view(pa.string())
    table = pa.table(
        {
            "event_id": ["1", "2", "3"],
            "event_time_ns": [1, 2, 3],
            "card_id": ["c"] * 3,
            "amount_minor": [1, 2, 3],
            "currency": ["EUR"] * 3,
            "merchant_id": words.dictionary_encode() if coded else words,
        }
    )
    pq.write_table(table, tmp_path / "mine.parquet")
    with pytest.raises(BadInputError, match=r"mine.parquet: column 'merchant_id', row 3: the text is not UTF-8"):
        load_dataset(tmp_path / "mine.parquet")
    pq.write_table(table.slice(0, 2), tmp_path / "mine.parquet")
    assert load_dataset(tmp_path / "mine.parquet").events["merchant_id"].to_pylist() == ["a", "é"]
