"""What the kernel writes to the histories, and what of it the marks say."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.graph.followed import GROUP, Followed, marks_for, note_written
from models.graph.state import GraphState
from tests.unit.models.graph.transfers import StreamShape, fresh_state, random_stream

Array = np.ndarray[Any, Any]

CROWDED = StreamShape(transfers=400, accounts=5, days=70.0)
"""Histories that grow to larger blocks, and shrink and are given back when a month has passed."""
SPREAD = StreamShape(transfers=400, accounts=150, days=100.0, late_share=0.3)
"""Histories of few transfers, most of which fall silent."""


def all_copied(state: GraphState) -> None:
    """As after a copy of everything."""
    followed = state.followed()
    followed.copied[: followed.groups] = 1


def unmarked(state: GraphState, before: dict[str, Array]) -> list[int]:
    """Rows that differ from `before`, or stand behind it, and that their group's mark calls copied."""
    followed = state.followed()
    written = np.ones(followed.groups * GROUP, np.bool_)
    first = len(before["arena"])
    written[:first] = False
    for name, array in before.items():
        rows = min(first, len(written))
        written[:rows] |= (followed.arrays[name][:rows] != array[:rows]).any(axis=1)
    return np.flatnonzero(written & np.repeat(followed.copied[: followed.groups] != 0, GROUP)).tolist()


@given(st.integers(0, 20), st.sampled_from([CROWDED, SPREAD]), st.lists(st.integers(0, 400), max_size=12))
def test_every_row_that_is_written_to_is_marked(seed: int, shape: StreamShape, cuts: list[int]) -> None:
    state, events = fresh_state(seed, shape), random_stream(seed, shape)
    for first, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(events)], strict=True):
        before = {name: array.copy() for name, array in state.followed().arrays.items()}
        all_copied(state)
        state.compute(state.code_events(events[first:end]))
        assert unmarked(state, before) == []


def test_what_is_not_written_to_stays_copied() -> None:
    state, events = fresh_state(0, SPREAD), random_stream(0, SPREAD)
    state.compute(state.code_events(events[:-1]))
    all_copied(state)
    state.compute(state.code_events(events[-1:]))
    followed = state.followed()
    assert 0 < (followed.copied[: followed.groups] == 0).sum() < 10 < followed.groups


def test_nothing_of_a_new_a_restored_or_a_grown_store_is_copied() -> None:
    state, events = fresh_state(), random_stream(3)
    assert not state.followed().copied[:100].any()
    state.compute(state.code_events(events[:100]))
    all_copied(state)
    restored = GraphState.restore(*state.snapshot())
    assert not restored.followed().copied[:100].any()
    store = state._store
    state._store = store._replace(arena=store.arena[:64].copy(), sums=store.sums[:64].copy())
    state.compute(state.code_events(random_stream(4)))
    assert len(state._store.arena) > 64
    assert not state.followed().copied[:100].any()


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 63, 64, 65, 1_000])
def test_rows_of_any_number_are_copied_a_few_groups_at_a_time(rows: int) -> None:
    rng = np.random.default_rng(rows)
    arrays: dict[str, Array] = {
        "narrow": rng.integers(0, 9, rows),
        "letters": rng.integers(0, 9, (rows, 19)).astype(np.uint8),
        "wide": rng.integers(0, 9, (rows, 3, 2)).astype(np.float32),
    }
    followed = Followed(arrays, marks_for(rows))
    copies = {name: np.zeros_like(array) for name, array in arrays.items()}
    at, steps = 0, 0
    while at < followed.groups:
        at, steps = followed.copy_groups(copies, at, 3), steps + 1
    assert steps == -(-followed.groups // 3)
    followed.copy_rest(copies)
    for name, array in arrays.items():
        np.testing.assert_array_equal(copies[name], array)
    assert followed.copied[: followed.groups].all()
    followed.forget()
    assert not followed.copied[: followed.groups].any()


def test_only_groups_that_were_written_to_are_copied_again() -> None:
    array = np.zeros((100, 2), np.int64)
    followed, copies = Followed({"a": array}, marks_for(100)), {"a": np.full((100, 2), -1)}
    followed.copied[:12] = 1
    note_written(followed.copied, 15, 17)
    note_written(followed.copied, 40, 40)
    assert followed.copy_groups(copies, 0, 100) == followed.groups == 12
    assert np.flatnonzero((copies["a"] == 0).all(axis=1)).tolist() == list(range(8, 24))
