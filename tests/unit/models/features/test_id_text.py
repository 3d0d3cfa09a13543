"""Ids as bytes are the ids."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features.id_text import IdText, chosen_ids, joined
from models.features.interner import Interner

ids = st.lists(st.text(max_size=12), max_size=30)


@given(ids, st.data())
def test_parts_and_rows_are_those_of_the_list(names: list[str], data: st.DataObject) -> None:
    text = IdText.of(names)
    assert (len(text), text.size, text.strings()) == (len(names), len("".join(names).encode()), names)
    assert text.lengths.tolist() == [len(name.encode()) for name in names]
    first = data.draw(st.integers(0, len(names)))
    last = data.draw(st.integers(first, len(names)))
    assert text.part(first, last).strings() == names[first:last]
    assert joined([text.part(0, first), text.part(first, last), text.part(last, len(names))]).strings() == names
    rows = data.draw(st.lists(st.integers(0, len(names) - 1), max_size=5)) if names else []
    assert text.strings(np.array(rows, np.int64)) == [names[row] for row in rows]


@given(st.lists(st.text(max_size=12), unique=True, min_size=1, max_size=40), st.data())
def test_chosen_ids_are_those_of_the_codes(names: list[str], data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(0, len(names) - 1), max_size=60))
    found = chosen_ids(*Interner(names).text(), np.array(codes, np.int64))
    assert found.strings() == [names[code] for code in codes]
    ascending = sorted(set(codes))
    assert chosen_ids(*Interner(names).text(), np.array(ascending, np.int64)).strings() == [
        names[code] for code in ascending
    ]


def test_of_nothing_nothing_is_chosen() -> None:
    assert chosen_ids(*Interner().text(), np.zeros(0, np.int64)).strings() == []
    assert joined([IdText.of([]), IdText.of([])]).strings() == []


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        IdText(b"\xff" + bytes(8), np.array([1], np.int64)).strings()
