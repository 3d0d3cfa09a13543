"""A cut copies cards as they stood at one instant, however the stream goes on meanwhile."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.features.card_rows import joined
from models.features.state import FeatureState
from scorer.checkpoint.cutting import Cutting
from tests.unit.models.features.streams import VOCABULARY, StreamShape, random_stream
from tests.unit.scorer.checkpoint.parts import PARTITION, cut_all, follow

SHAPE = StreamShape(events=200, cards=15)


@given(seed=st.integers(0, 5_000), at=st.integers(0, 150), chunk=st.integers(1, 6), batch=st.integers(1, 5))
def test_the_copies_are_of_one_instant(seed: int, at: int, chunk: int, batch: int) -> None:
    events = random_stream(seed, SHAPE)
    state = FeatureState.empty(VOCABULARY)
    cutting = Cutting(state)
    follow(state, cutting, events[:at])
    changed = np.arange(state.cards, dtype=np.int32)
    then = state.take_cards(changed)
    cutting.begin()
    for start in range(at, len(events), batch):
        follow(state, cutting, events[start : start + batch])
        cutting.copy(chunk)
    cut_all(cutting)
    copied = cutting.take()
    codes = np.concatenate([np.zeros(0, np.int32), *(part.codes for part in copied)])
    assert sorted(codes.tolist()) == changed.tolist()
    assert all((part.partitions == PARTITION).all() for part in copied)
    found = joined([part.rows for part in copied]).chosen(np.argsort(codes))
    for name in ("cards", "recent", "met", "entries", "ends"):
        np.testing.assert_array_equal(getattr(found, name), getattr(then, name))


@given(seed=st.integers(0, 5_000), at=st.integers(1, 150), begun=st.booleans())
def test_what_changed_after_a_cut_is_in_the_next_and_only_that(seed: int, at: int, begun: bool) -> None:
    events = random_stream(seed, SHAPE)
    state = FeatureState.empty(VOCABULARY)
    cutting = Cutting(state)
    follow(state, cutting, events[:at])
    cutting.begin()
    if begun:
        cutting.copy(2)
    follow(state, cutting, events[at:])
    cut_all(cutting)
    cutting.take()
    cutting.begin()
    cut_all(cutting)
    second = {code for part in cutting.take() for code in part.codes.tolist()}
    assert second == set(state.code_events(events[at:]).card.tolist())


def test_copies_that_came_to_nothing_are_made_again() -> None:
    state = FeatureState.empty(VOCABULARY)
    cutting = Cutting(state)
    follow(state, cutting, random_stream(1, SHAPE))
    cutting.begin()
    cut_all(cutting)
    cutting.put_back(cutting.take())
    cutting.begin()
    cut_all(cutting)
    assert sum(len(part.codes) for part in cutting.take()) == state.cards


def test_cards_that_are_forgotten_are_in_no_cut() -> None:
    state = FeatureState.empty(VOCABULARY)
    cutting = Cutting(state)
    follow(state, cutting, random_stream(2, SHAPE))
    assert len(cutting.cards_of(PARTITION)) == state.cards
    cutting.forget(np.array([0, 1], np.int32))
    cutting.begin()
    cut_all(cutting)
    assert {code for part in cutting.take() for code in part.codes.tolist()} == set(range(2, state.cards))
