"""Codes in the order strings were first met, however many there are and however they are kept."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.features import interner
from models.features.interner import Interner


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first dictionary is soon full, and the others are few."""
    monkeypatch.setattr(interner, "FIRST_STRINGS", 5)
    monkeypatch.setattr(interner, "PARTS", 3)


WORDS = st.lists(st.one_of(st.none(), st.text(max_size=2)), max_size=60)


@given(WORDS, st.integers(0, 60))
def test_codes_count_on_from_first_to_last(words: list[str | None], cut: int) -> None:
    known: dict[str | None, int] = {None: -1}
    expected = [known.setdefault(word, len(known) - 1) for word in words]
    codes = Interner()
    assert codes.encode(words[:cut]).tolist() + [codes.code(word) for word in words[cut:]] == expected
    assert codes.strings() == list(known)[1:]
    assert len(codes) == len(known) - 1


@given(WORDS, WORDS)
def test_one_that_was_saved_goes_on(words: list[str | None], more: list[str | None]) -> None:
    codes = Interner()
    codes.encode(words)
    saved = codes.to_arrays("n")
    again = Interner.from_arrays(saved["n_text"], saved["n_lengths"])
    assert again.encode([*words, *more]).tolist() == codes.encode([*words, *more]).tolist()


def test_a_column_gives_the_same_codes_as_its_rows() -> None:
    words = [f"w{number % 17}" for number in range(100)]
    column, rows = Interner(), Interner()
    assert np.array_equal(column.encode_column(pa.chunked_array([words])), rows.encode(words))
