"""Byte strings written one behind the other come back by their place, however they were handed over."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from harness.pages import Pages, PageWriter

texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=5), max_size=5)


@given(st.lists(st.tuples(st.booleans(), texts, st.integers(0, 5)), max_size=5))
def test_strings_by_themselves_and_as_a_column(parts: list[tuple[bool, list[str], int]]) -> None:
    with TemporaryDirectory() as folder:
        writer, told = PageWriter(Path(folder) / "p"), []
        for as_column, strings, begin in parts:
            chosen = strings[begin:]
            told += [string.encode() for string in chosen]
            if as_column:
                writer.extend_texts(pa.array(strings, pa.string()).slice(begin))
            else:
                writer.extend(string.encode() for string in chosen)
        writer.close()
        pages = Pages(Path(folder) / "p")
        assert len(pages) == len(told)
        assert [pages[place] for place in range(len(told))] == told
        assert pages.take(np.arange(len(told))) == told
