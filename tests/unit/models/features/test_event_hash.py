"""Hashes of event ids: of messages and of columns the same."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from models.features.event_hash import hash_ids, hash_texts


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=20), st.integers(0, 5))
def test_messages_and_columns_have_the_same_hashes(ids: list[str], first: int) -> None:
    found = hash_texts([each.encode() for each in ids[first:]])
    assert found.tolist() == hash_ids(pa.array(ids, pa.string())[first:]).tolist()
